import { removeLeftovers } from '../../ops/support/leftovers';
import type { StackState } from '../../ops/support/stack-state';
import { Failure } from '../../ops/support/say';
import { fakeEngine, type Answer, type FakeEngine } from '../support/fake-engine';
import { listen } from '../support/said';

const owner = 'llm-observability/dev';
const filters = '%7B%22label%22%3A%5B%22llm-observability.stack%3Dllm-observability%2Fdev%22%5D%7D';
const questions = [`GET /containers/json?all=1&filters=${filters}`, `GET /networks?filters=${filters}`];

const urn = 'urn:pulumi:dev::llm-observability::docker:index/container:Container::alloy';
/** A state that knows these IDs and was, or was not, cut off. */
const state = (cutOff: boolean, ...ids: string[]): StackState => ({
  resources: ids.map((id) => ({ urn, type: 'docker:index/container:Container', id })),
  pending: cutOff ? [{ type: 'creating', urn }] : [],
});

/** An engine on which the stack has these containers and networks, by ID. */
function engine(containers: readonly string[], networks: readonly string[], answers: Record<string, Answer> = {}): Promise<FakeEngine> {
  const done = { status: 204, body: '' };
  const removals = [...containers.flatMap((id) => [`/containers/${id}`, `/containers/${id}/stop`]), ...networks.map((id) => `/networks/${id}`)];
  return fakeEngine({
    ...Object.fromEntries(removals.map((path) => [path, done])),
    '/containers/json': containers.map((id) => ({ Id: id, Names: [`/name-of-${id}`] })),
    '/networks': networks.map((id) => ({ Id: id, Name: `name-of-${id}` })),
    ...answers,
  });
}
const asked = ({ requests }: FakeEngine): string[] => requests.map(({ method, url }) => `${method} ${url}`);

test('what the state knows stays, cut off or not', async () => {
  for (const cutOff of [false, true]) {
    const fake = await engine(['c1', 'c2'], ['n1']);
    await removeLeftovers(fake.engine, owner, state(cutOff, 'c1', 'c2', 'n1', 'another'));
    expect(asked(fake).sort()).toEqual(questions);
  }
});

test('nothing there and no state: nothing to do', async () => {
  const fake = await engine([], []);
  await removeLeftovers(fake.engine, owner, undefined);
  expect(asked(fake).sort()).toEqual(questions);
});

test('after a run that was cut off, what the state does not know is removed: containers stopped gently, networks last', async () => {
  const said = listen();
  const fake = await engine(['c1', 'c2'], ['n1', 'n2']);
  await removeLeftovers(fake.engine, owner, state(true, 'c1', 'n1'));
  expect(asked(fake).slice(2)).toEqual(['POST /containers/c2/stop?t=20', 'DELETE /containers/c2?force=1', 'DELETE /networks/n2']);
  expect(said).toEqual([
    'Removing container name-of-c2: an earlier run was interrupted while it created it',
    'Removing network name-of-n2: an earlier run was interrupted while it created it',
  ]);
});

test.each([
  ['a state that was not cut off', state(false)],
  ['no state', undefined],
])("with %s they are somebody else's: refused, nothing touched", async (_, found) => {
  const fake = await engine(['c1'], ['n1']);
  await expect(removeLeftovers(fake.engine, owner, found)).rejects.toThrow(
    new Failure(
      'name-of-c1, name-of-n1 on this Docker host belong to a stack llm-observability/dev whose state is not here: another checkout created them, or the state was lost. Nothing was changed.',
      ['npm run up -- --stack OTHER_NAME                       # beside it', 'docker rm -f name-of-c1', 'docker network rm name-of-n1'],
    ),
  );
  expect(asked(fake).sort()).toEqual(questions);
});

test('what is gone by then is no failure', async () => {
  listen();
  const gone = { status: 404, body: '{"message":"No such container: c1"}' };
  const fake = await engine(['c1'], ['n1'], { '/containers/c1/stop': gone, '/containers/c1': gone });
  await removeLeftovers(fake.engine, owner, state(true));
  expect(asked(fake).at(-1)).toBe('DELETE /networks/n1');
});

test.each([
  ['a container', ['c1'], [], 'name-of-c1 could not be removed: device or resource busy.', 'docker rm -f name-of-c1'],
  ['a network', [], ['n1'], 'name-of-n1 could not be removed: device or resource busy.', 'docker network rm name-of-n1'],
])('%s that the engine does not remove', async (_, containers, networks, message, mend) => {
  listen();
  const busy = { status: 409, body: '{"message":"device or resource busy"}' };
  const fake = await engine(containers, networks, { '/containers/c1': busy, '/networks/n1': busy });
  await expect(removeLeftovers(fake.engine, owner, state(true))).rejects.toThrow(new Failure(message, [mend]));
});
