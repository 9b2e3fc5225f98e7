import { BrokenRule } from '../../settings/parse';

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
