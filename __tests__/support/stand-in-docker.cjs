#!/usr/bin/env node
/**
 * A docker command line after its source (docker/cli 28, cli/command): the options that each command has and how many names it
 * takes, and what the engine refuses. `exec` runs what is asked for, with the folders of the container under $STAND_IN/files/NAME.
 * $STAND_IN/host.json holds containers, the volumes with who uses them, images, and what was done.
 */
const { spawnSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

/** Options, with `=` where they take a value; fewest and most names. */
const commands = {
  exec: [['-d', '--detach', '-e=', '--env=', '-i', '--interactive', '-t', '--tty', '-u=', '--user=', '-w=', '--workdir=', '--privileged'], 2, Infinity],
  kill: [['-s=', '--signal='], 1, Infinity],
  load: [['-i=', '--input=', '-q', '--quiet'], 0, 0],
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
  fail(`docker: unknown command: docker ${command}`, 125);
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
    fail(`unknown flag: ${arg}`, 125);
  }
}
if (names.length < least || names.length > most) {
  fail(`docker: 'docker ${command}' requires ${least} names and at most ${most}`);
}

const isRunning = (name) => host.containers[name] ?? fail(`Error response from daemon: No such container: ${name}`);
const ask = (name) => (isRunning(name) ? name : fail(`Error response from daemon: container ${name} is not running`));
const each = {
  exec: ([name, program, ...args]) => {
    ask(name);
    const inside = path.join(dir, 'files', name);
    const { status } = spawnSync(program, args.map((arg) => arg.replace(/^\/(?=\w)/, `${inside}/`)), { stdio: 'inherit' });
    process.exitCode = status ?? 127;
  },
  kill: () => names.map(ask),
  load: () => host.images.push(...readFileSync(0, 'utf8').trim().split(' ')),
  logs: () => names.map(isRunning),
  rm: () => names.forEach((name) => {
    if (isRunning(name) && !given['-f'] && !given['--force']) {
      fail(`Error response from daemon: cannot remove container "/${name}": container is running: stop the container before removing or force remove`);
    }
    delete host.containers[name];
  }),
  save: () => {
    const missing = names.find((name) => !host.images.includes(name));
    return missing === undefined ? process.stdout.write(names.join(' ')) : fail(`Error response from daemon: reference does not exist: ${missing}`);
  },
  start: () => names.forEach((name) => (isRunning(name), (host.containers[name] = true))),
  stats: () => names.map(isRunning),
  stop: () => names.forEach((name) => (isRunning(name), (host.containers[name] = false))),
  'volume rm': () => names.forEach((name) => {
    const user = (host.volumes[name] ?? fail(`Error response from daemon: get ${name}: no such volume`)).find((one) => one in host.containers);
    if (user !== undefined) {
      fail(`Error response from daemon: remove ${name}: volume is in use - [${user}]`);
    }
    delete host.volumes[name];
  }),
};
each[command](names);
host.done.push([command, ...Object.values(given).filter((value) => value !== true), ...(command === 'exec' ? names.slice(0, 2) : names)].join(' '));
writeFileSync(file, JSON.stringify(host));
