/** Compares "1.23.5" with "1.21" number by number; what follows a pre-release letter does not count. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string): number[] => text.split('.').map((part) => parseInt(part, 10) || 0);
  const [have, want] = [numbers(version), numbers(least)];
  for (let index = 0; index < want.length; index += 1) {
    const difference = (have[index] ?? 0) - want[index];
    if (difference !== 0) return difference > 0;
  }
  return true;
}
