/**
 * Runs a bundle with the code that V8 made of it the last time, kept beside it: a third of the start of a small
 * program is compiling. (Node 22 has this built in, as module.enableCompileCache.)
 */
const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

/** @param {string} bundle path of a CommonJS file */
exports.run = (bundle) => {
  // V8 refuses what another version of it has made.
  const kept = `${bundle}.${process.version}.code`;
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, 'utf8')}\n})`, {
    filename: bundle,
    ...(existsSync(kept) ? { cachedData: readFileSync(kept) } : {}),
  });
  // It is the main program, and finds itself to be.
  const module = { exports: {} };
  const require = Object.assign(createRequire(bundle), { main: module });
  script.runInThisContext()(module.exports, require, module, bundle, dirname(bundle));
  if (script.cachedDataRejected !== false) {
    // With the functions that have run by then.
    setImmediate(() => {
      const draft = `${kept}.${process.pid}`;
      writeFileSync(draft, script.createCachedData());
      renameSync(draft, kept);
    });
  }
};
