import type { PhoenixAccess } from '../components/observability-contract';
import { firstAdmin } from '../components/catalog';
import { Cancelled, cancelled, pause } from './cancellation';
import { from } from './container-reach';
import type { Answer, Reach } from './reach';
import { recordedEngine } from './recorded-engine';

/** A system API key, without the key itself: Phoenix shows that once, when it creates it. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  /** ISO 8601. A key that never expires has none. */
  readonly expires_at?: string;
}

/** Password of the first administrator in a database that was created without one being set. */
const defaultPassword = 'admin';

/** Relay ID of the policy that every project has until it gets a different one: `ProjectTraceRetentionPolicy:0`. */
const defaultRetentionPolicy = 'UHJvamVjdFRyYWNlUmV0ZW50aW9uUG9saWN5OjA=';

/** Milliseconds that a newly healthy Phoenix has to respond. */
const settling = 30_000;

/**
 * Milliseconds after which a request that got 429 is retried, and after which it is given up: Phoenix allows one more login
 * every 5 s, and none for 300 s to an account with too many wrong passwords.
 */
const tooMany = { againMs: 5_000, longestMs: 330_000, longestForLoginMs: 30_000 };

/** The parts of Phoenix's API that the stack needs. Every error contains Phoenix's response. */
export class PhoenixApi {
  private readonly reach: Reach;

  constructor(private readonly access: PhoenixAccess, reach?: Reach, private readonly limits = tooMany) {
    this.reach = reach ?? from(recordedEngine(access.engine), access.container);
  }

  close(): void {
    this.reach.close();
  }

  async keys(): Promise<readonly KeyRecord[]> {
    const answer = await this.request('GET', '/v1/system/api_keys');
    return dataOf<readonly KeyRecord[]>('list its API keys', answer);
  }

  /** @param end when it expires, in the future. Default: never */
  async mint(name: string, description: string, end?: Date): Promise<KeyRecord & { readonly key: string }> {
    const answer = await this.request('POST', '/v1/system/api_keys', { body: { data: { name, description, expires_at: end?.toISOString() ?? null } } });
    return dataOf(`create the API key ${name}`, answer);
  }

  /** Revokes a key; one that no longer exists is no error. */
  async revoke(id: string): Promise<void> {
    const answer = await this.request('DELETE', `/v1/system/api_keys/${encodeURIComponent(id)}`);
    if (answer.status === 0 || (answer.status >= 300 && answer.status !== 404)) {
      throw refused(`revoke the API key ${id}`, answer);
    }
  }

  /** Whether Phoenix accepts a key; undefined if it does not say. */
  async accepts(key: string): Promise<boolean | undefined> {
    const { status } = await this.request('GET', '/v1/projects?limit=1', { token: key });
    return status === 200 ? true : status === 401 ? false : undefined;
  }

  /** Waits until a newly started Phoenix responds. @throws Error if it does not within 30 s */
  async ready(): Promise<void> {
    const deadline = Date.now() + settling;
    for (;;) {
      const answer = await this.request('GET', '/readyz', { token: '' });
      if (answer.status === 200) {
        return;
      }
      if (Date.now() > deadline) {
        throw refused('become ready', answer);
      }
      await pause(250);
    }
  }

  /** How long traces are kept in projects without their own policy; 0 keeps them forever. */
  async setRetention(days: number): Promise<void> {
    const mutation = `mutation ($days: Float!) {
      patchProjectTraceRetentionPolicy(input: {id: "${defaultRetentionPolicy}", rule: {maxDays: {maxDays: $days}}}) { __typename }
    }`;
    await this.graphql('set the retention of traces', mutation, { days });
  }

  /**
   * A database that an earlier version created without auth has a first administrator with the default password, which
   * everybody knows: replaces it with this password.
   * @returns whether it was so; undefined if Phoenix accepts no login now, because of too many wrong passwords
   */
  async replaceDefaultPassword(password: string): Promise<boolean | undefined> {
    const login = await this.request('POST', '/auth/login', { token: '', body: { email: firstAdmin, password: defaultPassword }, longestMs: this.limits.longestForLoginMs });
    if (login.status === 429) {
      return undefined;
    }
    // 401: a different password; 403: no login with passwords at all.
    if ([401, 403].includes(login.status)) {
      return false;
    }
    if (login.status === 0 || login.status >= 300) {
      throw refused('check whether the default password still works', login);
    }
    const { users } = await this.graphql<{ users: { edges: { node: { id: string; email: string } }[] } }>(
      'list its users', '{ users(first: 1000) { edges { node { id email } } } }', {},
    );
    const id = users.edges.find(({ node }) => node.email === firstAdmin)?.node.id;
    const mutation = 'mutation ($id: ID!, $password: String!) { patchUser(input: {userId: $id, newPassword: $password}) { __typename } }';
    await this.graphql('change the default password', mutation, { id, password });
    return true;
  }

  private async graphql<T>(doing: string, query: string, variables: object): Promise<T> {
    const answer = await this.request('POST', '/graphql', { body: { query, variables } });
    if (answer.status !== 200) {
      throw refused(doing, answer);
    }
    const { data, errors } = JSON.parse(answer.text) as { data: T; errors?: { message: string }[] };
    if (errors?.length) {
      throw refused(doing, { status: 200, text: errors.map(({ message }) => message).join('; ') });
    }
    return data;
  }

  /** @param token default: the admin secret, if Phoenix requires credentials; '' sends none */
  private async request(method: string, path: string, { body, token = this.access.auth ? this.access.adminSecret : '', longestMs = this.limits.longestMs }: { body?: object; token?: string; longestMs?: number } = {}): Promise<Answer> {
    for (let waited = 0; ; waited += this.limits.againMs) {
      const answer = await this.reach.ask(`${this.access.url}${path}`, {
        method,
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (answer.status === 0 && cancelled.aborted) {
        // Nothing can be concluded from this response.
        throw new Cancelled();
      }
      if (answer.status !== 429 || waited >= longestMs) {
        return answer;
      }
      await pause(this.limits.againMs);
    }
  }
}

function dataOf<T>(doing: string, answer: Answer): T {
  if (answer.status !== 200 && answer.status !== 201) {
    throw refused(doing, answer);
  }
  return (JSON.parse(answer.text) as { data: T }).data;
}

/** Nobody responds: Phoenix, its container or the engine is not there. */
export class Unreachable extends Error {}

/** Phoenix does not accept the credentials (401), or allows this to nobody (403: auth is off). */
export class Refused extends Error {}

/** Phoenix answers with an error of its own, as it does while it cannot reach its database. */
export class Broken extends Error {}

function refused(doing: string, { status, text }: Answer): Error {
  if (status === 0) {
    return new Unreachable(`Phoenix cannot be reached to ${doing}: ${text}`);
  }
  return new (status === 401 || status === 403 ? Refused : status >= 500 ? Broken : Error)(`Phoenix did not ${doing}: it answered ${status} ${text.trim().slice(0, 300)}`);
}
