import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { Failure, say } from './say';
import { currentFolder, settledFolder, usualPlace, type Places, type StateFolder } from './state-folder';

/** Root of the checkout. */
export const projectDir = path.join(__dirname, '..', '..');

const usualPlaces = (env: NodeJS.ProcessEnv): Places => ({ usual: usualPlace(env), old: path.join(projectDir, '.state') });

/** Where the state is currently kept in files; undefined if a backend was chosen. Changes nothing. */
export function localState(env: NodeJS.ProcessEnv = process.env, places = usualPlaces(env)): StateFolder | undefined {
  return isChosen(env) ? undefined : currentFolder(places);
}

/**
 * Where Pulumi keeps the stack's state: according to the environment, Pulumi.yaml or `pulumi login`, else in files of this
 * user, whose secrets are encrypted with a passphrase that is generated once.
 * @param places where those files are
 * @returns environment variables for the Pulumi CLI
 */
export function backendEnvironment(env: NodeJS.ProcessEnv = process.env, places = usualPlaces(env)): Record<string, string> {
  if (isChosen(env)) {
    return absolute(env['PULUMI_BACKEND_URL'] || backendOfProject());
  }
  const folder = settledFolder(places);
  const { dir, passphrase } = folder;
  if (!hasPassphrase(env) && !fs.existsSync(passphrase)) {
    // `wx`: of two concurrent runs, one writes it and the other uses the existing one.
    try {
      fs.writeFileSync(passphrase, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
      say(`State: files in ${dir}, for all your checkouts; its secrets are encrypted with the passphrase generated there. Keep both.`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
  }
  return environmentOf(folder, env);
}

/** Variables for the Pulumi CLI with the state in this folder. */
export function environmentOf({ backend, passphrase }: StateFolder, env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return { PULUMI_BACKEND_URL: `file://${backend}`, ...(hasPassphrase(env) ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase }) };
}

/** The CLI treats an empty passphrase as one, preferred to a file; an empty file name as none. */
const hasPassphrase = (env: NodeJS.ProcessEnv): boolean => env['PULUMI_CONFIG_PASSPHRASE'] !== undefined || Boolean(env['PULUMI_CONFIG_PASSPHRASE_FILE']);

/**
 * Whether a backend was chosen. The CLI decides which of several counts: PULUMI_BACKEND_URL before Pulumi.yaml before `pulumi
 * login`.
 */
function isChosen(env: NodeJS.ProcessEnv): boolean {
  // With a token the CLI logs in to Pulumi's own service by itself.
  return Boolean(env['PULUMI_BACKEND_URL'] || env['PULUMI_ACCESS_TOKEN'] || backendOfProject() || loggedIn(env));
}

/** `backend: url:` of Pulumi.yaml. */
function backendOfProject(): string | undefined {
  const text = fs.readFileSync(path.join(projectDir, 'Pulumi.yaml'), 'utf8');
  try {
    return (yaml.load(text) as { backend?: { url?: string } | null } | null)?.backend?.url || undefined;
  } catch (error) {
    throw new Failure(`Pulumi.yaml is not valid YAML: ${(error as Error).message.split('\n')[0]}.`, ['git diff Pulumi.yaml']);
  }
}

/** A folder relative to the checkout: a preview, which runs from a different folder, would look for it there. */
function absolute(url: string | undefined): Record<string, string> {
  const [, dir] = /^file:\/\/([^/~].*)$/.exec(url ?? '') ?? [];
  return dir === undefined ? {} : { PULUMI_BACKEND_URL: `file://${path.resolve(projectDir, dir)}` };
}

/** Whether `pulumi login` has chosen a backend on this machine. */
function loggedIn(env: NodeJS.ProcessEnv): boolean {
  const dir = env['PULUMI_CREDENTIALS_PATH'] || env['PULUMI_HOME'] || path.join(os.homedir(), '.pulumi');
  try {
    const { current } = JSON.parse(fs.readFileSync(path.join(dir, 'credentials.json'), 'utf8')) as { current?: string };
    return Boolean(current);
  } catch {
    return false;
  }
}
