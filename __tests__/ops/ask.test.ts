import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { tempDir } from '../support/temp';

const command = (questions: number): string => `'${process.execPath}' --import tsx __tests__/support/asking.ts ${questions}`;

/** What a person sees who types this at each question, and how the terminal is left behind. */
function typed(...answers: string[]): { seen: string; status: number } {
  // What follows in the same shell would suffer from a terminal that is left as the question had it.
  const line = `${command(answers.length)}; echo "ended with $?"; stty -a`;
  const given = { command: line, steps: answers.map((answer, index) => [`Question ${index + 1}? [y/N] `, answer]) };
  const { stdout, stderr, status } = spawnSync('python3', ['__tests__/support/terminal.py', JSON.stringify(given)], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout) as { seen: string; status: number };
}

test.each<[string, string[], boolean[]]>([
  // With spaces around it, and corrected; nothing, and something that begins like a yes.
  ['what is a yes and what is none, one question after the other', ['y\r', '  yes \r', 'YES\r', 'no\x7f\x7fy\r', 'n\r', 'no\r', '\r', 'yesterday\r', 'y\r'], [true, true, true, true, false, false, false, false, true]],
  ['Ctrl-C after a yes that was not sent', ['yes\x03'], [false]],
  ['Ctrl-D', ['\x04'], [false]],
  ['Ctrl-C, and another question after it', ['\x03', 'y\r'], [false, true]],
])('at a terminal: %s', (_, answers, expected) => {
  const { seen, status } = typed(...answers);
  expect(seen).toContain(`${JSON.stringify({ atTerminal: true, answers: expected })}\r\n`);
  // No stack trace, and the next line begins on its own.
  expect(seen).toMatch(/\r\nended with 0\r\n/);
  expect(seen).not.toMatch(/Error|\n\s+at /);
  expect(seen.split('\r\n')).toContain(JSON.stringify({ atTerminal: true, answers: expected }));
  expect(seen).toMatch(/[ ;]icanon\b/);
  expect(seen).toMatch(/[ ;]echo\b/);
  expect(status).toBe(0);
});

test.each<[string, string | undefined, boolean]>([
  ['nothing comes', undefined, false],
  ['the input ends', '', false],
  ['a line does not end', 'y', false],
  ['an answer', 'yes\n', true],
])('without a terminal, where %s: no question stands on stdout', (_, input, answer) => {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', input === undefined ? `${command(1)} < /dev/null` : command(1)], { encoding: 'utf8', ...(input === undefined ? {} : { input }) });
  expect({ stdout, status }).toEqual({ stdout: `${JSON.stringify({ atTerminal: false, answers: [answer] })}\n`, status: 0 });
  expect(stderr).toBe(`Question 1? [y/N] ${answer ? '' : '\n'}`);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s at a question is a no', async (signal) => {
  const child = spawn(process.execPath, ['--import', 'tsx', '__tests__/support/asking.ts', '1'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  await once(child.stderr, 'data');
  child.kill(signal);
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(stdout).toBe(`${JSON.stringify({ atTerminal: false, answers: [false] })}\n`);
});

test('a terminal that is closed at a question is a no, and the command goes on to its end', () => {
  const file = path.join(tempDir(), 'answer');
  const action = `const answer = await require('./ops/support/ask').agreed('Go on? '); require('./ops/support/say').say('Nothing was done.'); require('fs').writeFileSync('${file}', String(answer));`;
  const script = `require('./ops/support/command-line').main(new (require('@commander-js/extra-typings').Command)('walk').action(async () => { ${action} }))`;
  const given = { command: `exec '${process.execPath}' --import tsx -e "${script}"`, steps: [['Go on? ', null]] };
  // How it ends nobody sees: Node aborts where it cannot give the terminal back as it was.
  expect(spawnSync('python3', ['__tests__/support/terminal.py', JSON.stringify(given)], { encoding: 'utf8' })).toMatchObject({ stderr: '', stdout: expect.stringContaining('Go on? ') });
  expect(fs.readFileSync(file, 'utf8')).toBe('false');
});
