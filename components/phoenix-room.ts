/**
 * What fits into the memory of Phoenix. Two steps and not formulas: another number replaces a container, and most changes of
 * the memory should not.
 */

/** From here on Phoenix has room for what Alloy takes by default. */
const roomyMiB = 2048;

/**
 * Spans that Phoenix takes before it answers 503, which Alloy's queue on disk holds. Its own 20,000 are 1.6 GB of spans of
 * 80 KiB: at a limit of 2 GiB the kernel ends it first. At twice their size these take a sixth of it, and are about what a crash
 * costs without a journal. A larger one is not needed: 500 drained a backlog at no visible cost. Phoenix looks before it takes a
 * request and not at its size: with 500, one of 10,000 spans was taken and stored.
 */
export const spansInMemory = (memoryMiB: number): number => (memoryMiB < roomyMiB ? 500 : 2000);

/**
 * Largest request in MiB, unpacked, that Phoenix is sent. Four of them at once, each a single span, took Phoenix 20.26.1 to 706
 * of 768 MiB with 16 MiB (24 MiB ended it), and to 1285 of 2048 MiB with 60 MiB, of which one ended it at 768 MiB.
 */
export const largestToPhoenixMiB = (memoryMiB: number): number => (memoryMiB < roomyMiB ? 16 : 64);
