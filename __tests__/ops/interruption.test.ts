import { Interruption } from '../../ops/support/interruption';
import { Stopped } from '../../ops/support/say';
import { listen } from '../support/said';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const listeners = (): number[] => signals.map((signal) => process.listenerCount(signal));

test.each(signals)('%s is heard at once, said once, and obeyed at the next check', async (signal) => {
  const said = listen();
  const before = listeners();
  const work = Interruption.during(async (interruption) => {
    interruption.check();
    process.emit(signal);
    process.emit(signal);
    expect(said).toEqual(['Stopping at the next safe point …']);
    interruption.check('Stopped. Nothing was changed.');
  });
  await expect(work).rejects.toThrow(new Stopped('Stopped. Nothing was changed.'));
  expect(listeners()).toEqual(before);
});

test('a step that may be left in the middle is, and one that comes too late is not waited for', async () => {
  listen();
  await Interruption.during(async (interruption) => {
    expect(await interruption.orStop(Promise.resolve('done'))).toBe('done');
    await expect(interruption.orStop(Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const never = interruption.orStop(new Promise(() => undefined));
    process.emit('SIGTERM');
    await expect(never).rejects.toThrow(Stopped);
    await expect(interruption.orStop(new Promise(() => undefined))).rejects.toThrow(Stopped);
    // What becomes of the step is nobody's any more.
    await expect(interruption.orStop(Promise.reject(new Error('too late')))).rejects.toThrow(/too late|Stopped/);
  });
});
