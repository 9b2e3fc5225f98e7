/**
 * Entry of the program: has the providers start, and loads the program meanwhile.
 */
import { startProviders } from './stack/providers';
import { leaveUnused } from './stack/unused';

export = async (): Promise<object> => {
  const { prepareStackTrace } = Error;
  // Of the program alone: told of a frame of the SDK, whose source map names a file right below a scope
  // (node_modules/@pulumi/resource.ts), util.inspect of Node 20 goes round until it is out of memory.
  const own = (frames: NodeJS.CallSite[]): NodeJS.CallSite[] => frames.filter((frame) => !frame.getFileName()?.includes('node_modules'));
  const mapped = (): void => void (Error.prepareStackTrace = (error, frames) => prepareStackTrace?.(error, own(frames)) as unknown);
  process.prependListener('uncaughtException', mapped).prependListener('unhandledRejection', mapped);
  // The SDK reads the stack of every promise it makes, and ts-node maps each frame back to TypeScript: 0.1 s and more
  // of every preview. Of an error that is told, the frames are mapped when it is.
  Error.prepareStackTrace = String;

  await startProviders();
  leaveUnused();
  try {
    const { program } = await import('./stack/program');
    return await program();
  } catch (error) {
    mapped();
    throw error;
  }
};
