const units: Record<string, number> = { ns: 1, us: 1e3, 'µs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of a duration in Go's notation (`1m30s`), undefined if it is invalid. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') {
    return 0;
  }
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(text)) {
    return undefined;
  }
  const sum = [...text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce((total, [, n, unit]) => total + Number(n) * (units[unit as string] ?? 0), 0);
  return Math.round(text.startsWith('-') ? -sum : sum);
}

/** Go's canonical form, in which the provider returns durations: 60 s is `1m0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) {
    return '0s';
  }
  if (nanoseconds < 0) {
    return `-${formatDuration(-nanoseconds)}`;
  }
  const small = (['ns', 'µs', 'ms'] as const).find((_, i) => nanoseconds < 1e3 ** (i + 1));
  if (small) {
    return `${nanoseconds / (units[small] as number)}${small}`;
  }
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = (nanoseconds % 60e9) / 1e9;
  return `${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${seconds}s`;
}
