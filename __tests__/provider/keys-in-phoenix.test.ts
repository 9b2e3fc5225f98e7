/**
 * The keys of a stack over deployments that rotate, remove, switch and are cut off, in any combination, in a Phoenix that
 * answers as the real one does: 401 to a secret that it does not know and to a key that has ended, which it forgets soon after,
 * 422 to an end that is past, 403 about keys without auth, 404 for a key that is gone.
 */
import { at } from '../../engine';
import { apiKey, type ApiKeyOutputs } from '../../provider/api-key';
import type { ApiKeyInputs } from '../../components/observability-contract';
import { apiKeyList } from '../../provider/api-key-list';
import type { ApiKeyListInputs } from '../../components/observability-contract';
import { PhoenixApi } from '../../provider/phoenix-api';
import type { PhoenixAccess } from '../../components/observability-contract';
import type { Answer, Question } from '../../provider/reach';

const description = 'made by Pulumi stack p/dev';

/** What a deployment wants of Phoenix and its keys. */
interface Wanted {
  readonly auth: boolean;
  readonly adminSecret: string;
  readonly secret: string;
  readonly keys: readonly string[];
  /** Hours for which keys are good that are minted now. Default: nothing is said of it. */
  readonly hours?: number;
  /** Keys that are replaced. */
  readonly rotated?: readonly string[];
}

class CutOff extends Error {}

/** A database with keys, and Phoenix in front of it as it was last started. */
class Phoenix {
  readonly keys: { id: string; name: string; description: string; key: string; signedWith: string; end: number }[] = [];
  now = Date.parse('2026-11-21T08:00:00Z');
  /** Changes that were asked for and made. */
  changes = 0;
  private minted = 0;
  private asked = 0;
  private cut = Infinity;
  private started: Wanted = { auth: false, adminSecret: '', secret: '', keys: [] };

  start(wanted: Wanted): void {
    this.started = wanted;
  }

  /** Whoever asks is gone after this many requests, before the last answer is there. */
  cutAfter(requests: number): void {
    [this.asked, this.cut] = [0, requests];
  }

  /** Hours go by, and Phoenix looks after its keys. */
  later(hours: number): void {
    this.now += hours * 3_600_000;
    this.keys.splice(0, Infinity, ...this.keys.filter(({ end }) => end > this.now));
  }

  add(name: string, of: string, end = Infinity): string {
    this.minted += 1;
    this.keys.push({ id: `id-${this.minted}`, name, description: of, key: `key-${this.minted}`, signedWith: this.started.secret, end });
    return `key-${this.minted}`;
  }

  opens(key: string): boolean {
    return !this.started.auth || key === this.started.adminSecret || this.keys.some((one) => one.key === key && one.signedWith === this.started.secret && one.end > this.now);
  }

  readonly api = (access: PhoenixAccess): PhoenixApi =>
    new PhoenixApi(access, {
      ask: async (url, question = {}) => {
        this.asked += 1;
        const answer = this.answer(new URL(url).pathname, question);
        if (this.asked >= this.cut) {
          throw new CutOff();
        }
        return answer;
      },
      close() {},
    });

  private answer(path: string, { method = 'GET', headers = {}, body = '' }: Question): Answer {
    const said = (status: number, data?: unknown): Answer => ({ status, text: typeof data === 'string' ? data : JSON.stringify({ data }) });
    const token = (headers['authorization'] ?? '').replace('Bearer ', '');
    if (path === '/readyz') {
      return said(200, []);
    }
    if (!this.opens(token)) {
      return said(401, 'Invalid token');
    }
    if (path === '/v1/projects') {
      return said(200, []);
    }
    if (!this.started.auth) {
      return said(403, 'Authentication is disabled');
    }
    if (method === 'POST') {
      const { data } = JSON.parse(body) as { data: { name: string; description: string; expires_at: string | null } };
      const end = data.expires_at === null ? Infinity : Date.parse(data.expires_at);
      if (end <= this.now) {
        return said(422, 'Value error, Expiration time must be in the future');
      }
      this.changes += 1;
      const key = this.add(data.name, data.description, end);
      const { id } = this.keys.find((one) => one.key === key) ?? {};
      return said(201, { id, name: data.name, description: data.description, ...(end === Infinity ? {} : { expires_at: new Date(end).toISOString().replace('Z', '000+00:00') }), key });
    }
    if (method === 'DELETE') {
      const index = this.keys.findIndex(({ id }) => path.endsWith(`/${id}`));
      if (index < 0) {
        return said(404, 'not found');
      }
      this.changes += 1;
      this.keys.splice(index, 1);
      return said(204);
    }
    return said(200, this.keys.map(({ id, name, description: of, end }) => ({ id, name, description: of, ...(end === Infinity ? {} : { expires_at: new Date(end).toISOString() }) })));
  }
}

