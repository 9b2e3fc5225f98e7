import { phases, readRecord, removeRecords, writeRecord, type Phase } from '../../../ops/support/adopt/record';
import { fakeDocker } from '../../support/fake-docker';
import { adoption, recordLabel } from './given';

const kept = (phase: Phase): Record<string, Record<string, string>> => ({ [`adoption-dev-${phase}`]: { [recordLabel]: JSON.stringify(adoption({ phase })) } });

test.each(phases)('%s is read as it was written, and alone', async (phase) => {
  const { engine, volumes } = await fakeDocker([], { ...kept('rehearsing'), ...kept('switching'), ...kept('copied'), ...kept('adopted'), 'phoenix-dev-data': {} });
  await writeRecord(engine, 'dev', adoption({ phase, port: '7007' }));
  expect([...volumes.keys()].sort()).toEqual([`adoption-dev-${phase}`, 'phoenix-dev-data']);
  expect(await readRecord(engine, 'dev')).toEqual(adoption({ phase, port: '7007' }));
});

test('the next is there before the one before it goes', async () => {
  const { engine, changes } = await fakeDocker([], kept('switching'));
  await writeRecord(engine, 'dev', adoption({ phase: 'copied' }));
  const made = changes.findIndex((change) => change.startsWith('POST /volumes/create'));
  expect(changes.slice(0, made)).toEqual(['DELETE /volumes/adoption-dev-copied']);
  expect(changes.slice(made + 1).sort()).toEqual(['DELETE /volumes/adoption-dev-adopted', 'DELETE /volumes/adoption-dev-rehearsing', 'DELETE /volumes/adoption-dev-switching']);
});

test.each<[Phase, Phase]>([['rehearsing', 'switching'], ['switching', 'copied'], ['copied', 'adopted'], ['rehearsing', 'adopted']])(
  'killed between %s and %s: the later one counts', async (before, after) => {
    const { engine } = await fakeDocker([], { ...kept(after), ...kept(before) });
    expect((await readRecord(engine, 'dev'))?.phase).toBe(after);
  },
);

test("there is none: another stack's, and another's volumes, are none of this one's", async () => {
  const { engine } = await fakeDocker([], { ...kept('adopted'), 'adoption-dev-2-copied': { [recordLabel]: JSON.stringify(adoption()) }, 'adoption-prod-copied': {} });
  expect(await readRecord(engine, 'prod')).toBeUndefined();
  expect(await readRecord(engine, '2')).toBeUndefined();
  expect((await readRecord(engine, 'dev'))?.phase).toBe('adopted');
});

test('removed are those that are asked for; without any it is no error', async () => {
  const { engine, volumes } = await fakeDocker([], { ...kept('rehearsing'), ...kept('adopted') });
  await removeRecords(engine, 'dev', ['rehearsing']);
  expect([...volumes.keys()]).toEqual(['adoption-dev-adopted']);
  await removeRecords(engine, 'dev');
  await removeRecords(engine, 'dev');
  expect([...volumes.keys()]).toEqual([]);
});

test('what the engine says when it refuses', async () => {
  const docker = await fakeDocker([], kept('copied'));
  docker.answers['POST /volumes/create'] = { status: 500, message: 'no space left on device' };
  await expect(writeRecord(docker.engine, 'dev', adoption())).rejects.toThrow(
    'Volume adoption-dev-adopted, which records the progress of the adoption, could not be created: no space left on device.\n    docker system df');
  // The one before it is what the next run goes on from.
  expect((await readRecord(docker.engine, 'dev'))?.phase).toBe('copied');
  docker.answers['DELETE /volumes/adoption-dev-copied'] = { status: 409, message: 'volume is in use' };
  await expect(removeRecords(docker.engine, 'dev')).rejects.toThrow(
    'Volume adoption-dev-copied, which records the progress of an adoption, could not be removed: volume is in use.\n    docker volume rm adoption-dev-copied');
});
