import { execFile, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { commands, pulumi, pulumiOptions } from '../../ops/commands';
import { parse } from '../../ops/support/command-line';
import { setEnvironment } from '../support/environment';
import { rows } from '../support/rows';
import { tempDir } from '../support/temp';

const commandOf = (name: string): (typeof commands)[number] => commands.find((each) => each.name() === name) ?? commands[0]!;

/** What a command is told of what was typed, or the message with which it is refused. */
async function typed(name: string, args: readonly string[]): Promise<unknown> {
  const command = commandOf(name);
  let given: unknown = 'nothing';
  command.action((...values) => void (given = values.at(-2)));
  try {
    await parse(command, args);
    return given;
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 2 });
    return (error as Error).message;
  }
}

beforeEach(() => setEnvironment(Object.fromEntries(Object.keys(process.env).filter((name) => /^npm_config_/.test(name)).map((name) => [name, undefined]))));

const nothing = { stack: 'dev', previewOnly: false, yes: false, json: false };

describe('what is right', () => {
  test.each<[string[], object]>([
    [[], nothing],
    [['--'], nothing],
    [['--', '--yes'], { ...nothing, yes: true }],
    [['-y', '--stack', 'prod'], { ...nothing, yes: true, stack: 'prod' }],
    [['--stack=prod', '--json', '--preview-only'], { stack: 'prod', previewOnly: true, yes: false, json: true }],
    [['-c', 'a:b=1', '--config', 'a:c=x=y', '--config=a:b=', '-ca:d=2'], { ...nothing, config: { 'a:b': '', 'a:c': 'x=y', 'a:d': '2' } }],
    [['--rotate', 'alloy', '--rotate', 'secret'], { ...nothing, rotate: ['alloy', 'secret'] }],
  ])('up %j', async (args, options) => {
    expect(await typed('up', args)).toEqual(options);
  });

  test('several stacks', async () => {
    expect(await typed('preview', ['--stack', 'dev', '--stack', 'prod'])).toMatchObject({ stack: ['dev', 'prod'] });
  });

  test('seconds', async () => {
    expect(await typed('verify', ['--timeout', '90'])).toMatchObject({ timeout: 90 });
  });

  test('everything after the name of a command that hands on', async () => {
    const args = ['up', '--stack', 'dev', '-c', 'a:b=c', '--help', '--', '-x'];
    let given: unknown;
    await parse(pulumi.action((all) => void (given = all)), args, pulumiOptions);
    expect(given).toEqual(args);
  });
});