/** A stack: what the engine has recorded, and what it does in a deployment, in its order. */
class Stack {
  readonly keys = new Map<string, ApiKeyOutputs>();
  /** Replaced, and not deleted yet. */
  readonly pending: ApiKeyOutputs[] = [];
  private list: ApiKeyListInputs | undefined;
  private readonly apiKey;
  private readonly apiKeyList;

  constructor(private readonly phoenix: Phoenix) {
    this.apiKey = apiKey(phoenix.api, () => phoenix.now);
    this.apiKeyList = apiKeyList(phoenix.api);
  }

  async deploy(wanted: Wanted): Promise<void> {
    const { auth, adminSecret, secret, keys, rotated = [], hours } = wanted;
    this.phoenix.start(wanted);
    const access = { engine: at('unix:///docker.sock'), container: 'phoenix', url: 'http://phoenix:6006', auth, adminSecret, description, server: `${auth} ${adminSecret} ${secret}` };
    for (const name of keys) {
      const inputs: ApiKeyInputs = { ...access, name, signedWith: secret, ...(hours === undefined || name === 'alloy' ? {} : { hours }) };
      const before = this.keys.get(name);
      if (!before || rotated.includes(name)) {
        const made = await this.apiKey.create(inputs);
        this.keys.set(name, made);
        this.pending.push(...(before ? [before] : []));
      } else if ((differ(inputs, before) && !this.apiKey.same?.(before, inputs)) || (await this.apiKey.drifted?.(before))) {
        this.keys.set(name, await this.apiKey.update(before, inputs));
      }
    }
    const inputs: ApiKeyListInputs = { ...access, keyIds: keys.map((name) => this.keys.get(name)?.keyId ?? '') };
    if (!this.list) {
      this.list = await this.apiKeyList.create(inputs);
    } else if (differ(inputs, this.list) || (await this.apiKeyList.drifted?.(this.list))) {
      this.list = await this.apiKeyList.update(this.list, inputs);
    }
    for (const [name, outputs] of [...this.keys].filter(([one]) => !keys.includes(one))) {
      await this.apiKey.delete?.(outputs);
      this.keys.delete(name);
    }
    for (const outputs of [...this.pending]) {
      await this.apiKey.delete?.(outputs);
      this.pending.shift();
    }
  }
}

const differ = (inputs: object, before: object): boolean => Object.entries(inputs).some(([name, value]) => JSON.stringify(value) !== JSON.stringify((before as Record<string, unknown>)[name]));

const first: Wanted = { auth: true, adminSecret: 'admin-1', secret: 'secret-1', keys: ['alloy', 'one', 'two'] };

/** A stack with keys in a Phoenix where people, and another stack, have made some as well. */
async function deployed(): Promise<{ phoenix: Phoenix; stack: Stack; others: string[] }> {
  const phoenix = new Phoenix();
  phoenix.start(first);
  const others = [phoenix.add('alloy', ''), phoenix.add('alloy', 'my laptop'), phoenix.add('one', 'made by Pulumi stack p/prod')];
  const stack = new Stack(phoenix);
  await stack.deploy(first);
  return { phoenix, stack, others };
}

