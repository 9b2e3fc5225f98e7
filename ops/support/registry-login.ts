/**
 * Logins at image registries, from where the docker command line keeps them; `docker:registryAuth` of the stack takes
 * precedence, as in the docker provider. They are sent to the engine in a header, and nowhere else.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { imageReference } from '../../components/image-reference';

export interface Login {
  /** For `X-Registry-Auth`; undefined without a login. */
  readonly header?: string;
  /** Why a login that may exist could not be read. */
  readonly trouble?: string;
}

/** The login for the registry of an image. Never throws: most images need none. */
export type Logins = (reference: string) => Promise<Login>;

/** The engine's format (registry.AuthConfig). */
interface Auth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** `config.json` of the docker command line: the parts about logins. */
interface DockerConfig {
  readonly auths?: Readonly<Record<string, Auth & { readonly auth?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** An entry of `docker:registryAuth`. */
interface RegistryAuth {
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
  readonly authDisabled?: boolean;
  readonly configFile?: string;
  readonly configFileContent?: string;
}

/** Docker Hub's name for logins. */
const hubKey = 'https://index.docker.io/v1/';
const hubHosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];
/** A keychain may ask a person for its password. */
const helperMs = 60_000;

/** @param settings of the stack, with the secrets of `docker:` */
export function loginsOf(settings: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = process.env, home = os.homedir()): Logins {
  const asked = new Map<string, Promise<Login>>();
  return (reference) => {
    const registry = imageReference(reference)?.registry ?? '';
    const known = asked.get(registry) ?? loginAt(registry, settings, env, home).catch((error: Error) => ({ trouble: error.message }));
    asked.set(registry, known);
    return known;
  };
}

async function loginAt(registry: string, settings: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv, home: string): Promise<Login> {
  const key = hubHosts.includes(registry) ? hubKey : registry;
  const file = path.join(env['DOCKER_CONFIG'] || path.join(home, '.docker'), 'config.json');
  const auth = (await fromStack(settings['docker:registryAuth'], registry, env, home))
    ?? inFile(parsed<DockerConfig>(env['DOCKER_AUTH_CONFIG'], 'DOCKER_AUTH_CONFIG'), key)
    ?? (await inConfig(readConfig(file), key, env));
  return auth ? { header: headerOf(auth, key) } : {};
}

/** The engine decodes URL-safe base64, and Docker 20.10 only with padding. */
function headerOf(auth: Auth, serveraddress: string): string {
  return Buffer.from(JSON.stringify({ ...auth, serveraddress })).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

async function fromStack(raw: string | undefined, registry: string, env: NodeJS.ProcessEnv, home: string): Promise<Auth | undefined> {
  const entries = parsed<readonly RegistryAuth[]>(raw, 'docker:registryAuth') ?? [];
  const sameHost = (address: string): boolean => hostOf(address) === registry || (hubHosts.includes(registry) && hubHosts.includes(hostOf(address)));
  const entry = entries.find(({ address }) => sameHost(address));
  if (!entry || entry.authDisabled) {
    return undefined;
  }
  const { username, password = '', configFile, configFileContent, address } = entry;
  if (username) {
    return { username, password };
  }
  const config = configFileContent ? parsed<DockerConfig>(configFileContent, 'configFileContent in docker:registryAuth') : configFile ? readConfig(configFile.replace(/^~(?=\/)/, home)) : undefined;
  return inConfig(config, hubHosts.includes(hostOf(address)) ? hubKey : hostOf(address), env);
}

/**
 * The order of the docker command line: the credential helper that is set for the registry, else the one for all, else the file
 * itself.
 */
async function inConfig(config: DockerConfig | undefined, key: string, env: NodeJS.ProcessEnv): Promise<Auth | undefined> {
  const helper = config?.credHelpers?.[key] ?? config?.credsStore;
  return helper ? askHelper(helper, key, env) : inFile(config, key);
}

function inFile(config: DockerConfig | undefined, key: string): Auth | undefined {
  const auths = config?.auths ?? {};
  const entry = auths[key] ?? Object.entries(auths).find(([address]) => hostOf(address) === key)?.[1];
  if (!entry) {
    return undefined;
  }
  const { auth, username, password, identitytoken, registrytoken } = entry;
  const [, user = username, secret = password] = /^([^:]+):([^]*?)\0*$/.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  const found = { ...(user ? { username: user, password: secret ?? '' } : {}), ...(identitytoken ? { identitytoken } : {}), ...(registrytoken ? { registrytoken } : {}) };
  return Object.keys(found).length > 0 ? found : undefined;
}

/** `docker-credential-NAME get`: the registry on stdin, the login as JSON on stdout (docker-credential-helpers). */
async function askHelper(name: string, key: string, env: NodeJS.ProcessEnv): Promise<Auth | undefined> {
  const program = `docker-credential-${name}`;
  const child = spawn(program, ['get'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  // The timeout of `spawn` continues if the program does not exist, and keeps this process alive.
  const patience = setTimeout(() => child.kill(), helperMs);
  const ended = new Promise<{ code: number | null; text: string }>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('error', (error: NodeJS.ErrnoException) => reject(new Error(`${program} ${error.code === 'ENOENT' ? 'is not on PATH' : `does not run (${error.code ?? error.message})`}`)));
    child.on('close', (code) => resolve({ code, text }));
  });
  // It may have ended without reading.
  child.stdin.on('error', () => {});
  child.stdin.end(key);
  const { code, text } = await ended.finally(() => clearTimeout(patience));
  if (code !== 0) {
    if (text.trim() === 'credentials not found in native keychain') {
      return undefined;
    }
    throw new Error(`${program} gives no login for ${key} (${text.trim().split('\n')[0]?.slice(0, 200) || `it ended with ${code ?? 'no answer'}`})`);
  }
  const { Username, Secret } = parsed<{ Username?: string; Secret?: string }>(text, `the answer of ${program}`) ?? {};
  return Username === '<token>' ? { identitytoken: Secret ?? '' } : { username: Username ?? '', password: Secret ?? '' };
}

function readConfig(file: string): DockerConfig | undefined {
  try {
    return parsed<DockerConfig>(fs.readFileSync(file, 'utf8'), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw code ? new Error(`${file} cannot be read (${code})`) : error;
  }
}

/** Reports the position, and nothing of the content: these are secrets. */
function parsed<T>(text: string | undefined, where: string): T | undefined {
  if (text === undefined || text.trim() === '') {
    return undefined;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Error(`${where} is not JSON`);
  }
}

/** The host of an address that may be a URL (ConvertToHostname of the docker command line). */
function hostOf(address: string): string {
  return URL.canParse(address) && /^\w+:\/\//.test(address) ? new URL(address).host : (address.split('/')[0] ?? '');
}
