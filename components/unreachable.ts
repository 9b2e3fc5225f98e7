/** The default of a switch over a union: a member without a case is then a type error. */
export function unreachable(member: never): never {
  throw new Error(`no case for ${JSON.stringify(member)}`);
}
