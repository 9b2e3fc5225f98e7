import { BrokenRule } from '../../settings/broken-rule';

/** The rule that a value breaks, and what is meant by it. @throws Error where it breaks none */
export function brokenRule(parse: (raw: string) => unknown, raw: string): { rule: string; meant?: string | undefined } {
  try {
    parse(raw);
  } catch (error) {
    if (error instanceof BrokenRule) {
      return { rule: error.message, meant: error.meant };
    }
    throw error;
  }
  throw new Error(`${raw} breaks no rule`);
}

/** The rule that a text breaks, or that it was accepted. */
export function ruleOf(parse: (raw: string) => unknown, raw: string): string {
  try {
    parse(raw);
    return `'${raw}' was accepted`;
  } catch (error) {
    expect(error).toBeInstanceOf(BrokenRule);
    return (error as Error).message;
  }
}

/**
 * The rules in which the value itself stands, of those that values with `mark` in them break.
 * @param shapes the values. Default: those that most parsers take for something
 */
export const quoting = (
  parsers: readonly ((raw: string) => unknown)[], shapes: readonly string[] = ['MARK', '127.0.0.1,MARK', 'http://MARK@host', 'MARK://host', 'MARK:latest', 'mark:1.0.0'],
): string[] => parsers.flatMap((parse) => shapes.map((shape) => ruleOf(parse, shape))).filter((rule) => !rule.endsWith(' was accepted') && /mark|1\.0\.0/i.test(rule));