describe('what is wrong is named, with the command that helps', () => {
  rows<[string, string[], string, string]>([
    ['up', ['--stak', 'prod'], "Unknown option '--stak'. Did you mean --stack?", 'npm run up -- --help'],
    ['up', ['--stak=prod'], "Unknown option '--stak=…'. Did you mean --stack?", 'npm run up -- --help'],
    ['up', ['--preview'], "Unknown option '--preview'. Did you mean --preview-only?", 'npm run up -- --help'],
    ['up', ['--yse'], "Unknown option '--yse'. Did you mean --yes?", 'npm run up -- --help'],
    ['up', ['--frobnicate'], "Unknown option '--frobnicate'.", 'npm run up -- --help'],
    ['up', ['-c'], "Option '-c, --config <key=value>' argument missing.", 'npm run up -- --help'],
    ['up', ['--rotate'], "Option '--rotate <name>' argument missing.", 'npm run up -- --help'],
    ['up', ['-c', 'phoenix:uiPort'], "Option '-c, --config <key=value>' argument 'phoenix:uiPort' is invalid. Write KEY=VALUE, such as -c phoenix:uiPort=16006.", 'npm run up -- --help'],
    ['up', ['-c', 'a:b=1', '-c', '=1'], "Option '-c, --config <key=value>' argument '=…' is invalid. Write KEY=VALUE, such as -c phoenix:uiPort=16006.", 'npm run up -- --help'],
    ['up', ['phoenix:uiPort=1', '--yes'], "'phoenix:uiPort=1' is not an option of npm run up.", "npm run up -- -c 'phoenix:uiPort=1' --yes"],
    ['up', ['phoenix:smtpPassword=hunter2'], "'phoenix:smtpPassword=…' is not an option of npm run up.", "npm run up -- -c 'phoenix:smtpPassword=…'"],
    ['up', ['prod'], "'prod' is not an option of npm run up.", 'npm run up -- --stack prod'],
    ['up', ['--phoenix:secret=hunter2'], "Unknown option '--phoenix:secret=…'.", 'npm run up -- --help'],
    ['up', ['-c', 'phoenix:secret hunter2'], "Option '-c, --config <key=value>' argument 'phoenix:secret=…' is invalid. Write KEY=VALUE, such as -c phoenix:uiPort=16006.", 'npm run up -- --help'],
    ...[
      ['PHOENIX_SECRET=hunter2', 'PHOENIX_SECRET=…'],
      ['PHOENIX_SECRET:hunter2', 'PHOENIX_SECRET:…'],
      ['phoenix.secret=hunter2', 'phoenix.secret=…'],
      ['phoenix:secret:hunter2', 'phoenix:secret:…'],
      ['phoenix:secret: hunter2', 'phoenix:secret:…'],
      ["phoenix.secret=it's hunter2", 'phoenix.secret=…'],
      ['phoenix secret=hunter2', 'phoenix=…'],
      ['secret hunter2', 'secret=…'],
      ['=hunter2', '=…'],
      ['aHVudGVyMg=', '…'],
      ['aHVudGVyMg==', '…'],
      ['Bearer hunter2', 'Bearer=…'],
      ['u:hunter2@h', 'u:…'],
      ['postgresql://u:hunter2@h/db', 'postgresql://u:[secret]@h/db'],
      ['https://h/x?api_key=hunter2', 'https://h/x?api_key=[secret]'],
    ].flatMap(([word = '', shown = '']): [string, string[], string, string][] => [
      ...['-c', '--config'].map((option): [string, string[], string, string] => ['up', [option, word], `Option '-c, --config <key=value>' argument '${shown}' is invalid. Write KEY=VALUE, such as -c phoenix:uiPort=16006.`, 'npm run up -- --help']),
      ['up', [word], `'${shown}' is not an option of npm run up.`, 'npm run up -- --help'],
    ]),
    ...['-c', '--config'].map((option): [string, string[], string, string] => ['up', [option, 'hunter2'], "Option '-c, --config <key=value>' argument '…' is invalid. Write KEY=VALUE, such as -c phoenix:uiPort=16006.", 'npm run up -- --help']),
    ['up', ["--phoenix-secret=it's hunter2"], "Unknown option '--phoenix-secret=…'.", 'npm run up -- --help'],
    ['up', ['--phoenix:secret:hunter2'], "Unknown option '--phoenix:…'.", 'npm run up -- --help'],
    ['up', ["phoenix:smtpPassword=it's hunter2"], "'phoenix:smtpPassword=…' is not an option of npm run up.", "npm run up -- -c 'phoenix:smtpPassword=…'"],
    ['up', ['loki:url=https://loki/x?api_key=hunter2'], "'loki:url=https://loki/x?api_key=[secret]' is not an option of npm run up.", "npm run up -- -c 'loki:url=https://loki/x?api_key=[secret]'"],
    ['up', ['loki:url=http://me:hunter2@loki:3100'], "'loki:url=http://me:[secret]@loki:3100' is not an option of npm run up.", "npm run up -- -c 'loki:url=http://me:[secret]@loki:3100'"],
    ['up', ['none'], "'none' is not an option of npm run up.", 'npm run up -- --help'],
    ['up', ['a', 'b'], "'a' is not an option of npm run up.", 'npm run up -- --help'],
    ['verify', ['--json=yes'], "Unknown option '--json=…'. Did you mean --json?", 'npm run verify -- --help'],
    ['verify', ['phoenix:auth=true'], "'phoenix:auth=true' is not an option of npm run verify.", 'npm run verify -- --help'],
    ...['x', '-1', '1.5', ''].map((seconds) => ['verify', [`--timeout=${seconds}`], `Option '--timeout <seconds>' argument '${seconds}' is invalid. Write whole seconds.`, 'npm run verify -- --help'] as [string, string[], string, string]),
    ['down', ['--purge=yes'], "Unknown option '--purge=…'. Did you mean --purge?", 'npm run down -- --help'],
    ['up', ['--stack', 'dev', '--stack=prod'], '--stack is given 2 times: npm run up takes one.', 'npm run up -- --help'],
    ['down', ['--stack=dev', '--stack=dev', '--yes'], '--stack is given 2 times: npm run down takes one.', 'npm run down -- --help'],
    ['verify', ['--timeout', '1', '--timeout=2'], '--timeout is given 2 times: npm run verify takes one.', 'npm run verify -- --help'],
    ['preview', ['--markdown', '--json'], "Option '--markdown' cannot be used with option '--json'.", 'npm run preview -- --help'],
    ['preview', ['--all', '--stack', 'dev'], "Option '--all' cannot be used with option '--stack <name>'.", 'npm run preview -- --help'],
  ])('a command and what is typed', async (command, args, message, help) => {
    expect(await typed(command, args)).toBe(`${message}\n    ${help}`);
  });

  test.each(commands.filter(({ options }) => options.some(({ long }) => long === '--stack')).map((command) => [command.name(), command] as const))('%s: a stack with a name that Docker would not take', async (_, command) => {
    await expect(parse(command, ['--stack', 'a b'])).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/^'a b' is not a valid stack name: .*\n {4}npm run pulumi -- stack ls$/) });
  });
});

