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

/** Where the state is kept in files, as things are; undefined where somebody has chosen a backend. Changes nothing. */
export function localState(env: NodeJS.ProcessEnv = process.env, places = usualPlaces(env)): StateFolder | undefined {
  return isChosen(env) ? undefined : currentFolder(places);
}

/**
 * Where Pulumi keeps the stack's state: what the environment, Pulumi.yaml or `pulumi login` say, else files of this user,
 * their secrets encrypted with a passphrase that is generated once.
 * @param places where those files go
 * @returns environment variables for the Pulumi CLI
 */
export function backendEnvironment(env: NodeJS.ProcessEnv = process.env, places = usualPlaces(env)): Record<string, string> {
  if (isChosen(env)) {
    return absolute(env['PULUMI_BACKEND_URL'] || backendOfProject());
  }
  const folder = settledFolder(places);
  const { dir, passphrase } = folder;
  if (!hasPassphrase(env) && !fs.existsSync(passphrase)) {
    // `wx`: of two runs at once, one writes it and the other takes what is there.
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

/** For the CLI an empty passphrase is one, and wins over a file; an empty name of a file is none. */
const hasPassphrase = (env: NodeJS.ProcessEnv): boolean => env['PULUMI_CONFIG_PASSPHRASE'] !== undefined || Boolean(env['PULUMI_CONFIG_PASSPHRASE_FILE']);

/**
 * Whether somebody has chosen where the state is. Which of several counts is for the CLI to say: PULUMI_BACKEND_URL before
 * Pulumi.yaml before `pulumi login`.
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
    throw new Failure(`Pulumi.yaml is no YAML: ${(error as Error).message.split('\n')[0]}.`, ['git diff Pulumi.yaml']);
  }
}

/** A folder relative to the checkout, which a preview would look for in the folder of its own from which it runs. */
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
