import { refusal, type Problem } from '../../settings/problem';
import { cancelled } from '../../provider/cancellation';
import { providing } from '../../provider/providing';
import type { Kind } from '../../provider/resource';
import type { Props, Provider } from '../../provider/serve';
import { secret, unknown } from '../../provider/values';

interface Inputs {
  readonly name: string;
  readonly password: string;
  readonly tags: readonly string[];
}
interface Outputs extends Inputs {
  readonly number: number;
  readonly token: string;
}

const urn = 'urn:pulumi:dev::p::my:index:Parent$test:index:Thing::my-thing';
const inputs: Inputs = { name: 'n', password: 'the-password', tags: ['a', 'b'] };
const made: Outputs = { ...inputs, number: 7, token: 'the-token' };
/** The same as the engine sends them. */
const sent = { ...inputs, password: secret('the-password') };
const kept = { ...sent, number: 7, token: secret('the-token') };

/** A provider whose one kind notes what it is asked. */
function provider(change: Partial<Kind<Inputs, Outputs>> = {}): { provider: Provider; asked: unknown[][] } {
  const asked: unknown[][] = [];
  const kind: Kind<Inputs, Outputs> = {
    secrets: ['token'],
    identity: ['name'],
    async create(...args) {
      asked.push(['create', ...args]);
      return made;
    },
    async update(...args) {
      asked.push(['update', ...args]);
      return { ...made, ...args[1], number: 8 };
    },
    ...change,
  };
  return { provider: providing({ 'test:index:Thing': kind }), asked };
}

describe('check of what is not all known yet', () => {
  const planned = { ...sent, name: unknown, password: secret('s3cret') };

  test('goes to those who can say something of it all the same', async () => {
    const [check, look] = [jest.fn(async (): Promise<Problem[]> => []), jest.fn(async (): Promise<Problem[]> => [{ key: 'container c', rule: 'it is busy', mend: ['docker logs c'] }])];
    const { inputs: passed, failures } = await provider({ check, planned: look }).provider.check(urn, kept, planned);
    expect(passed).toBe(planned);
    expect(failures).toEqual([{ property: '', reason: expect.stringMatching(refusal) }]);
    expect(look.mock.calls).toEqual([[{ ...inputs, name: unknown, password: 's3cret' }]]);
    expect(check).not.toHaveBeenCalled();
  });

  test('and what is all known does not', async () => {
    const look = jest.fn(async (): Promise<Problem[]> => []);
    expect(await provider({ planned: look }).provider.check(urn, kept, sent)).toEqual({ inputs: sent });
    expect(look).not.toHaveBeenCalled();
  });
});

describe('check', () => {
  const news = { ...sent, password: secret('s3cret') };
  const problems: Problem[] = [
    { key: 'my:name', value: 'n', rule: 'it is taken', mend: ['pulumi config set my:name m', 'curl http://somewhere/n'] },
    { key: 'my:password', rule: 'it is wrong', mend: ['pulumi config set --secret my:password'] },
  ];

  test.each<[string, unknown, Inputs | undefined]>([
    ['there is one', kept, made],
    ['there is none', {}, undefined],
    ['the engine says nothing', undefined, undefined],
  ])('gets what is wanted and what there is, both plain: %s', async (_, olds, before) => {
    const look = jest.fn(async (): Promise<Problem[]> => []);
    expect(await provider({ check: look }).provider.check(urn, olds as Props, sent)).toEqual({ inputs: sent, failures: [] });
    expect(look.mock.calls).toEqual([[inputs, before]]);
  });

  test('all problems are one failure, which begins as every refusal does', async () => {
    const { failures } = await provider({ check: async () => problems }).provider.check(urn, {}, news);
    expect(failures).toEqual([{
      property: '',
      reason: [
        '2 problems with stack dev; nothing was changed.',
        "  - my:name is 'n': it is taken.",
        '      pulumi config set my:name m --stack dev',
        '      curl http://somewhere/n',
        '  - my:password: it is wrong.',
        '      pulumi config set --secret my:password --stack dev',
      ].join('\n'),
    }]);
    expect(failures?.[0]?.reason.split('\n')[0]).toMatch(new RegExp(`^${refusal.source}$`));
  });

  test('the stack is the one of the resource', async () => {
    const { failures } = await provider({ check: async () => problems.slice(1) }).provider.check(urn.replace(':dev::', ':my-stack::'), {}, news);
    expect(failures).toMatchObject([{ reason: expect.stringMatching(/^1 problem with stack my-stack; nothing was changed\.\n.*\n.* --stack my-stack$/) }]);
  });

  test('secrets are not told, whatever a problem says of them', async () => {
    const telling = async ({ password, tags }: Inputs): Promise<Problem[]> => [{ key: 'my:password', value: password, rule: `${password} and ${tags.join()} are known to everybody`, mend: [`forget ${password}`] }];
    const { failures } = await provider({ check: telling }).provider.check(urn, {}, { ...news, tags: ['a', secret('hidden')] });
    expect(failures).toEqual([{
      property: '',
      reason: "1 problem with stack dev; nothing was changed.\n  - my:password is '[secret]': [secret] and a,[secret] are known to everybody.\n      forget [secret]",
    }]);
  });

  test('nor are those that there were', async () => {
    const moved = async (_: Inputs, before?: Inputs): Promise<Problem[]> => [{ key: 'my:name', value: 'n', rule: `it was ${before?.name}`, mend: [] }];
    const { failures } = await provider({ check: moved }).provider.check(urn, { ...inputs, name: secret('hidden') }, news);
    expect(failures).toMatchObject([{ reason: expect.stringMatching(/it was \[secret\]/) }]);
  });

  test.each<[string, object]>([
    ['an input', { ...sent, name: unknown }],
    ['a secret', { ...sent, password: secret(unknown) }],
    ['something inside', { ...sent, tags: ['a', unknown] }],
  ])('what is not known yet is not looked at: %s', async (_, planned) => {
    const look = jest.fn(async () => problems);
    expect(await provider({ check: look }).provider.check(urn, kept, planned as Props)).toEqual({ inputs: planned });
    expect(look).not.toHaveBeenCalled();
  });

  test('what is there may hold something unknown', async () => {
    const look = jest.fn(async (): Promise<Problem[]> => []);
    await provider({ check: look }).provider.check(urn, { ...kept, tags: [unknown] }, sent);
    expect(look).toHaveBeenCalledTimes(1);
  });

  test('of a kind that has none: nothing is wrong', async () => {
    expect(await provider().provider.check(urn, kept, sent)).toEqual({ inputs: sent });
  });

  test('that fails is an error', async () => {
    await expect(provider({ check: () => Promise.reject(new Error('no answer')) }).provider.check(urn, {}, sent)).rejects.toThrow(new Error('no answer'));
  });
});

