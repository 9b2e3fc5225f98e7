/** What a preview says that changes mean; and that nothing which the program makes is without a word. */
import * as pulumi from '@pulumi/pulumi';
import { changesIn } from '../../../ops/support/preview/changes';
import type { Step } from '../../../ops/support/preview/digest';
import { meaningOf, type Meaning } from '../../../ops/support/preview/meaning';
import { deploy, secretMark, sent, type Deployment } from '../../support/deployment';
import { setEnvironment } from '../../support/environment';
import { current, fakeEngine } from '../../support/fake-engine';
import { changes, container, creates, digest, dnsRecord, image, keeps, network, password, removes, replaces, serviceToken, tunnel, urnOf, volume, type Given } from '../../support/steps';
import program = require('../../../index');

// What listens on the machine of the test must not matter.
jest.mock('../../../engine/host-ports', () => ({
  isHeld: () => Promise.resolve(false),
  holderOf: () => Promise.resolve(undefined),
  isOwnAddress: () => Promise.resolve(true),
}));

const meaning = (...steps: Step[]): Meaning => meaningOf(changesIn(digest(...steps)).changes, 'dev');
const alerts = (...steps: Step[]): readonly string[] => meaning(...steps).alerts;
const effects = (...steps: Step[]): readonly string[] => meaning(...steps).effects;

const service = (name: string, inputs: Given = {}): Given => ({ name, restart: 'unless-stopped', ...inputs });

