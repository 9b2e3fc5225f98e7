/**
 * Runs the jobs of each lane one after the other, and the lanes side by side. A failure ends its own lane only.
 *
 * @throws Error with the messages of all failures, when all lanes have ended
 */
export async function runLanes(lanes: readonly (readonly (() => Promise<void>)[])[]): Promise<void> {
  const results = await Promise.allSettled(lanes.map(async (jobs) => {
    for (const job of jobs) await job();
  }));
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as Error);
  if (failures.length > 0) throw new Error(failures.map(({ message }) => message).join('\n\n'), { cause: failures[0] });
}
