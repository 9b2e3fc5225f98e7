import { inspect } from 'node:util';

interface Check {
  <T extends readonly unknown[] | [unknown]>(table: readonly T[]): (name: string, check: (...row: T) => unknown) => void;
  <T>(table: readonly T[]): (name: string, check: (value: T) => unknown) => void;
}

/**
 * One test for a table of one rule, in the place of one for each of its rows (`test.each`): it looks at all of them, and fails with
 * every row for which the rule does not hold. For what has no state: hooks run once, and not for each row.
 */
export const rows: Check = (table: readonly unknown[]) => (name: string, check: (...row: never[]) => unknown) => {
  test(`${name.replace(/%\w/g, '…')} (${table.length} rows)`, async () => {
    const broken: string[] = [];
    for (const row of table) {
      try {
        await check(...((Array.isArray(row) ? row : [row]) as never[]));
      } catch (error) {
        broken.push(`${inspect(row)}\n${(error as Error).message}`);
      }
    }
    if (table.length === 0 || broken.length > 0) {
      throw new Error(broken.join('\n\n') || 'The table is empty.');
    }
  });
};
