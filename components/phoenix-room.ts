/**
 * What fits into Phoenix's memory. Two steps instead of formulas: a changed number replaces a container, and most changes of
 * the memory should not.
 */

/** From this size on, Phoenix has room for the largest request of Alloy's default. */
const roomyMiB = 2048;

/**
 * Spans that Phoenix queues before it answers 503; Alloy's queue on disk then holds the rest. Phoenix's default of 20,000
 * needs 1.6 GB for spans of 80 KiB: with a limit of 2 GiB the kernel kills it earlier. At twice that span size these use a
 * sixth of the memory, and a crash loses about this many without a journal. A larger queue is not needed: 500 drained a backlog
 * at no visible cost. Phoenix checks before it accepts a request, not its size: with 500, one of 10,000 spans was stored.
 */
export const spansInMemory = (memoryMiB: number): number => (memoryMiB < roomyMiB ? 500 : 2000);

/**
 * Largest request in MiB, unpacked, that is sent to Phoenix. Four at once, each a single span, took Phoenix 20.26.1 to 706
 * of 768 MiB with 16 MiB (24 MiB killed it), and to 1285 of 2048 MiB with 60 MiB; a single one of that size killed it at 768 MiB.
 */
export const largestToPhoenixMiB = (memoryMiB: number): number => (memoryMiB < roomyMiB ? 16 : 64);