/** With auth on: the keys that should be there, and no other with the stack's description; a further deployment does nothing. */
async function expectInOrder(phoenix: Phoenix, stack: Stack, wanted: Wanted, others: string[]): Promise<void> {
  const state = [...stack.keys.values()];
  expect(state.map(({ name }) => name)).toEqual(wanted.keys);
  expect(stack.pending).toEqual([]);
  expect(phoenix.keys.filter((one) => one.description === description).map(({ id }) => id).sort()).toEqual(state.map(({ keyId }) => keyId).sort());
  expect(state.filter(({ key }) => !phoenix.opens(key))).toEqual([]);
  expect(phoenix.keys.map(({ key }) => key)).toEqual(expect.arrayContaining(others));
  phoenix.changes = 0;
  await stack.deploy({ ...wanted, rotated: [] });
  expect(phoenix.changes).toBe(0);
}

/** Every combination of what one deployment can change. */
const combinations = Array.from({ length: 32 }, (_, bits): [string, Wanted] => {
  const has = (bit: number): boolean => (bits & (1 << bit)) !== 0;
  const parts = ['admin secret', 'PHOENIX_SECRET', 'key rotated', 'key removed', 'auth off'].filter((__, bit) => has(bit));
  return [parts.join(', ') || 'nothing', {
    auth: !has(4),
    adminSecret: has(0) ? 'admin-2' : 'admin-1',
    secret: has(1) ? 'secret-2' : 'secret-1',
    keys: has(3) ? ['alloy', 'one'] : ['alloy', 'one', 'two'],
    rotated: has(2) ? ['alloy'] : [],
  }];
});

test.each(combinations)('%s, in one deployment', async (_, wanted) => {
  const { phoenix, stack, others } = await deployed();
  const dead = [...stack.keys.values()].filter(({ name }) => wanted.rotated?.includes(name) || !wanted.keys.includes(name)).map(({ key }) => key);
  await stack.deploy(wanted);
  const on = { ...wanted, auth: true, rotated: [] };
  if (!wanted.auth) {
    await stack.deploy(on);
  }
  expect(dead.filter((key) => phoenix.opens(key))).toEqual([]);
  await expectInOrder(phoenix, stack, on, others);
});

test.each(combinations)('%s, cut off anywhere and completed by the next deployment', async (_, wanted) => {
  let cuts = 0;
  for (let after = 1; ; after += 1) {
    const { phoenix, stack, others } = await deployed();
    phoenix.cutAfter(after);
    const ended = await stack.deploy(wanted).then(() => true, (error: Error) => (expect(error).toBeInstanceOf(CutOff), false));
    phoenix.cutAfter(Infinity);
    // What was to be rotated is replaced already, or not: a command line is not repeated.
    const on = { ...wanted, auth: true, rotated: [] };
    await stack.deploy({ ...wanted, rotated: [] });
    if (!wanted.auth) {
      await stack.deploy(on);
    }
    await expectInOrder(phoenix, stack, on, others);
    if (ended) {
      break;
    }
    cuts += 1;
  }
  // With auth there is always something to cut.
  expect(cuts > 0 || !wanted.auth).toBe(true);
});

test('a stack whose deletion of a key has failed ever since, because Phoenix has another admin secret, is whole after one deployment', async () => {
  const { phoenix, stack, others } = await deployed();
  // As the version before has left it: the key is replaced, Phoenix restarted, and the old key can be revoked by nobody.
  const stuck = stack.keys.get('alloy') as ApiKeyOutputs;
  const second = { ...first, adminSecret: 'admin-2' };
  await stack.deploy({ ...second, rotated: [] });
  stack.pending.push({ ...stuck, keyId: 'id-90', key: 'key-90' });
  phoenix.keys.push({ id: 'id-90', name: 'alloy', description, key: 'key-90', signedWith: 'secret-1', end: Infinity });
  expect(phoenix.opens('key-90')).toBe(true);
  await stack.deploy(second);
  expect(phoenix.opens('key-90')).toBe(false);
  await expectInOrder(phoenix, stack, second, others);
});