describe('diff', () => {
  const diff = (olds: object, news: object, drifted?: (outputs: Outputs) => Promise<boolean>): unknown =>
    provider(drifted ? { drifted } : {}).provider.diff('my-thing', urn, olds as Props, news as Props);

  test.each<[string, object, object, object]>([
    ['the same', kept, sent, { changes: false, replaces: [] }],
    ['outputs that are no inputs', { ...kept, number: 9 }, sent, { changes: false, replaces: [] }],
    ['the same secret without its mark', kept, inputs, { changes: false, replaces: [] }],
    ['another secret', kept, { ...sent, password: secret('q') }, { changes: true, replaces: [] }],
    ['something inside', kept, { ...sent, tags: ['a', 'c'] }, { changes: true, replaces: [] }],
    ['a new input', kept, { ...sent, more: 1 }, { changes: true, replaces: [] }],
    ['the identity', kept, { ...sent, name: 'm' }, { changes: true, replaces: ['name'] }],
    ['the identity among others', kept, { ...sent, name: 'm', password: secret('q') }, { changes: true, replaces: ['name'] }],
    ['what is not known yet', kept, { ...sent, password: secret(unknown) }, { changes: true, replaces: [] }],
    ['an identity that is not known yet', kept, { ...sent, name: unknown }, { changes: true, replaces: ['name'] }],
  ])('%s', async (_, olds, news, expected) => expect(await diff(olds, news)).toEqual(expected));

  describe('inputs that differ may mean the same', () => {
    const asked: unknown[][] = [];
    const meaning = (answer: boolean, olds: object, news: object, drifted = false): unknown => {
      asked.length = 0;
      return provider({ drifted: async () => drifted, same: (...args) => (asked.push(args), answer) }).provider.diff('my-thing', urn, olds as Props, news as Props);
    };
    const other = { ...sent, name: 'm', tags: [] };

    test.each<[string, boolean, object, object]>([
      ['to their kind', true, other, { changes: false, replaces: [] }],
      ['but not to this one', false, other, { changes: true, replaces: ['name'] }],
    ])('%s', async (_, answer, news, expected) => {
      expect(await meaning(answer, kept, news)).toEqual(expected);
      expect(asked).toEqual([[made, { name: 'm', password: 'the-password', tags: [] }]]);
    });

    test('what was made may have drifted all the same', async () => {
      expect(await meaning(true, kept, other, true)).toEqual({ changes: true, replaces: [] });
    });

    test('of what is not known yet nobody can say', async () => {
      expect(await meaning(true, kept, { ...sent, tags: [unknown] })).toEqual({ changes: true, replaces: [] });
      expect(asked).toEqual([]);
    });
  });

  test.each([true, false])('the same inputs, and what was made has drifted: %s', async (drifted) => {
    const ask = jest.fn(async (_: Outputs) => drifted);
    expect(await diff(kept, sent, ask)).toEqual({ changes: drifted, replaces: [] });
    expect(ask.mock.calls).toEqual([[made]]);
  });

  test.each<[string, object, object]>([
    ['changes', kept, { ...sent, tags: [] }],
    ['is not known yet', kept, { ...sent, password: secret(unknown) }],
    ['was not known either when it was planned', { ...kept, tags: [unknown] }, { ...sent, tags: [unknown] }],
  ])('nobody is asked whether something drifted that %s', async (_, olds, news) => {
    const ask = jest.fn(async () => true);
    await diff(olds, news, ask);
    expect(ask).not.toHaveBeenCalled();
  });

  test('without an identity nothing replaces', async () => {
    const kind: Kind<{ name: string }, { name: string }> = { create: async (given) => given, update: async (_, given) => given };
    const { diff: ask } = providing({ 'test:index:Thing': kind });
    expect(await ask('my-thing', urn, { name: 'a' }, { name: 'b' })).toEqual({ changes: true, replaces: [] });
  });
});

