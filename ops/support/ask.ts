import { createInterface } from 'node:readline';
import { Failure } from './say';

/** How a command gets its confirmation: from a person at the terminal, from `--yes`, or not at all. */
export type Consent = 'ask' | 'yes' | 'never';

/** Whether there is a person to ask: the question goes to stderr, the answer comes from stdin. */
export const atTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/**
 * How a command that changes something gets its confirmation. The same for all of them.
 * @param doing what needs it, as the beginning of a sentence: "Deploying"
 * @param command the one that confirms
 * @throws Failure if there is nobody to ask
 */
export function consentOf(yes: boolean, doing: string, command: string): 'ask' | 'yes' {
  if (!yes && !atTerminal()) {
    throw new Failure(`${doing} needs confirmation, and there is no terminal. Nothing was changed.`, [command]);
  }
  return yes ? 'yes' : 'ask';
}

/** A person's answer; undefined for Ctrl-C, Ctrl-D, a signal and the end of the input. Never throws: giving up changes nothing. */
export function answerTo(question: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // No library of prompts: `@inquirer/prompts` strips the space after the question, redraws it with control codes at each key
    // (in a pipe too), and does not end when the terminal is closed.
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    let answer: string | undefined;
    let isOver = false;
    const end = (): void => {
      if (!isOver) {
        isOver = true;
        terminal.close();
      }
    };
    terminal.on('SIGINT', end);
    signals.forEach((signal) => process.on(signal, end));
    // A closed terminal can neither be read nor, in `close`, be restored.
    terminal.on('error', end);
    terminal.on('close', () => {
      signals.forEach((signal) => process.off(signal, end));
      if (answer === undefined) {
        // The cursor is behind the question.
        process.stderr.write('\n');
      }
      resolve(answer);
    });
    terminal.question(question, (text) => {
      answer = text;
      end();
    });
  });
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Asks for a yes. Everything else is a no. */
export async function agreed(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await answerTo(question))?.trim() ?? '');
}
