const Sequencer = require('@jest/test-sequencer').default;
const path = require('node:path');

/**
 * Files that take longest, first, so that none is left alone at the end. Those that need the usual ports (`usual-ports.ts`) have
 * others between them: whoever waits for a port keeps a lane from everybody.
 */
const longest = ['main-job', 'auth', 'tunnel', 'adopt', 'engines', 'environments'];

const rank = ({ path: file }) => {
  const found = longest.indexOf(path.basename(file, '.test.ts'));
  return found < 0 ? longest.length : found;
};

module.exports = class extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
};