describe('what the program makes', () => {
  /** The whole program, as the language host would run it, on a host with nothing on it. */
  async function run(config: Record<string, string>): Promise<Deployment<object>> {
    setEnvironment({ DOCKER_HOST: (await fakeEngine(current)).host, PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(['cloudflare:apiToken']) });
    const remote = { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, auth: true, tokens: { edge: { expiresAt: '2999-11-21T08:00:00Z' } } };
    const remoteAccess = { edge: { clientId: 'id', clientSecret: 'secret', apiKey: 'key' } };
    return deploy(async () => {
      pulumi.runtime.setAllConfig(config, ['cloudflare:apiToken']);
      return sent(await program());
    }, { outputs: { prod: { remote, remoteAccess } } });
  }

  const central = {
    'phoenix:auth': 'true',
    'phoenix:apiKeys': 'evaluations',
    'tunnel:hostname': 'phoenix.example.com',
    'tunnel:otlpHostname': 'otlp.example.com',
    'tunnel:allowEmails': 'ada@example.com',
    'cloudflare:accountId': '0123456789abcdef0123456789abcdef',
    'cloudflare:apiToken': 'chosen-at-cloudflare-0123456789-0123456789',
  };
  const stacks = [['central, with all that it can have', central], ['at the edge', { 'edge:central': 'prod' }]] as const;

  /** Inputs as the CLI prints them, with secrets masked. */
  const shown = (inputs: Given): Given => JSON.parse(JSON.stringify(inputs, (_, value: unknown) => (typeof value === 'object' && value !== null && secretMark in value ? '[secret]' : value))) as Given;

  test.each(stacks)('%s: each service has a word of its own when it is exchanged', async (_, config) => {
    const { resources } = await run(config);
    const services = [...resources.values()].filter(({ type, inputs }) => type === container && inputs['restart'] === 'always');
    expect(services.length).toBeGreaterThanOrEqual(2);
    for (const { name, inputs } of services) {
      const said = effects(replaces(container, name, shown(inputs)));
      expect([name, said]).toEqual([name, [expect.not.stringMatching(/^Container /)]]);
    }
  });

  test.each(stacks)('%s: what keeps data is known by how it is declared, and nothing else warns of a loss', async (_, config) => {
    const { resources } = await run(config);
    for (const { name, type, inputs, retainOnDelete, protect } of resources.values()) {
      const warned = alerts(removes(type, name, shown(inputs), { retainOnDelete, protect }));
      expect([name, warned.length]).toEqual([name, type === volume && retainOnDelete ? 1 : 0]);
    }
  });

  test.each(stacks)('%s: each resource has a noun', async (_, config) => {
    const { resources } = await run(config);
    const named = changesIn(digest(...[...resources.values()].map(({ type, name, inputs }) => creates(type, name, shown(inputs))))).changes;
    // All but the components, which are nothing by themselves, and the look at another stack.
    expect(named).toHaveLength([...resources.values()].filter(({ type }) => !/^(llm-observability|pulumi):/.test(type)).length);
    expect(named.filter(({ what }) => /[a-z]+:index|undefined|\[object/.test(what))).toEqual([]);
    expect(new Set(named.map(({ what }) => what)).size).toBe(named.length);
  });
});

describe('a volume', () => {
  const data = { name: 'phoenix-dev-data' };
  const kept = { retainOnDelete: true };

  test.each([
    ['that is kept on the host leaves the stack', [removes(volume, 'phoenix-data', data, kept)],
      ['Volume phoenix-dev-data is removed from the stack. It stays on the host with its data, but nothing uses it.']],
    ['that is not kept is deleted', [removes(volume, 'phoenix-data', data)],
      ['Volume phoenix-dev-data is deleted with everything in it.']],
    ['that is protected is one with data, whatever it is called', [removes(volume, 'queue', { name: 'queue' }, { protect: true })],
      ['Volume queue is deleted with everything in it.']],
    ['of that name is there again after a replacement', [replaces(volume, 'phoenix-data', data, data, kept)],
      ['Volume phoenix-dev-data is released and used again. Its data stays.']],
    ['of another name is another one', [replaces(volume, 'phoenix-data', data, { name: 'phoenix-dev-store' }, kept)],
      ['Volume phoenix-dev-data is removed from the stack. It stays on the host with its data, but nothing uses it.']],
    ['with a configuration can be made again', [removes(volume, 'alloy-config', { name: 'alloy-dev-config' }), replaces(volume, 'alloy-secrets', { name: 'alloy-dev-secrets' })], []],
    ['that is new is no loss', [creates(volume, 'phoenix-data', data, kept)], []],
    ['that stays is none', [keeps(volume, 'phoenix-data', kept)], []],
  ] as const)('%s', (_, steps, expected) => {
    expect(meaning(...steps)).toEqual({ alerts: expected, effects: [] });
  });

  const withData = (volumeName: string): Given => service('phoenix-dev', { volumes: [{ containerPath: '/phoenix_storage', volumeName }, { containerPath: '/etc/phoenix', volumeName: 'phoenix-dev-config' }] });

  test('another one in the place of what a service has stored', () => {
    expect(alerts(replaces(container, 'phoenix-server', withData('phoenix-dev-data'), withData('phoenix-dev-store')))).toEqual([
      'Container phoenix-dev starts with volume phoenix-dev-store instead of phoenix-dev-data: it will not find the data that it has stored.',
    ]);
  });

  test('another one in the place of a configuration is none of that', () => {
    expect(alerts(replaces(container, 'phoenix-server', withData('phoenix-dev-config'), withData('phoenix-dev-settings')))).toEqual([]);
    expect(alerts(replaces(container, 'phoenix-server', withData('phoenix-dev-data')))).toEqual([]);
  });
});

describe('protection', () => {
  test('that goes is told before anything else, that comes after it', () => {
    expect(meaning(keeps(volume, 'phoenix-data', { protect: true }, { protect: false }), keeps(volume, 'alloy-data', { protect: false }, { protect: true }))).toEqual({
      alerts: ['The protection of volume phoenix-data is removed: a later deployment may remove or replace it.'],
      effects: ['From now on volume alloy-data is protected: no deployment removes or replaces it.'],
    });
  });

  test('of what is new, or goes, is no change of it', () => {
    expect(meaning(creates(volume, 'alloy-data', {}, { protect: true }), removes(password, 'phoenix-first-password', {}, { protect: true }))).toEqual({ alerts: [], effects: [] });
  });
});

describe('a name that is taken', () => {
  const refused = (who: string, what: string, name: string): string =>
    `The deployment would fail halfway: ${who} does not give a new ${what} the name ${name} while the old one has it.`;

  test.each([
    ['container', container, refused('Docker', 'container', 'a')],
    ['network', network, refused('Docker', 'network', 'a')],
    ['tunnel', tunnel, refused('Cloudflare', 'tunnel', 'a')],
    ['DNS record', dnsRecord, refused('Cloudflare', 'DNS record', 'a')],
  ])('%s', (_, type, expected) => {
    expect(alerts(removes(type, 'old', { name: 'a' }), creates(type, 'new', { name: 'a' }))).toContain(expected);
    expect(alerts(removes(type, 'old', { name: 'a' }), creates(type, 'new', { name: 'b' }))).toEqual([]);
  });

  test('a network that is replaced under its name, unlike a container, which goes first', () => {
    expect(alerts(replaces(network, 'network', { name: 'observability-dev' }))).toEqual([refused('Docker', 'network', 'observability-dev')]);
    expect(alerts(replaces(container, 'alloy-server', service('alloy-dev')))).toEqual([]);
  });

  test.each([['volume', volume], ['image', image]])('two of one name are one: %s', (_, type) => {
    expect(alerts(removes(type, 'old', { name: 'a' }), creates(type, 'new', { name: 'a' })).filter((text) => text.startsWith('The deployment'))).toEqual([]);
  });
});

describe('a name in the program that was changed by mistake', () => {
  const question = (from: string, to: string): string => `Was ${from} renamed to ${to}? Pulumi would remove the old one and create a new one. Add aliases: [{ name: '${from}' }] to keep it.`;
  const asked = (...steps: Step[]): string[] => alerts(...steps).filter((text) => text.startsWith('Was '));
  const kept = { retainOnDelete: true };

  test('with one name on the host they are the same', () => {
    expect(asked(removes(network, 'network', { name: 'a' }), creates(network, 'net', { name: 'a' }))).toEqual([question('network', 'net')]);
  });

  test('with another name on the host only what is to be kept may be', () => {
    const renamed = (options: object): string[] => asked(removes(volume, 'phoenix-data', { name: 'a' }, options), creates(volume, 'phoenix-store', { name: 'b' }, options));
    expect(renamed(kept)).toEqual([question('phoenix-data', 'phoenix-store')]);
    expect(renamed({ protect: true })).toEqual([question('phoenix-data', 'phoenix-store')]);
    expect(renamed({})).toEqual([]);
  });

  test('where there are several no guess is made', () => {
    const gone = removes(volume, 'phoenix-data', { name: 'a' }, kept);
    const come = creates(volume, 'phoenix-store', { name: 'b' }, kept);
    expect(asked(gone, come, creates(volume, 'alloy-store', { name: 'c' }, kept))).toEqual([]);
    expect(asked(gone, removes(volume, 'alloy-data', { name: 'd' }, kept), come)).toEqual([]);
  });

  test('of a component its own name is asked for, once', () => {
    const [before, after] = ['phoenix', 'tracing'].map((name) => ({ parent: urnOf('llm-observability:index:Phoenix', name), ...kept }));
    expect(asked(
      removes(volume, 'phoenix-data', { name: 'a' }, before), removes(container, 'phoenix-server', { name: 'b' }, before),
      creates(volume, 'tracing-data', { name: 'a' }, after), creates(container, 'tracing-server', { name: 'b' }, after),
    )).toEqual([question('phoenix', 'tracing')]);
  });

  test('of one that moved into a component, with its own name, there is no other name to write', () => {
    const parent = urnOf('llm-observability:index:Phoenix', 'phoenix');
    expect(asked(removes(volume, 'data', { name: 'a' }), creates(volume, 'data', { name: 'a' }, { parent }))).toEqual([]);
  });

  test('an image is there again, whatever it is called', () => {
    expect(alerts(removes(image, 'phoenix-image', { name: 'a:1' }), creates(image, 'image', { name: 'a:1' }))).toEqual([]);
  });

  test('another type is another thing', () => {
    expect(asked(removes(volume, 'a', { name: 'x' }, kept), creates(network, 'b', { name: 'x' }))).toEqual([]);
  });
});

describe('another version of Phoenix', () => {
  const at = (version: string): Given => service('phoenix-dev', { image: `arizephoenix/phoenix:version-${version}-nonroot` });
  const becomes = (from: string, to: string): readonly string[] => alerts(replaces(container, 'phoenix-server', at(from), at(to)));

  test('a newer one migrates the database', () => {
    expect(becomes('9.3.1', '20.26.1')).toEqual([
      'Phoenix is upgraded from 9.3.1 to 20.26.1: it migrates its database when it starts, which may take longer, and cannot return to the older version.',
    ]);
  });

  test('an older one may not start', () => {
    expect(becomes('20.26.1', '20.3.0')).toEqual(['Phoenix is downgraded from 20.26.1 to 20.3.0: it does not start if the newer version has migrated its database.']);
  });

  test.each([
    ['the same with a digest', replaces(container, 'phoenix-server', at('20.26.1'), service('phoenix-dev', { image: 'arizephoenix/phoenix:version-20.26.1-nonroot@sha256:1d' }))],
    ['one that is not told', replaces(container, 'phoenix-server', at('20.26.1'), service('phoenix-dev', { image: 'phoenix@sha256:1d' }))],
    ['one of another service', replaces(container, 'alloy-server', service('alloy-dev', { image: 'grafana/alloy:v1.17.0' }), service('alloy-dev', { image: 'grafana/alloy:v1.18.1' }))],
  ])('%s is none of it', (_, step) => {
    expect(alerts(step)).toEqual([]);
  });
});

describe('a service', () => {
  test.each([
    ['phoenix-dev', 'Phoenix is unavailable for about 20 seconds. What is sent to Alloy in that time waits on its disk; stored data stays.'],
    ['alloy-dev', 'Alloy is unavailable for about 3 seconds: applications that retry, as OTLP exporters do, lose nothing. What it has accepted waits on disk.'],
    ['phoenix-dev-gate', 'The page, the API and the OTLP ports of Phoenix are unavailable for about 3 seconds. Spans that are sent to Alloy wait on its disk.'],
    ['journal-dev', 'Spans wait on the disk of Alloy for about a second.'],
    ['central-dev-gate', 'Spans wait on the disk of Alloy for about a second.'],
    ['tunnel-dev-1', 'A connector is replaced; if it is the only one, what the tunnel publishes is unavailable for some seconds.'],
    ['other', 'Container other is replaced.'],
    // Of the stack `dev-2`, or made by hand.
    ['phoenix-dev-2', 'Container phoenix-dev-2 is replaced.'],
  ])('%s that is exchanged', (name, expected) => {
    expect(meaning(replaces(container, 'server', service(name)))).toEqual({ alerts: [], effects: [expected] });
  });

  test('connectors follow one another', () => {
    expect(effects(...['1', '2', '3'].map((number) => replaces(container, `tunnel-connector-${number}`, service(`tunnel-dev-${number}`))))).toEqual([
      'The connectors are replaced one after the other: the tunnel stays open.',
    ]);
  });

  test('that is changed in place stays', () => {
    expect(effects(changes(container, 'phoenix-server', service('phoenix-dev', { memory: 1024 }), service('phoenix-dev', { memory: 2048 })))).toEqual([
      'Container phoenix-dev is changed while it runs.',
    ]);
  });

  test('that is new was not there before; jobs and files end by themselves', () => {
    expect(effects(creates(container, 'alloy-server', service('alloy-dev')), replaces(container, 'job', { name: 'phoenix-dev-data-owner', restart: 'no', attach: true }))).toEqual([]);
  });

  test('another image, or one less, is not felt by itself', () => {
    expect(meaning(replaces(image, 'a', { name: 'a:1' }, { name: 'a:2' }), removes(image, 'b', { name: 'b:1' }))).toEqual({ alerts: [], effects: [] });
  });
});

test('another network exchanges everything on it', () => {
  expect(meaning(replaces(network, 'network', { name: 'observability-dev' }, { name: 'private-dev' }))).toEqual({
    alerts: [],
    effects: ['The private network is replaced, and with it every container on it.'],
  });
});

describe('what is published', () => {
  test('another tunnel, which its connectors first have to hold open', () => {
    expect(effects(replaces(tunnel, 'tunnel-tunnel', { name: 'a', accountId: '1' }, { name: 'a', accountId: '2' }), ...['1', '2'].map((number) => replaces(container, `tunnel-connector-${number}`, service(`tunnel-dev-${number}`))))).toEqual([
      'The tunnel is replaced: what it publishes is unavailable until its connectors open the new one. Alloys on other hosts keep their spans until then.',
    ]);
  });

  test('a name that goes', () => {
    expect(effects(removes(dnsRecord, 'tunnel-dns-otlp', { name: 'otlp.example.com' }))).toEqual(['otlp.example.com is no longer published.']);
  });

  test('a service token made anew', () => {
    expect(effects(replaces(serviceToken, 'tunnel-token-edge', { name: 'llm-observability-dev edge' }))).toEqual([
      'Service token llm-observability-dev edge is replaced: hosts at the edge that use it keep their spans until they are deployed again.',
    ]);
  });
});

test('secrets made anew, and no other', () => {
  expect(effects(...['phoenix-secret', 'phoenix-admin-secret', 'phoenix-first-password'].map((name) => replaces(password, name, { length: 32 })))).toEqual([
    'PHOENIX_SECRET is replaced: API keys are created again, and everyone has to log in again.',
    'The admin secret is replaced: programs that use it need the new one.',
  ]);
  expect(effects(changes(password, 'phoenix-secret', { length: 32 }), creates(password, 'phoenix-admin-secret'))).toEqual([]);
});
