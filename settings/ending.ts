/** How close the end of something with an expiry is. */

export const day = 86_400_000;

/** Days before the expiry from which on it is worth a warning. */
export const warnedDays = 30;

/** @param end ISO 8601; anything that is no time has no expiry */
export function nearness(end: string, now: number): 'past' | 'soon' | 'far' {
  const left = Date.parse(end) - now;
  return left <= 0 ? 'past' : left < warnedDays * day ? 'soon' : 'far';
}

/** The word for it, with the day. */
export const endsOn = (end: string, now: number): string => `${nearness(end, now) === 'past' ? 'has expired' : 'expires'} on ${end.slice(0, 10)}`;
