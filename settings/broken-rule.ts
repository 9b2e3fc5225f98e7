/**
 * Thrown by a parser: the message is the rule, as the rest of a sentence that names key and value.
 * It never quotes the value, which may be a secret.
 */
export class BrokenRule extends Error {
  /**
   * @param meant what somebody means by the value, where that is clear. Offered where the parser takes it
   * @param choices all values there are, where they are few. Offered where it is not clear
   * @param besides other keys that take a part of what was meant; without a value where it is a secret
   */
  constructor(
    rule: string, readonly meant?: string, readonly choices: readonly string[] = [], readonly besides: readonly (readonly [key: string, value?: string])[] = [],
  ) {
    super(rule);
  }
}
