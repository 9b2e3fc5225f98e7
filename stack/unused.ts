/**
 * What the Pulumi SDK loads whether a program uses it or not. Nothing here may load the SDK itself.
 */
import Module, { createRequire } from 'node:module';

/** Finds the packages that a function needs which is serialized; 0.15 s. This program serializes no function. */
const arborist = '@npmcli/arborist';

/** Has it loaded when it is first used, if ever. To be called before the SDK is loaded. */
export function leaveUnused(): void {
  const sdk = createRequire(require.resolve('@pulumi/pulumi/package.json'));
  const file = sdk.resolve(arborist);
  if (require.cache[file]) {
    return;
  }
  const later = new Module(file);
  later.loaded = true;
  later.exports = {
    __esModule: true,
    get Arborist(): unknown {
      delete require.cache[file];
      return (sdk(arborist) as { Arborist: unknown }).Arborist;
    },
  };
  require.cache[file] = later;
}
