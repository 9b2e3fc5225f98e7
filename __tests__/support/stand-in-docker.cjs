#!/usr/bin/env node
/**
 * A docker command line after its source (docker/cli 29.8, cli/command and cli/required.go), and what Docker Engine 20.10 to 28.5
 * refuses: the options that each command has, how many names it takes, and that one name in the way does not stop it at the others. `exec` runs what is asked for, with the folders of the container under $STAND_IN/files/NAME.
 * $STAND_IN/host.json holds containers, the volumes with who uses them, images, and what was done.
 */
const { spawnSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

/** Options, with `=` where they take a value; fewest and most names. */
const commands = {
  exec: [['-d', '--detach', '--detach-keys=', '-e=', '--env=', '--env-file=', '-i', '--interactive', '-t', '--tty', '-u=', '--user=', '-w=', '--workdir=', '--privileged'], 2, Infinity],
  kill: [['-s=', '--signal='], 1, Infinity],
  load: [['-i=', '--input=', '--platform=', '-q', '--quiet'], 0, 0],
  logs: [['-f', '--follow', '--details', '--since=', '--until=', '-n=', '--tail=', '-t', '--timestamps'], 1, 1],
  rm: [['-f', '--force', '-l', '--link', '-v', '--volumes'], 1, Infinity],
  save: [['-o=', '--output=', '--platform='], 1, Infinity],
  start: [['-a', '--attach', '-i', '--interactive', '--detach-keys='], 1, Infinity],
  stats: [['-a', '--all', '--format=', '--no-stream', '--no-trunc'], 0, Infinity],
  stop: [['-s=', '--signal=', '-t=', '--timeout='], 1, Infinity],
  'volume rm': [['-f', '--force'], 1, Infinity],
};
const dir = process.env.STAND_IN;
const file = path.join(dir, 'host.json');
const host = JSON.parse(readFileSync(file, 'utf8'));

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const argv = process.argv.slice(2);
const command = argv[0] === 'volume' ? argv.splice(0, 2).join(' ') : argv.shift();
if (!(command in commands)) {
  fail(`docker: unknown command: docker ${command}\n\nRun 'docker --help' for more information`);
}
const [options, least, most] = commands[command];
const names = [];
const given = {};
while (argv.length > 0) {
  const arg = argv.shift();
  if (!arg.startsWith('-')) {
    names.push(arg);
    if (command === 'exec') {
      names.push(...argv.splice(0));
    }
  } else if (options.includes(`${arg}=`)) {
    given[arg] = argv.shift();
  } else if (options.includes(arg)) {
    given[arg] = true;
  } else {
    fail(`unknown ${arg.startsWith('--') ? 'flag' : 'shorthand flag'}: ${arg}`, 125);
  }
}
if (names.length < least || names.length > most) {
  const needs = most === 0 ? 'accepts no arguments' : `requires ${most === least ? '' : 'at least '}${least} argument${least === 1 ? '' : 's'}`;
  fail(`docker: 'docker ${command}' ${needs}`);
}

class Refused extends Error {}
const refuse = (message) => {
  throw new Refused(`Error response from daemon: ${message}`);
};
/** Does something with each name, and goes on after what the engine refuses. */
const withEach = (act) => (all) => all.forEach((name) => {
  try {
    act(name);
    process.stdout.write(`${name}\n`);
  } catch (error) {
    if (!(error instanceof Refused)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
});
const isRunning = (name) => host.containers[name] ?? refuse(`No such container: ${name}`);
const ask = (name) => (isRunning(name) ? name : refuse(`container ${name} is not running`));
const each = {
  exec: ([name, program, ...args]) => {
    ask(name);
    const inside = path.join(dir, 'files', name);
    const { status } = spawnSync(program, args.map((arg) => arg.replace(/^\/(?=\w)/, `${inside}/`)), { stdio: 'inherit' });
    process.exitCode = status ?? 127;
  },
  kill: withEach((name) => name in host.containers ? ask(name) : refuse(`Cannot kill container: ${name}: No such container: ${name}`)),
  load: () => host.images.push(...readFileSync(0, 'utf8').trim().split(' ')),
  logs: ([name]) => isRunning(name),
  rm: withEach((name) => {
    if (isRunning(name) && !given['-f'] && !given['--force']) {
      refuse(`cannot remove container "/${name}": container is running: stop the container before removing or force remove`);
    }
    delete host.containers[name];
  }),
  save: () => {
    const missing = names.find((name) => !host.images.includes(name));
    return missing === undefined ? process.stdout.write(names.join(' ')) : refuse(`No such image: ${missing}`);
  },
  start: withEach((name) => (isRunning(name), (host.containers[name] = true))),
  stats: () => names.forEach(isRunning),
  stop: withEach((name) => (isRunning(name), (host.containers[name] = false))),
  'volume rm': withEach((name) => {
    const user = (host.volumes[name] ?? refuse(`get ${name}: no such volume`)).find((one) => one in host.containers);
    if (user !== undefined) {
      refuse(`remove ${name}: volume is in use - [${user}]`);
    }
    delete host.volumes[name];
  }),
};
try {
  each[command](names);
} catch (error) {
  fail(error instanceof Refused ? error.message : String(error.stack));
}
host.done.push([command, ...Object.values(given).filter((value) => value !== true), ...(command === 'exec' ? names.slice(0, 2) : names)].join(' '));
writeFileSync(file, JSON.stringify(host));
