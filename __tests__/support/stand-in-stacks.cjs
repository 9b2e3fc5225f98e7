#!/usr/bin/env node
/**
 * `npm run pulumi -- stack …` for a checkout with its own state in .state, as far as a stack is moved: a backend of files in which
 * each stack is encrypted with a passphrase (pulumi/pulumi 3.259, pkg/cmd/pulumi/stack). Without variables it is .state's own.
 */
const fs = require('node:fs');
const path = require('node:path');

const [, , run, script, dashes, stack, command, ...args] = process.argv;
const value = (name) => args[args.indexOf(name) + 1];
const fail = (message) => {
  process.stderr.write(`error: ${message}\n`);
  process.exit(255);
};
if ([run, script, dashes, stack].join(' ') !== 'run pulumi -- stack') {
  fail('this stands in for npm run pulumi -- stack');
}
const env = process.env;
const backend = env.PULUMI_BACKEND_URL?.replace(/^file:\/\//, '') ?? '.state/backend';
const passphrase = fs.readFileSync(env.PULUMI_CONFIG_PASSPHRASE_FILE ?? '.state/passphrase', 'utf8').trim();
const name = args.includes('--stack') ? value('--stack') : args[0];
const file = path.join(backend, `${name}.json`);
const read = () => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : fail(`no stack named '${name}' found`));
const open = (state) => (state.passphrase === passphrase ? state : fail('incorrect passphrase'));
const write = (to, state) => fs.writeFileSync(to, JSON.stringify(state));

({
  'change-secrets-provider': () => {
    if (args[0] !== 'passphrase' || !args.includes('--non-interactive')) {
      fail('a terminal is needed to ask for the new passphrase');
    }
    write(file, { ...open(read()), passphrase: fs.readFileSync(0, 'utf8').trim() });
  },
  export: () => write(value('--file'), read()),
  init: () => (fs.existsSync(file) ? fail(`stack '${name}' already exists`) : write(file, { passphrase, resources: [] })),
  import: () => {
    read();
    write(file, open(JSON.parse(fs.readFileSync(value('--file'), 'utf8'))));
  },
})[command]();
