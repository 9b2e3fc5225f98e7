import { spawnSync } from 'node:child_process';

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
  ['y', ['y\r'], [true]],
  ['yes, with spaces around it', ['  yes \r'], [true]],
  ['YES', ['YES\r'], [true]],
  ['what was corrected', ['no\x7f\x7fy\r'], [true]],
  ['n', ['n\r'], [false]],
  ['no', ['no\r'], [false]],
  ['nothing', ['\r'], [false]],
  ['something that begins like a yes', ['yesterday\r'], [false]],
  ['Ctrl-C', ['\x03'], [false]],
  ['Ctrl-C after a yes that was not sent', ['yes\x03'], [false]],
  ['Ctrl-D', ['\x04'], [false]],
  ['one question after the other', ['y\r', 'n\r', 'y\r'], [true, false, true]],
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
