/** The passphrase of a backup: from a file, from the environment, or typed. Never an argument: those are visible to all. */
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { atTerminal } from '../ask';
import { Failure, Stopped } from '../say';

export const passphraseVariable = 'BACKUP_PASSPHRASE';
const fewest = 12;

/**
 * @param file its first line is the passphrase
 * @param isNew whether a typed one is asked for twice
 * @param again the command, for messages
 * @throws Failure if there is none, or it is too short
 */
export async function passphraseOf(file: string | undefined, isNew: boolean, again: string): Promise<string> {
  const passphrase = file !== undefined ? fromFile(file) : (process.env[passphraseVariable] ?? (await typed(isNew, again)));
  if (isNew && passphrase.length < fewest) {
    throw new Failure(`The passphrase has ${passphrase.length} characters; at least ${fewest} are needed. Nothing was written.`, ['openssl rand -base64 24']);
  }
  return passphrase;
}

function fromFile(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
  } catch (error) {
    throw new Failure(`The passphrase cannot be read: ${(error as Error).message}.`);
  }
}

async function typed(isNew: boolean, again: string): Promise<string> {
  if (!atTerminal()) {
    throw new Failure('A backup is encrypted with a passphrase, and there is none.', [`export ${passphraseVariable}   # after: read -rs ${passphraseVariable}`, `${again}${again.includes(' -- ') ? '' : ' --'} --passphrase-file FILE`]);
  }
  const first = await hidden('Passphrase of the backup: ');
  if (isNew && first !== (await hidden('The same once more: '))) {
    throw new Failure('The two differ. Nothing was written.');
  }
  return first;
}

/** A line that the terminal does not show. @throws Stopped if a person gives up */
function hidden(question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    process.stderr.write(question);
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
    let answer: string | undefined;
    terminal.on('SIGINT', () => terminal.close());
    terminal.on('close', () => {
      process.stderr.write('\n');
      if (answer === undefined) {
        reject(new Stopped('Stopped.'));
      } else {
        resolve(answer);
      }
    });
    terminal.question('', (text) => {
      answer = text;
      terminal.close();
    });
  });
}
