/** Metrics in Prometheus text format, as Alloy and Phoenix expose them. */

/** Values of a metric's samples. @param labels text in their labels, such as `component_id="x"` */
export const samplesOf = (text: string, metric: string, ...labels: readonly string[]): number[] =>
  text.split('\n').filter((line) => line.startsWith(`${metric}{`) && labels.every((label) => line.includes(label))).map((line) => Number(line.slice(line.lastIndexOf(' '))));

/** The sum of these; 0 if there are none. */
export const sumOf = (...of: Parameters<typeof samplesOf>): number => samplesOf(...of).reduce((sum, value) => sum + value, 0);

/** Value of a metric without labels; 0 if there is none. */
export const valueIn = (text: string, metric: string): number => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