describe('what npm has kept for itself', () => {
  test.each<[string, string, Record<string, string>, string[], string, string]>([
    ['--stack=prod', 'up', { npm_config_stack: 'prod' }, [], '--stack', '--stack prod'],
    ['--stack prod', 'up', { npm_config_stack: 'true' }, ['prod'], '--stack', '--stack prod'],
    ['--preview-only', 'up', { npm_config_preview_only: 'true' }, [], '--preview-only', '--preview-only'],
    ['-c KEY=VALUE', 'up', { npm_config_call: 'phoenix:auth=true' }, [], '-c', "-c 'phoenix:auth=true'"],
    ['-c of a secret', 'up', { npm_config_call: 'phoenix:smtpPassword=hunter2' }, [], '-c', "-c 'phoenix:smtpPassword=…'"],
    ['--config=', 'up', { npm_config_config: 'phoenix:auth=true' }, [], '--config', "--config 'phoenix:auth=true'"],
    ['several', 'down', { npm_config_purge: 'true', npm_config_stack: 'prod' }, [], '--stack, --purge', '--stack prod --purge'],
    ['the rest is kept', 'up', { npm_config_stack: 'prod' }, ['-c', 'phoenix:auth=true', '--yes'], '--stack', "--stack prod -c 'phoenix:auth=true' --yes"],
    ['two options without their values', 'adopt', { npm_config_phoenix: 'true', npm_config_alloy: 'true' }, ['a', 'p'], '--phoenix, --alloy', '--phoenix … --alloy …'],
    ['a secret beside it', 'up', { npm_config_stack: 'true', npm_config_config: 'phoenix:secret=hunter2' }, ['prod'], '--stack, --config', "--stack prod --config 'phoenix:secret=…'"],
    ['a word that names no stack', 'up', { npm_config_stack: 'true' }, ['phoenix:secret=hunter2'], '--stack', "--stack … 'phoenix:secret=…'"],
    ['a secret after its key', 'up', { npm_config_config: 'true', npm_config_json: 'true' }, ['phoenix:smtpPassword', 'hunter2'], '--config, --json', '--config phoenix:smtpPassword --json …'],
    ['a secret alone', 'up', { npm_config_stack: 'prod' }, ['hunter2'], '--stack', '--stack prod …'],
    ['a secret in base64', 'up', { npm_config_stack: 'prod' }, ['aHVudGVyMg=='], '--stack', '--stack prod …'],
    ['a secret as a variable', 'up', { npm_config_stack: 'prod' }, ['PHOENIX_SECRET=hunter2'], '--stack', "--stack prod 'PHOENIX_SECRET=…'"],
    ['a secret of an option that is none', 'up', { npm_config_stack: 'prod' }, ['--token=hunter2'], '--stack', "--stack prod '--token=…'"],
    ['the same in two words', 'up', { npm_config_stack: 'prod' }, ['--token', 'hunter2', '-phunter2'], '--stack', '--stack prod … … …'],
    ['a secret in the place of a setting', 'up', { npm_config_stack: 'prod' }, ['-c', 'hunter2', '--config=hunter2', '-chunter2'], '--stack', "--stack prod -c … '--config=…' '-c…'"],
    ['a secret that npm has kept as a setting', 'up', { npm_config_call: 'hunter2' }, [], '-c', '-c …'],
    ['a secret setting after its option', 'up', { npm_config_stack: 'prod' }, ['--config=phoenix:smtpPassword=hunter2', '-cphoenix:smtpPassword=hunter2'], '--stack', "--stack prod '--config=phoenix:smtpPassword=…' '-cphoenix:smtpPassword=…'"],
    ['a secret in the place of a name', 'invite', { npm_config_token: 'hunter2' }, [], '--token', '--token …'],
    ['names, paths and stacks', 'invite', { npm_config_token: 'edge' }, ['--file=edge.json', '--stack', 'prod'], '--token', "--token … '--file=edge.json' --stack prod"],
    ['an option twice', 'preview', { npm_config_stack: 'dev\n\nprod' }, [], '--stack', '--stack dev --stack prod'],
    ['nothing after it', 'up', { npm_config_stack: '' }, [], '--stack', '--stack …'],
    ['nearly an option', 'up', { npm_config_stak: 'prod' }, [], '--stak', '--stack prod'],
    ['nearly one, its value left over', 'down', { npm_config_stck: 'true' }, ['prod'], '--stck', '--stack prod'],
    ['the beginning of one', 'up', { npm_config_preview: 'true' }, [], '--preview', '--preview-only'],
    ['one without its dash', 'up', { npm_config_previewonly: 'true' }, [], '--previewonly', '--preview-only'],
    ['one that switches something off', 'faults', { npm_config_journal: '' }, [], '--no-journal', '--no-journal'],
    ['nearly that', 'faults', { npm_config_jurnal: '' }, [], '--no-jurnal', '--no-journal'],
    ['what npm knows itself', 'preview', { npm_config_all: 'true', npm_config_json: 'true' }, [], '--all, --json', '--all --json'],
  ])('%s', async (_, command, env, args, kept, right) => {
    setEnvironment(env);
    expect(await typed(command, args)).toBe(`npm consumed ${kept}: arguments for the command come after --.\n    npm run ${command} -- ${right}`);
  });

  test.each<[string, string[], Record<string, string>, string]>([
    ['a secret would be kept in plain text', ['config', 'set', 'phoenix:secret'], { npm_config_secret: 'true' }, '--secret'],
    ['nor nearly so', ['config', 'set', 'phoenix:secret'], { npm_config_secert: 'true' }, '--secert'],
    ['a stack would be destroyed', ['destroy'], { npm_config_preview_only: 'true' }, '--preview-only'],
    ['more than was meant would be', ['destroy', 'urn:x'], { npm_config_exclude: 'true' }, '--exclude'],
  ])('for the Pulumi CLI: without it %s', async (_, args, env, kept) => {
    setEnvironment(env);
    await expect(parse(pulumi, args, pulumiOptions)).rejects.toThrow(`npm consumed ${kept}:`);
  });

  test.each([['secrets-provider', 'hunter2'], ['override-env', 'PASSWORD=hunter2'], ['config', 'phoenix:smtpPassword=hunter2'], ['message', 'hunter2'], ['policy-pack-config', 'hunter2']])('for the Pulumi CLI: what may be a secret in --%s is not shown', async (name, value) => {
    setEnvironment({ [`npm_config_${name.replace(/-/g, '_')}`]: value });
    const message = await parse(pulumi, ['up', 'hunter2'], pulumiOptions).then(() => '', (error: Error) => error.message);
    expect(message).toMatch(new RegExp(`^npm consumed --${name}`));
    expect(message).not.toContain('hunter2');
  });

  test('is nothing of what npm tells every program that it runs', async () => {
    const names = ['user_agent', 'noproxy', 'userconfig', 'local_prefix', 'cafile', 'audit', 'prefix', 'npm_version', 'cache', 'node_gyp', 'fund', 'nodedir', 'update_notifier', 'globalconfig', 'init_module', 'global_prefix', 'registry', 'loglevel', 'color', 'proxy', 'https_proxy', 'strict_ssl', 'scope', 'omit', 'include', 'ignore_scripts', 'also', 'save'];
    setEnvironment(Object.fromEntries(names.map((name) => [`npm_config_${name}`, 'true'])));
    for (const command of ['up', 'down', 'verify', 'adopt', 'faults']) {
      expect(typeof (await typed(command, []))).toBe('object');
    }
    setEnvironment({ npm_config_force: 'true', npm_config_all: 'true' });
    expect(typeof (await typed('down', []))).toBe('object');
    setEnvironment({ npm_config_force: undefined, npm_config_all: undefined });
    expect(await parse(pulumi, ['stack', 'ls'], pulumiOptions).then(() => '', (error: Error) => error.message)).not.toMatch(/npm has kept/);
  });

  test('is nothing where somebody has set it for every command', async () => {
    const file = path.join(tempDir(), 'npmrc');
    fs.writeFileSync(file, 'fund=false\njson = true\n');
    setEnvironment({ npm_config_json: 'true', npm_config_userconfig: file, npm_config_globalconfig: '/nowhere/npmrc' });
    expect(await typed('up', [])).toEqual(nothing);
  });

  test('is nothing where it stands after the -- as well', async () => {
    setEnvironment({ npm_config_json: 'true' });
    expect(await typed('up', ['--json'])).toEqual({ ...nothing, json: true });
  });

  test('is nothing where it stands at its default, nor a yes, which is asked for', async () => {
    setEnvironment({ npm_config_json: 'false', npm_config_all: '', npm_config_yes: 'true' });
    expect(await typed('up', [])).toEqual(nothing);
  });
});

