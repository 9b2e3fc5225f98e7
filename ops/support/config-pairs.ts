/**
 * Settings as a person gives them to a command (`-c KEY=VALUE`).
 * @throws Error with the form when one is written otherwise
 */
export function configPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^([\w-]+:[\w-]+)=(.*)$/s.exec(pair) ?? [];
      if (key === undefined || value === undefined) {
        throw new Error(`-c ${pair}: write KEY=VALUE, such as -c phoenix:uiPort=16006`);
      }
      return [key, value];
    }),
  );
}
