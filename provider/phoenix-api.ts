import type { PhoenixAccess } from '../components/observability-contract';
import { firstAdmin } from '../components/catalog';
import { Cancelled, cancelled, pause } from './cancellation';
import { from } from './container-reach';
import type { Answer, Reach } from './reach';
import { recordedEngine } from './recorded-engine';

/** A system API key, without the key itself: Phoenix shows that once, to whoever mints it. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  /** ISO 8601. One that is good for ever has none. */
  readonly expires_at?: string;
}

/** Password of the first administrator in a database that was made without one being said. */
const defaultPassword = 'admin';

/** Relay ID of the policy that every project has until it is given another: `ProjectTraceRetentionPolicy:0`. */
const defaultRetentionPolicy = 'UHJvamVjdFRyYWNlUmV0ZW50aW9uUG9saWN5OjA=';

/** Milliseconds that a Phoenix which has just become healthy is given to answer. */
const settling = 30_000;

/**
 * Milliseconds after which what was answered with 429 is asked again, and after which that is given up: Phoenix lets one
 * more login in every 5 s, and none for 300 s to an account that had too many wrong passwords.
 */
const tooMany = { againMs: 5_000, longestMs: 330_000, longestForLoginMs: 30_000 };

/** The parts of Phoenix's API that the stack needs. Every error says what Phoenix answered. */
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

  /** @param end when it ends, in the future. Default: it is good for ever */
  async mint(name: string, description: string, end?: Date): Promise<KeyRecord & { readonly key: string }> {
    const answer = await this.request('POST', '/v1/system/api_keys', { body: { data: { name, description, expires_at: end?.toISOString() ?? null } } });
    return dataOf(`mint the API key ${name}`, answer);
  }

  /** Revokes a key; one that is gone already is no error. */
  async revoke(id: string): Promise<void> {
    const answer = await this.request('DELETE', `/v1/system/api_keys/${encodeURIComponent(id)}`);
    if (answer.status === 0 || (answer.status >= 300 && answer.status !== 404)) {
      throw refused(`revoke the API key ${id}`, answer);
    }
  }

  /** Whether a key opens Phoenix; undefined when it does not say. */
  async accepts(key: string): Promise<boolean | undefined> {
    const { status } = await this.request('GET', '/v1/projects?limit=1', { token: key });
    return status === 200 ? true : status === 401 ? false : undefined;
  }

  /** Waits until Phoenix, which has just been started, answers. @throws Error when it does not within 30 s */
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

  /** How long traces are kept in projects without a policy of their own; 0 keeps them for ever. */
  async setRetention(days: number): Promise<void> {
    const mutation = `mutation ($days: Float!) {
      patchProjectTraceRetentionPolicy(input: {id: "${defaultRetentionPolicy}", rule: {maxDays: {maxDays: $days}}}) { __typename }
    }`;
    await this.graphql('take the retention of traces', mutation, { days });
  }

  /**
   * A database that was made without auth by an earlier version has a first administrator with the
   * password that everybody knows: gives that one this password.
   * @returns whether it was so; undefined where Phoenix takes no login now, because somebody has tried too many wrong passwords
   */
  async replaceDefaultPassword(password: string): Promise<boolean | undefined> {
    const login = await this.request('POST', '/auth/login', { token: '', body: { email: firstAdmin, password: defaultPassword }, longestMs: this.limits.longestForLoginMs });
    if (login.status === 429) {
      return undefined;
    }
    // 401: another password; 403: no login with passwords at all.
    if ([401, 403].includes(login.status)) {
      return false;
    }
    if (login.status === 0 || login.status >= 300) {
      throw refused('say whether the default password still opens it', login);
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

  /** @param token default: the admin secret, where Phoenix asks for credentials; '' sends none */
  private async request(method: string, path: string, { body, token = this.access.auth ? this.access.adminSecret : '', longestMs = this.limits.longestMs }: { body?: object; token?: string; longestMs?: number } = {}): Promise<Answer> {
    for (let waited = 0; ; waited += this.limits.againMs) {
      const answer = await this.reach.ask(`${this.access.url}${path}`, {
        method,
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      if (answer.status === 0 && cancelled.aborted) {
        // Not an answer from which anything follows.
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

/** Nobody answers: Phoenix, its container or the engine is not there. */
export class Unreachable extends Error {}

/** Phoenix does not take the credentials (401), or lets nobody do this (403: auth is off). */
export class Refused extends Error {}

function refused(doing: string, { status, text }: Answer): Error {
  if (status === 0) {
    return new Unreachable(`Phoenix cannot be reached to ${doing}: ${text}`);
  }
  return new (status === 401 || status === 403 ? Refused : Error)(`Phoenix did not ${doing}: it answered ${status} ${text.trim().slice(0, 300)}`);
}
