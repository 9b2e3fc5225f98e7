/** How near the end of something is that is good for a time. */

export const day = 86_400_000;

/** Days before an end from which on it is worth a warning. */
export const warnedDays = 30;

/** @param end ISO 8601; what is no time tells of no end */
export function nearness(end: string, now: number): 'past' | 'soon' | 'far' {
  const left = Date.parse(end) - now;
  return left <= 0 ? 'past' : left < warnedDays * day ? 'soon' : 'far';
}

/** The word for it, with the day. */
export const endsOn = (end: string, now: number): string => `${nearness(end, now) === 'past' ? 'has expired' : 'expires'} on ${end.slice(0, 10)}`;
