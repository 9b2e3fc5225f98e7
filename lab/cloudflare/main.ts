/**
 * A separate Cloudflare in one process: an account, its API, its edge, and a port to control them.
 * The argument is a JSON file, a `Config`.
 */
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import { text } from 'node:stream/consumers';
import { Account, type DnsRecord, type Rights, type ServiceToken, type Tunnel, type Zone } from './account';
import type { Application, Policy } from './admission';
import { api } from './api';
import { Edge, modes, type Mode, type Ports } from './edge';
import type { IngressRule } from './ingress';

/** What an account is created with, in JSON. */
export type AccountOptions = Omit<ConstructorParameters<typeof Account>[0], 'now'>;

export interface Config {
  readonly account: AccountOptions;
  /** Name of the Access team. */
  readonly team: string;
  readonly ports: Ports & { readonly api: number; readonly control: number };
  /** Path of the edge's private key. */
  readonly key: string;
  /** Path of the edge's certificate. */
  readonly cert: string;
}

/** What exists in the account. Nothing in it is secret. */
export interface Inventory {
  readonly id: string;
  readonly zones: readonly Zone[];
  readonly tunnels: readonly (Pick<Tunnel, 'id' | 'name' | 'connections'> & { readonly ingress: readonly IngressRule[] })[];
  readonly records: readonly Pick<DnsRecord, 'id' | 'type' | 'name' | 'content' | 'proxied'>[];
  readonly applications: readonly Application[];
  readonly policies: readonly Policy[];
  readonly serviceTokens: readonly (Pick<ServiceToken, 'id' | 'name' | 'clientId' | 'enabled'> & { readonly expires: string })[];
}

function inventory({ id, zones, tunnels, configurations, records, applications, policies, serviceTokens }: Account): Inventory {
  return {
    id,
    zones,
    tunnels: [...tunnels.values()].filter(({ deleted }) => deleted === null)
      .map(({ id: tunnel, name, connections }) => ({ id: tunnel, name, connections, ingress: configurations.get(tunnel)?.config.ingress ?? [] })),
    records: [...records.values()].map(({ id: record, type, name, content, proxied }) => ({ id: record, type, name, content, proxied })),
    applications: [...applications.values()],
    policies: [...policies.values()],
    serviceTokens: [...serviceTokens.values()]
      .map(({ id: token, name, clientId, enabled, expires }) => ({ id: token, name, clientId, enabled, expires: expires.toISOString() })),
  };
}

/** JSON in, JSON out. */
function control(account: Account, edge: Edge): http.RequestListener {
  const actions: Readonly<Record<string, (body: string) => unknown>> = {
    'POST /mode': (body) => {
      const { hostname, mode } = JSON.parse(body) as { hostname?: string; mode?: Mode };
      if (!hostname || !mode || !modes.includes(mode)) {
        throw new Error(`a hostname, and a mode of ${modes.join(', ')}`);
      }
      edge.setMode(hostname, mode);
      console.log(`${hostname}: ${mode}`);
      return {};
    },
    'GET /counts': () => edge.counts(),
    'POST /forget': () => {
      edge.forget();
      return {};
    },
    'POST /token': (body) => ({ token: account.issueToken((JSON.parse(body) as { rights?: Rights }).rights) }),
    'GET /account': () => inventory(account),
  };
  return async (request, response) => {
    const answer = (status: number, body: unknown): unknown => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const action = actions[`${request.method} ${request.url}`];
    if (!action) {
      answer(404, { error: `there is ${Object.keys(actions).join(', ')}` });
      return;
    }
    try {
      answer(200, action(await text(request)));
    } catch (error) {
      answer(400, { error: (error as Error).message });
    }
  };
}

async function main(file: string): Promise<void> {
  const config = JSON.parse(readFileSync(file, 'utf8')) as Config;
  const account = new Account(config.account);
  const edge = new Edge(account, { team: config.team, key: readFileSync(config.key), cert: readFileSync(config.cert) });
  await edge.listen(config.ports);
  // An error of a server without a listener ends the process, which is right.
  http.createServer(api(account)).listen(config.ports.api);
  http.createServer(control(account, edge)).listen(config.ports.control);
  // The first process of a container ignores a signal for which it has no handler.
  process.once('SIGTERM', () => process.exit());
}

main(process.argv[2] ?? '').catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
