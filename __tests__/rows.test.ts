/** One test for a table, which many files rely on: it must fail where one for each row would. */
import { rows } from './support/rows';

/** Runs the test that is made of a table. @returns its name, and the message with which it fails */
async function made<T>(table: readonly T[], check: (value: T) => unknown): Promise<[string, string | undefined]> {
  const own = globalThis.test;
  const kept: { name?: string; run?: () => Promise<void> } = {};
  Object.assign(globalThis, { test: (name: string, run: () => Promise<void>) => void Object.assign(kept, { name, run }) });
  try {
    rows(table)('%s is even', check);
  } finally {
    Object.assign(globalThis, { test: own });
  }
  return [kept.name ?? '', await kept.run?.().then(() => undefined, (error: Error) => error.message)];
}

test('it fails with each row for which the rule does not hold, whether that shows at once or later', async () => {
  const name = '… is even (4 rows)';
  expect(await made([2, 4, 6, 8], (value) => expect(value % 2).toBe(0))).toEqual([name, undefined]);
  for (const check of [(value: number) => expect(value % 2).toBe(0), async (value: number) => expect(value % 2).toBe(0)]) {
    const [, message = ''] = await made([2, 3, 4, 5], check);
    expect(message.split('\n').filter((line) => /^\d$/.test(line))).toEqual(['3', '5']);
  }
});

test('a row of several values is given as several', async () => {
  const given: unknown[][] = [];
  await made([['a', 1]], (...row) => void given.push(row));
  expect(given).toEqual([['a', 1]]);
});

test('a table without rows is a mistake', async () => {
  expect(await made([], () => undefined)).toEqual(['… is even (0 rows)', 'The table is empty.']);
});
