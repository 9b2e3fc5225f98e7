import { runLanes } from '../../lab/lanes';

test('jobs of a lane run in turn, lanes side by side', async () => {
  const events: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  await runLanes([
    [async () => { events.push('a begins'); await gate; events.push('a ends'); }, async () => void events.push('b')],
    [async () => { events.push('c'); release(); }],
  ]);
  expect(events).toEqual(['a begins', 'c', 'a ends', 'b']);
});

test('a failure ends its own lane, and all of them are told at the end', async () => {
  const done: string[] = [];
  const fail = (message: string) => () => Promise.reject(new Error(message));
  const lanes = [[fail('first'), async () => void done.push('not run')], [async () => void done.push('run')], [fail('second')]];
  await expect(runLanes(lanes)).rejects.toThrow('first\n\nsecond');
  expect(done).toEqual(['run']);
});