describe('by npm itself', () => {
  const run = promisify(execFile);
  const npm = async (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    run('npm', ['run', '--silent', ...args], { env: { ...process.env, NO_UPDATE_NOTIFIER: '1' } }).then((said) => ({ code: 0, ...said }), (error: { code: number; stdout: string; stderr: string }) => error);

  test.each([
    [['up', '--stack=prod'], 'npm run up -- --stack prod'],
    [['up', '--stack', 'prod'], 'npm run up -- --stack prod'],
    [['up', '--preview-only'], 'npm run up -- --preview-only'],
    [['up', '-c', 'phoenix:auth=true'], "npm run up -- -c 'phoenix:auth=true'"],
    [['pulumi', 'config', 'set', '--secret', 'phoenix:secret'], 'npm run pulumi -- … --secret'],
    [['up', '--rotate', 'alloy', '--stack', 'prod'], 'npm run up -- --stack … --rotate … prod'],
    [['up', '--config', 'phoenix:smtpPassword', 'hunter2'], 'npm run up -- --config phoenix:smtpPassword …'],
  ])('%j', async (args, right) => {
    const { code, stdout, stderr } = await npm(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`\\n    ${right.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\n`));
  }, 60_000);

  test('--help of each command, by its own file', async () => {
    const files = commands.filter((command) => !['test', 'e2e', 'pulumi'].includes(command.name()));
    // One process for all of them: each file reads what was typed when it is loaded, and says its help in one piece.
    const script = `(async () => {
      [process, process.stdout, process.stderr].forEach((each) => each.setMaxListeners(0));
      for (const name of ${JSON.stringify(files.map((command) => command.name()))}) {
        process.argv = [process.argv[0], name + '.ts', '--help'];
        require('./ops/' + name);
        await new Promise(setImmediate);
        process.stdout.write('\\0');
      }
    })();`;
    const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', '-e', script]);
    expect(stderr).toBe('');
    const said = stdout.split('\0');
    files.forEach((command, index) => {
      expect(said[index]).toMatch(new RegExp(`^Usage: npm run ${command.name()} -- `));
      command.options.forEach(({ flags }) => expect(said[index]).toContain(flags));
    });
    expect(await npm('doctor', '--', '--help')).toEqual({ code: 0, stdout: said[files.findIndex((command) => command.name() === 'doctor')], stderr: '' });
  }, 60_000);

  test.each<[string, string, string[], string, NodeJS.ProcessEnv]>([
    ['node, in this folder', process.execPath, ['ops/run.mjs'], '.', {}],
    ['node, from another folder', process.execPath, [path.resolve('ops/run.mjs')], tempDir(), {}],
    ['npm, from another folder', 'npm', ['--prefix', path.resolve('.'), 'run', '--silent'], tempDir(), {}],
    ['npm, in a folder below', 'npm', ['run', '--silent'], 'docs', {}],
    ['pnpm', path.resolve('node_modules/.bin/pnpm'), ['run', '--silent'], '.', {}],
    ['pnpm, in a folder below, without run', path.resolve('node_modules/.bin/pnpm'), ['--silent'], 'docs', {}],
    ['yarn', path.resolve('node_modules/.bin/yarn'), ['--silent', 'run'], '.', {}],
    ['npm, for production', 'npm', ['run', '--silent'], '.', { NODE_ENV: 'production' }],
    ['npm, with a home that cannot be written', 'npm', ['run', '--silent'], '.', { HOME: '/dev/null', XDG_STATE_HOME: '/dev/null' }],
  ])('by %s: a name that is wrong, and the exit code', async (by, program, first, cwd, env) => {
    // npm needs the dashes; pnpm and yarn take the options with them and without.
    const ways = by.startsWith('npm') ? [['--']] : by.startsWith('node') ? [[]] : [[], ['--']];
    for (const dashes of ways) {
      const said = run(program, [...first, 'verify', ...dashes, '--stak=prod'], { cwd, env: { ...process.env, NO_UPDATE_NOTIFIER: '1', ...env } });
      await expect(said).rejects.toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/(^|\n)\nUnknown option '--stak=…'. Did you mean --stack\?\n {4}npm run verify -- --help\n/) });
    }
  }, 60_000);

  test('help: every command of package.json, but for the parts of the tests', async () => {
    const { scripts } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    expect(commands.map((command) => command.name()).sort()).toEqual(Object.keys(scripts).filter((name) => !['lint', 'typecheck'].includes(name)).sort());
    Object.entries(scripts).forEach(([name, script]) => expect(script).toBe(`exec node ops/run.mjs ${name}`));
    const { stdout } = await npm('help');
    commands.forEach((command) => expect(stdout).toContain(`npm run ${command.name().padEnd(7)}  ${command.summary()}\n`));
    expect((await run(process.execPath, ['ops/run.mjs', '--help'])).stdout).toBe(stdout);
  }, 60_000);
});

