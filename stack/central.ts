/**
 * The stack to which one at the edge sends, as described by its outputs.
 */
import * as pulumi from '@pulumi/pulumi';
import type { Backend } from '../components/backend';
import { shortName } from '../components/names';
import { endsOn, nearness } from '../settings/ending';
import { edgeKeys } from '../settings/edge';
import type { Remote, RemoteAccess } from '../settings/edge-access';
import { setCommand } from '../settings/setting';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';

/** The central stack as one at the edge sees it. */
export interface Central {
  readonly backend: Backend;
  /** Headers for reading a trace from its Phoenix, secret. */
  readonly reader: pulumi.Output<Record<string, string>>;
  /** Host of its receiver. */
  readonly hostname: string;
  /** Largest accepted request, unpacked. */
  readonly requestMiB: number;
}

export interface Found {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  /** Undefined when there is a problem. */
  readonly remote?: Remote;
}

/**
 * Checks whether the central stack has what this one needs.
 * @param read outputs of a stack; rejects if there is no such stack. Default: from `edge:access`, or else from the engine
 */
export async function inspectCentral(settings: Settings, read = readerFor(settings), now = Date.now()): Promise<Found> {
  const stack = settings['edge:central'] ?? '';
  const [sendTo, token] = [settings['edge:sendTo'], settings['edge:token']];
  const refused = (key: string, value: string, rule: string, ...mend: string[]): Found => ({ problems: [{ key, value, rule, mend }], warnings: [] });
  const name = shortName(stack);
  const setHere = (what: string): string => `pulumi config set ${what} --stack ${name}`;
  const given = settings['edge:access'] !== undefined;
  // If somebody else manages the central stack.
  const invited = given ? [`npm run invite -- --stack ${name} --token ${token}`, setCommand('edge:access', edgeKeys['edge:access'])] : [];
  const redeploy = `npm run up -- --stack ${name}`;

  const its = settings['edge:access']?.stack;
  if (its !== undefined && shortName(its) !== name) {
    return refused('edge:central', stack, `edge:access is of the stack ${its}`, `pulumi config set edge:central ${its}`, setCommand('edge:access', edgeKeys['edge:access']));
  }
  let remote: Remote | undefined;
  try {
    remote = (await read(stack))['remote'] as Remote | undefined;
  } catch (error) {
    return refused('edge:central', stack, `its outputs cannot be read: ${reasonOf(error as Error)}`, 'npm run pulumi -- stack ls', 'pulumi config set edge:central prod');
  }
  if (!remote) {
    return refused('edge:central', stack, 'that stack publishes no receiver for other hosts: it is not deployed, is itself at the edge, or was deployed by an older version of this program', redeploy);
  }
  const endpoint = remote.otlp[sendTo];
  const setting = { alloy: 'tunnel:otlpHostname otlp.example.com', phoenix: 'tunnel:phoenixOtlpHostname phoenix-otlp.example.com' }[sendTo];
  const other = sendTo === 'alloy' ? 'phoenix' : 'alloy';
  if (endpoint === null) {
    return refused('edge:sendTo', sendTo, `the stack ${stack} does not publish that`,
      setHere(setting), redeploy, ...invited, ...(remote.otlp[other] ? [`pulumi config set edge:sendTo ${other}`] : []));
  }
  const names = Object.keys(remote.tokens);
  const known = names.includes(token) ? remote.tokens[token] : undefined;
  if (!known) {
    return refused('edge:token', token, `the stack ${stack} has no such service token, only ${names.join(', ')}`,
      `pulumi config set edge:token ${names[0] ?? 'edge'}`, `${setHere(`tunnel:serviceTokens ${[...names, token].join(',')}`)} && ${redeploy}`, ...invited);
  }
  const ends = [
    { what: 'service token', end: known.expiresAt, rotated: `token:${token}`, refuser: 'Cloudflare', isShown: true },
    // Not sent to Alloy: a check only reads its trace back with it.
    ...(remote.auth ? [{ what: 'API key', end: known.keyExpiresAt ?? '', rotated: token, refuser: 'Phoenix', isShown: sendTo === 'phoenix' }] : []),
  ].filter(({ end }) => nearness(end, now) !== 'far');
  // Both were created together, and expire together.
  const renew = [[redeploy, ...ends.map(({ rotated }) => `--rotate ${rotated}`)].join(' '), ...invited];
  const past = ends.find(({ end, isShown }) => isShown && nearness(end, now) === 'past');
  if (past) {
    return refused('edge:token', token, `that ${past.what} of the stack ${stack} ${endsOn(past.end, now)}; ${past.refuser} rejects it`, ...renew);
  }
  return {
    problems: [],
    warnings: ends.map(({ what, end }) => `the ${what} ${token} of the stack ${stack} ${endsOn(end, now)}: ${renew.join(' && ')}, then deploy this stack`),
    remote,
  };
}

/** The central stack as a backend. */
export function centralOf(settings: Settings, remote: Remote): Central {
  const stack = settings['edge:central'] ?? '';
  const [sendTo, token] = [settings['edge:sendTo'], settings['edge:token']];
  const endpoint = remote.otlp[sendTo] ?? '';
  const access = pulumi.secret(
    accessTo(stack, settings).apply((all: RemoteAccess) => all[token] ?? { clientId: '', clientSecret: '', apiKey: '' }));
  const badge = { 'cf-access-client-id': access.apply(({ clientId }) => clientId), 'cf-access-client-secret': access.apply(({ clientSecret }) => clientSecret) };
  // Also without auth there, when Phoenix ignores it: switching auth on or off leaves Alloy unchanged.
  const key = { authorization: access.apply(({ apiKey }) => `Bearer ${apiKey === '' ? 'none' : apiKey}`) };
  return {
    backend: {
      name: 'central',
      // Alloy forwards each signal; Phoenix accepts only traces.
      signals: ({ alloy: ['traces', 'metrics', 'logs'], phoenix: ['traces'] } as const)[sendTo],
      protocol: 'otlphttp',
      endpoint,
      tunnelled: true,
      headers: { ...badge, ...{ alloy: {}, phoenix: key }[sendTo] },
    },
    reader: pulumi.secret(pulumi.all({ ...badge, ...(remote.auth ? key : {}) })),
    hostname: new URL(endpoint).hostname,
    requestMiB: remote.requestMiB ?? 64,
  };
}

function accessTo(stack: string, { 'edge:access': given }: Settings): pulumi.Output<RemoteAccess> {
  return given === undefined ? (new pulumi.StackReference('central', { name: stack }).requireOutput('remoteAccess') as pulumi.Output<RemoteAccess>) : pulumi.output(given.remoteAccess);
}

const readerFor = ({ 'edge:access': given }: Settings): ((stack: string) => Promise<Record<string, unknown>>) => (given === undefined ? outputsOf : async () => ({ ...given }));

/** Outputs of another stack from the engine; a StackReference that fails would end the program without a message of ours. */
async function outputsOf(stack: string): Promise<Record<string, unknown>> {
  const { outputs } = (await pulumi.runtime.invoke('pulumi:pulumi:readStackOutputs', { name: stack })) as { outputs: Record<string, unknown> };
  return outputs;
}

/** The engine's reason, without its prefix about the invocation. */
const reasonOf = ({ message }: Error): string => (message.split('\n')[0] ?? '').replace(/^invocation of \S+ returned an error: /, '').trim();
