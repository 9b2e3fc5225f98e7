import * as os from 'node:os';
import { engineAt, whyNoAddress, withoutPassword } from './address';
import { certificatesFor, unused } from './certificates';
import { configDir, currentContext, readContext, type Context } from './context';
import { at, defaultSocket, type Engine, type Tls } from './engine';
import { findSocket } from './sockets';
import { whyUnusable } from './tls';
import { misleading } from './variables';

/** The settings of a stack that select its engine. */
export interface EngineSettings {
  readonly 'docker:host'?: string | undefined;
  readonly 'docker:context'?: string | undefined;
  readonly 'docker:certPath'?: string | undefined;
  readonly 'docker:caMaterial'?: string | undefined;
  readonly 'docker:certMaterial'?: string | undefined;
  readonly 'docker:keyMaterial'?: string | undefined;
  readonly 'docker:sshOpts'?: readonly string[] | undefined;
}

/** Why an engine cannot be used as requested; fits a `Problem` of the settings. */
export interface EngineProblem {
  /** The setting or the environment variable at fault. */
  readonly key: string;
  readonly value?: string;
  /** The rest of a sentence that began with key and value. */
  readonly rule: string;
  /** Commands that fix it, one a line. */
  readonly mend: readonly string[];
}

export interface Choice {
  readonly engine: Engine;
  /** What selected it, in a person's words: "docker:host", "DOCKER_HOST", "docker context colima", "Podman". */
  readonly source: string;
  readonly problems: readonly EngineProblem[];
}

/** The surroundings of the program. Tests replace them. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** Default: /var/run/docker.sock. */
  readonly usualSocket?: string;
}

const useDefault = `export DOCKER_HOST=unix://${defaultSocket}`;

/**
 * Which Docker Engine a stack is deployed to, and how it is reached: the single source for the provider, the checks and every
 * command. In this order: `docker:host` or `docker:context` of the stack, `DOCKER_HOST`, `DOCKER_CONTEXT`, the context selected
 * with `docker context use`, and a socket (docker/cli's resolveContextName; the settings take the place of its options). Reads
 * files and the environment, and contacts no engine. If there are problems, the engine must not be used.
 */
export function chooseEngine(settings: EngineSettings, where: Surroundings = { env: process.env, home: os.homedir() }): Choice {
  const choice = chosen(settings, where);
  return { ...choice, problems: [...choice.problems, ...(choice.problems.length === 0 ? misleading(choice.engine, where.env) : [])] };
}

function chosen(settings: EngineSettings, where: Surroundings): Choice {
  const { env, home } = where;
  const { 'docker:host': host, 'docker:context': context } = settings;
  if (host !== undefined && context !== undefined) {
    const rule = 'docker:host is set as well, and each of them names an engine';
    return broken('docker:host', 'docker:context', context, rule, ['pulumi config rm docker:context', 'pulumi config rm docker:host']);
  }
  if (host !== undefined) {
    return byAddress('docker:host', host, settings, where);
  }
  if (context !== undefined) {
    return byContext('docker:context', context, settings, where);
  }
  if (env['DOCKER_HOST']) {
    return byAddress('DOCKER_HOST', env['DOCKER_HOST'], settings, where);
  }
  if (env['DOCKER_CONTEXT']) {
    return byContext('DOCKER_CONTEXT', env['DOCKER_CONTEXT'], settings, where);
  }
  try {
    return byContext('docker context', currentContext(configDir(env, home)) ?? noContext, settings, where);
  } catch (error) {
    const rule = `it holds the configuration of the docker command line, which says what engine is in use, and ${(error as Error).message}`;
    return broken('docker context', 'DOCKER_CONFIG', configDir(env, home), rule, ['docker context show', useDefault]);
  }
}

function byAddress(source: 'docker:host' | 'DOCKER_HOST', address: string, settings: EngineSettings, where: Surroundings): Choice {
  const wrong = whyNoAddress(address);
  if (wrong) {
    return broken(source, source, address, wrong, [source === 'docker:host' ? `pulumi config set docker:host unix://${defaultSocket}` : useDefault]);
  }
  const { tls, problems } = address.startsWith('tcp:')
    ? certificatesFor(settings, where)
    : { tls: undefined, problems: unused(settings, `certificates are for an engine at tcp://…, and this one is ${address}`) };
  return withSsh({ engine: engineAt(address, tls), source, problems }, settings, where);
}

/** The name of the context that means no context. */
const noContext = 'default';

type ContextSource = 'docker:context' | 'DOCKER_CONTEXT' | 'docker context';
const leaving: Readonly<Record<ContextSource, string>> = {
  'docker:context': 'pulumi config rm docker:context',
  DOCKER_CONTEXT: 'unset DOCKER_CONTEXT',
  'docker context': `docker context use ${noContext}`,
};

function byContext(source: ContextSource, name: string, settings: EngineSettings, where: Surroundings): Choice {
  const { env, home, usualSocket } = where;
  if (name === noContext) {
    const socket = findSocket(env, home, usualSocket);
    const problems = unused(settings, `certificates are for an engine at tcp://…, and this one is unix://${socket.path}`);
    return withSsh({ engine: at(`unix://${socket.path}`), source: socket.name, problems }, settings, where);
  }
  const label = `docker context ${name}`;
  const dir = configDir(env, home);
  let context: Context | undefined;
  try {
    context = readContext(dir, name);
  } catch (error) {
    return broken(label, source, name, (error as Error).message, [leaving[source]]);
  }
  if (!context) {
    return broken(label, source, name, `there is no docker context of that name in ${dir}`, ['docker context ls', leaving[source]]);
  }
  const { tls, wrong } = usable(context);
  if (wrong) {
    return broken(label, source, name, wrong, [`docker context inspect ${name}`, leaving[source]]);
  }
  const problems = unused(settings, `docker context ${name} has its own certificates`);
  return withSsh({ engine: engineAt(context.host, tls), source: label, problems }, settings, where);
}

/** The certificates of a context, or why it cannot be used. */
function usable({ host, certPath, skipsVerify }: Context): { tls?: Tls; wrong?: string | undefined } {
  if (host === '') {
    return { wrong: 'it names no Docker Engine' };
  }
  if (skipsVerify) {
    return { wrong: "it does not check the engine's certificate, and the docker provider has no such option" };
  }
  const tls = certPath !== undefined && host.startsWith('tcp:') ? { certPath } : undefined;
  const wrong = whyNoAddress(host) ?? (tls && whyUnusable(tls));
  return { ...(tls ? { tls } : {}), wrong };
}

function broken(source: string, key: string, value: string, rule: string, mend: readonly string[]): Choice {
  return { engine: at(`unix://${defaultSocket}`), source, problems: [{ key, value: withoutPassword(value), rule, mend }] };
}

/** With the arguments for `ssh`: from the setting, else from the variable that the docker provider reads. */
function withSsh(choice: Choice, settings: EngineSettings, { env }: Surroundings): Choice {
  const set = settings['docker:sshOpts'];
  const { engine, problems } = choice;
  if (!engine.host.startsWith('ssh:')) {
    const rule = `these are options of ssh, and the engine is ${engine.host}`;
    return set === undefined ? choice : { ...choice, problems: [...problems, { key: 'docker:sshOpts', rule, mend: ['pulumi config rm docker:sshOpts'] }] };
  }
  // With an empty list the provider would still read the variable.
  const sshOpts = set?.length ? set : env['DOCKER_SSH_OPTS']?.split(/\s+/).filter(Boolean) ?? [];
  return sshOpts.length === 0 ? choice : { ...choice, engine: { ...engine, sshOpts } };
}