describe('create', () => {
  test('gets plain inputs; the resource has its name as its ID, and secrets keep or get their mark', async () => {
    const { provider: one, asked } = provider();
    expect(await one.create(urn, sent, false)).toEqual({ id: 'my-thing', outs: kept });
    expect(asked).toEqual([['create', inputs]]);
  });

  test('that fails is no resource', async () => {
    const { provider: one } = provider({ create: () => Promise.reject(new Error('no room')) });
    await expect(one.create(urn, sent, false)).rejects.toThrow(new Error('no room'));
  });
});

test('update gets what there is and what is wanted, both plain', async () => {
  const { provider: one, asked } = provider();
  const news = { ...sent, password: secret('q') };
  expect(await one.update('my-thing', urn, kept, news, false)).toEqual({ outs: { ...kept, password: secret('q'), number: 8 } });
  expect(asked).toEqual([['update', made, { ...inputs, password: 'q' }]]);
});

describe('preview', () => {
  const planning = async (outputs: Outputs | undefined, news: Inputs): Promise<Outputs> => ({ ...news, number: outputs?.number ?? 0, token: outputs ? 'the-token' : unknown });
  const news = { ...sent, name: unknown };

  test.each<[string, (one: Provider) => Promise<object>, object]>([
    ['of a new one', (one) => one.create(urn, news, true), { id: 'my-thing', outs: { ...news, number: 0, token: secret(unknown) } }],
    ['of a change', (one) => one.update('my-thing', urn, kept, news, true), { outs: { ...news, number: 7, token: secret('the-token') } }],
  ])('what is known is said, and nothing is done: %s', async (_, ask, expected) => {
    const { provider: one, asked } = provider({ preview: planning });
    expect(await ask(one)).toEqual(expected);
    expect(asked).toEqual([]);
  });

  test('of a kind that plans nothing its inputs are known', async () => {
    const { provider: one, asked } = provider();
    expect(await one.create(urn, news, true)).toEqual({ id: 'my-thing', outs: news });
    expect(await one.update('my-thing', urn, kept, news, true)).toEqual({ outs: news });
    expect(asked).toEqual([]);
  });
});

describe('read', () => {
  test('what has nothing to look at stays', async () => {
    expect(await provider().provider.read('my-thing', urn, kept)).toEqual({ id: 'my-thing', props: kept });
  });

  test('what is there now, with the marks it had', async () => {
    const look = jest.fn(async (outputs: Outputs): Promise<Outputs> => ({ ...outputs, token: 'u', number: 9 }));
    expect(await provider({ read: look }).provider.read('my-thing', urn, kept)).toEqual({ id: 'my-thing', props: { ...kept, token: secret('u'), number: 9 } });
    expect(look.mock.calls).toEqual([[made]]);
  });
});

describe('delete', () => {
  test('gets what there is, plain', async () => {
    const gone = jest.fn(async (_: Outputs) => undefined);
    await provider({ delete: gone }).provider.delete('my-thing', urn, kept);
    expect(gone.mock.calls).toEqual([[made]]);
  });

  test('of what leaves nothing behind', async () => {
    await expect(provider().provider.delete('my-thing', urn, kept)).resolves.toBeUndefined();
  });
});

test.each<[string, (one: Provider, of: string) => Promise<unknown>]>([
  ['check', (one, of) => one.check(of, {}, sent)],
  ['diff', (one, of) => one.diff('x', of, sent, sent)],
  ['create', (one, of) => one.create(of, sent, false)],
  ['update', (one, of) => one.update('x', of, kept, sent, false)],
  ['read', (one, of) => one.read('x', of, kept)],
  ['delete', (one, of) => one.delete('x', of, kept)],
])('%s of a type that there is not', async (_, call) => {
  await expect(call(provider().provider, 'urn:pulumi:dev::p::my:index:Parent$test:index:Other::x')).rejects.toThrow(
    new Error('the provider has no resource of type test:index:Other'),
  );
});

test('its version is the one of the package', () => {
  const { version } = require('../../package.json') as { version: string };
  expect(provider().provider.version).toBe(version);
});

test('cancelled, it ends every wait', () => {
  expect(cancelled.aborted).toBe(false);
  provider().provider.cancel();
  expect(cancelled.aborted).toBe(true);
});