describe('keys that end', () => {
  const endOf = (stack: Stack, name: string): string | undefined => stack.keys.get(name)?.expiresAt;
  const ending: Wanted = { ...first, hours: 24 };

  async function started(wanted: Wanted): Promise<{ phoenix: Phoenix; stack: Stack; others: string[]; keyOf: (name: string) => string }> {
    const phoenix = new Phoenix();
    phoenix.start(wanted);
    const others = [phoenix.add('alloy', 'my laptop')];
    const stack = new Stack(phoenix);
    await stack.deploy(wanted);
    return { phoenix, stack, others, keyOf: (name) => stack.keys.get(name)?.key ?? '' };
  }

  test('are good until then, and that of Alloy for ever', async () => {
    const { phoenix, stack, others, keyOf } = await started(ending);
    expect(['alloy', 'one', 'two'].map((name) => endOf(stack, name))).toEqual(['', '2026-11-22T08:00:00.000Z', '2026-11-22T08:00:00.000Z']);
    phoenix.later(23);
    await expectInOrder(phoenix, stack, ending, others);
    const [alloy, one] = [keyOf('alloy'), keyOf('one')];
    phoenix.later(1);
    expect([phoenix.opens(alloy), phoenix.opens(one)]).toEqual([true, false]);
    await stack.deploy(ending);
    expect([keyOf('alloy') === alloy, keyOf('one') === one]).toEqual([true, false]);
    expect(endOf(stack, 'one')).toBe('2026-11-23T08:00:00.000Z');
    await expectInOrder(phoenix, stack, ending, others);
  });

  test.each([12, 48, 0])('are not changed by another duration, %d hours, which counts for the next', async (hours) => {
    const { phoenix, stack, others, keyOf } = await started(ending);
    const before = [keyOf('one'), endOf(stack, 'one')];
    phoenix.changes = 0;
    await stack.deploy({ ...ending, hours });
    expect([phoenix.changes, keyOf('one'), endOf(stack, 'one')]).toEqual([0, ...before]);
    await stack.deploy({ ...ending, hours, rotated: ['one'] });
    expect(endOf(stack, 'one')).toBe(hours === 0 ? '' : new Date(phoenix.now + hours * 3_600_000).toISOString());
    expect(endOf(stack, 'two')).toBe(before[1]);
    await expectInOrder(phoenix, stack, { ...ending, hours }, others);
  });

  test('one of a version that knew no end stays as it is until it is rotated', async () => {
    const { phoenix, stack, others, keyOf } = await started(first);
    for (const outputs of stack.keys.values()) {
      Reflect.deleteProperty(outputs, 'expiresAt');
    }
    const before = ['alloy', 'one', 'two'].map(keyOf);
    phoenix.changes = 0;
    await stack.deploy(ending);
    expect([phoenix.changes, ...['alloy', 'one', 'two'].map(keyOf)]).toEqual([0, ...before]);
    expect(endOf(stack, 'one')).toBe('');
    phoenix.later(1e5);
    await expectInOrder(phoenix, stack, ending, others);
    expect(['alloy', 'one', 'two'].map(keyOf)).toEqual(before);
    await stack.deploy({ ...ending, rotated: ['one'] });
    expect(endOf(stack, 'one')).toBe(new Date(phoenix.now + 24 * 3_600_000).toISOString());
    expect(endOf(stack, 'two')).toBe('');
  });

  test('while auth is off nobody asks, and when it is on again they have ended', async () => {
    const { phoenix, stack, others, keyOf } = await started(ending);
    const one = keyOf('one');
    await stack.deploy({ ...ending, auth: false });
    phoenix.later(25);
    await stack.deploy({ ...ending, auth: false });
    expect(keyOf('one')).toBe(one);
    await stack.deploy(ending);
    expect(keyOf('one')).not.toBe(one);
    await expectInOrder(phoenix, stack, ending, others);
  });
});