test.each([
  ['verfy', " Did you mean verify?\n    npm run help -- verify"],
  ['ups', ' Did you mean up?\n    npm run help -- up'],
  ['moonshine', '\n    npm run help'],
])('help of %s, which is no command', async (name, rest) => {
  const said = promisify(execFile)(process.execPath, ['--import', 'tsx', 'ops/help.ts', name]);
  await expect(said).rejects.toMatchObject({ code: 2, stdout: '', stderr: `\nThere is no command '${name}'.${rest}\n` });
});

describe('how a command ends', () => {
  /** In a process of its own. */
  const ending = (body: string, args: readonly string[] = []): { status: number | null; stdout: string; stderr: string } => {
    const script = `require('./ops/support/command-line').main(new (require('@commander-js/extra-typings').Command)('walk').action(async () => { ${body} }))`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '-e', script, '--', ...args], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  test.each([
    ['a failure', "throw new (require('./ops/support/say').Failure)('Not there.', ['look'])", 1, /^\nNot there\.\n {4}look\n$/],
    ['a stop', "throw new (require('./ops/support/say').Stopped)('Stopped.')", 130, /^\nStopped\.\n$/],
    ['a stop that leaves something in the middle', "setInterval(() => {}, 1000); throw new (require('./ops/support/say').Stopped)('Stopped.')", 130, /^\nStopped\.\n$/],
    ['a bug', "throw new TypeError('x is not a function')", 1, /^\nThis is a bug in llm-observability.*Node [\d.]+.*\n {4}\S+.*\n {2}TypeError: x is not a function\n {6}at /],
    ['a bug that nobody waits for', "setTimeout(() => { throw new Error('later'); }, 1); await new Promise((r) => setTimeout(r, 60000))", 1, /^\nThis is a bug in llm-observability.*\n.*\n {2}Error: later\n/],
    ['a word that was thrown', "throw 'a word'", 1, /^\nThis is a bug in llm-observability.*\n.*\n {2}a word\n/],
    ['a file that may not be written', "require('fs').writeFileSync('/proc/x/y', '')", 1, /ENOENT/],
    ['a folder that is read-only', "throw Object.assign(new Error('x'), { code: 'EROFS', path: '/srv/x' })", 1, /^\nEROFS: it is on a file system that is read-only: \/srv\/x\n {4}df -h \/srv\/x\n$/],
  ])('%s', (_, body, code, words) => {
    const { status, stderr } = ending(body);
    expect(status).toBe(code);
    expect(stderr).toMatch(words);
  });

  test('a reader of its output that has seen enough is no error', () => {
    const script = "require('./ops/support/command-line').main(new (require('@commander-js/extra-typings').Command)('walk').action(async () => { for (let i = 0; i < 1e5; i += 1) process.stdout.write('line '.repeat(20) + '\\n'); }))";
    const { stdout, stderr } = spawnSync('sh', ['-c', '"$0" --import tsx -e "$1" | head -n 1', process.execPath, script], { encoding: 'utf8' });
    expect([stdout, stderr]).toEqual([`${'line '.repeat(20)}\n`, '']);
  });
});
