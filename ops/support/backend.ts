import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { say } from './say';

/** Root of the checkout. */
export const projectDir = path.join(__dirname, '..', '..');

/** The local backend and its passphrase; git-ignored. */
export const stateDir = path.join(projectDir, '.state');
export const passphraseFile = passphraseIn(stateDir);

/**
 * Where Pulumi keeps the stack's state: what the environment or `pulumi login` say, else files in
 * this checkout, their secrets encrypted with a passphrase that is generated once.
 * @param dir where those files go
 * @returns environment variables for the Pulumi CLI
 */
export function backendEnvironment(env: NodeJS.ProcessEnv = process.env, dir = stateDir): Record<string, string> {
  // With a token the CLI logs in to Pulumi's own service by itself.
  if (env['PULUMI_BACKEND_URL'] || env['PULUMI_ACCESS_TOKEN'] || loggedIn(env)) {
    return {};
  }
  fs.mkdirSync(path.join(dir, 'backend'), { recursive: true, mode: 0o700 });
  const found: Record<string, string> = { PULUMI_BACKEND_URL: `file://${path.join(dir, 'backend')}` };
  // For the CLI an empty passphrase is one, and wins over a file; an empty name of a file is none.
  if (env['PULUMI_CONFIG_PASSPHRASE'] === undefined && !env['PULUMI_CONFIG_PASSPHRASE_FILE']) {
    const file = passphraseIn(dir);
    if (!fs.existsSync(file)) {
      // `wx`: of two runs at once, one writes it and the other takes what is there.
      try {
        fs.writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
        say(`State: files in ${path.relative(process.cwd(), dir) || dir}; its secrets are encrypted with the passphrase generated there. Keep both.`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
          throw error;
        }
      }
    }
    found['PULUMI_CONFIG_PASSPHRASE_FILE'] = file;
  }
  return found;
}

function passphraseIn(dir: string): string {
  return path.join(dir, 'passphrase');
}

/** Whether `pulumi login` has chosen a backend on this machine. */
function loggedIn(env: NodeJS.ProcessEnv): boolean {
  const home = env['PULUMI_HOME'] || path.join(os.homedir(), '.pulumi');
  try {
    const { current } = JSON.parse(fs.readFileSync(path.join(home, 'credentials.json'), 'utf8')) as { current?: string };
    return Boolean(current);
  } catch {
    return false;
  }
}
