import { distance } from 'fastest-levenshtein';

const letters = (text: string): string => [...text].sort().join('');

/** Slips from one word to another: letters that are wrong, missing or added. Two swapped letters are one slip. */
export function slips(a: string, b: string): number {
  return distance(a, b) - (a !== b && letters(a) === letters(b) ? 1 : 0);
}
