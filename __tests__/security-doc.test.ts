/** docs/security.md: each row names what holds it, and its numbers and names are those of the code. */
import * as fs from 'node:fs';
import * as docker from '@pulumi/docker';
import { alloyConfig, largestRequestMiB } from '../components/alloy-config';
import { beyondLimit, images, storagePercent } from '../components/catalog';
import { inspectCentral } from '../stack/central';
import { endWarnings } from '../stack/central-stack';
import { CloudflareTunnel } from '../components/cloudflare-tunnel';
import { ingressRules } from '../components/route';
import { checksPath, doorView } from '../components/door';
import { doorOf } from '../stack/door';
import { warnedDays } from '../settings/ending';
import { Gate } from '../components/gate';
import { gateConfig } from '../components/gate-config';
import { Journal, journalProgram } from '../components/journal';
import { phoenixStart } from '../components/phoenix-start';
import { largestToPhoenixMiB, spansInMemory } from '../components/phoenix-room';
import { readSettings } from '../settings/settings';
import { keys, type SettingKey, type Settings } from '../settings/keys';
import { deploy } from './support/deployment';

const page = 'docs/security.md';
const text = fs.readFileSync(page, 'utf8');
const cells = (line: string): string[] => line.slice(1, -1).split('|').map((cell) => cell.trim());
/** Tables as their rows, the head among them. */
const tables = [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) => table.trim().split('\n').map(cells));
const rows = tables.flatMap(([, , ...body]) => body);

describe('what holds it', () => {
  test('every table has a column for it, the last one, and every row fills it', () => {
    expect(tables.length).toBeGreaterThan(6);
    for (const [head = [], , ...body] of tables) {
      expect(head.at(-1)).toBe('Held by');
      expect(body.filter((row) => row.length !== head.length)).toEqual([]);
    }
  });

  test.each(rows.map((row) => [row[0] ?? '', row.at(-1) ?? ''] as const))('%s', (_, held) => {
    const named = [...held.matchAll(/`([^`]+)`/g)].map(([, name = '']) => `__tests__/${name}.test.ts`);
    expect(named.filter((file) => !fs.existsSync(file))).toEqual([]);
    expect(named.length > 0 || held === 'no test').toBe(true);
  });

  test('below the first heading nothing is said beside the tables but where there is more', () => {
    const [, ...sections] = text.split(/^## /m);
    expect(sections.flatMap((section) => section.split('\n').slice(1)).filter((line) => line !== '' && !/^(\||\[docs\/)/.test(line))).toEqual([]);
  });

  test('a file that it names is there', () => {
    const files = [...text.matchAll(/`((?:__tests__|docs)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    expect(files).not.toEqual([]);
    expect(files.filter((file) => !fs.existsSync(file))).toEqual([]);
  });
});

describe('numbers and names', () => {
  const settings = (config: Readonly<Record<string, string>> = {}): Settings => readSettings(config, 'llm-observability').settings;
  const fallback = (key: SettingKey): string => keys[key].fallback ?? 'none';
  const spaced = (size: string): string => size.replace(/(\d)([A-Z])/, '$1 $2');
  const number = (value: number): string => value.toLocaleString('en-US');
  const valueOf = (config: string, name: string): number => Number(new RegExp(`\\b${name} += "?(\\d+)`).exec(config)?.[1]);

  const door = doorOf(settings(), []);
  const nginx = gateConfig({ backend: 'http://phoenix:6006', door, tls: true });
  const config = alloyConfig({ backends: [], version: '1.18.1', memoryMiB: 1024, queueMiB: 128 });
  const [, mostKept = '', share = ''] = /^MOST, SHARE = (\d+), ([\d.]+)/m.exec(journalProgram({ phoenix: 'http://phoenix:6006', metricsPort: 9090 })) ?? [];

  /** Names by which every Phoenix is reached. */
  const own = ['localhost', 'host.docker.internal', 'phoenix', 'phoenix-gate'];

  /** What the page says, made from the code. */
  let said: readonly string[];

  beforeAll(async () => {
    const { resources } = await deploy(() => {
      const common = { stack: 'dev', owner: 'llm-observability/dev', network: new docker.Network('network', { name: 'observability-dev' }) };
      new Gate('gate', { ...common, image: images.gate, backend: { name: 'phoenix', signals: ['traces'], protocol: 'otlphttp', endpoint: 'http://phoenix:6006' } });
      new Journal('journal', { ...common, image: new docker.RemoteImage('image', { name: images.phoenix }), phoenix: 'http://phoenix:6006', metrics: true });
      new CloudflareTunnel('tunnel', {
        ...common, image: images.tunnel, accountId: '', zoneId: '', name: 'tunnel', people: { emails: ['ada@example.com'], domains: [], groups: [] }, serviceTokens: [], tokenDuration: '1h', connectors: 1,
        routes: [{ name: 'page', hostname: 'phoenix.example.com', rules: [], audience: 'people' }],
      });
    });
    const inputs = (name: string): Record<string, unknown> => resources.get(name)?.inputs ?? {};
    const gate = inputs('gate-server') as { memory: number; ulimits: { name: string; hard: number }[]; logOpts: Record<string, string>; tmpfs: Record<string, string> };
    const ulimit = (name: string): number | undefined => gate.ulimits.find((one) => one.name === name)?.hard;
    const logs = parseInt(gate.logOpts['max-size'] ?? '', 10) * Number(gate.logOpts['max-file']);
    expect([inputs('gate-server'), inputs('journal-server'), inputs('tunnel-connector-1')].map(({ cpus }) => cpus)).toEqual(['1.0', '1.0', '1.0']);
    expect(inputs('tunnel-connector-1')['memory']).toBe(gate.memory);

    said = [
      `Alloy (${fallback('alloy:otlpGrpcPort')}, ${fallback('alloy:otlpHttpPort')})`,
      `Alloy's page (${fallback('alloy:uiPort')})`,
      `Phoenix (${fallback('phoenix:uiPort')}, ${fallback('phoenix:otlpGrpcPort')}, ${fallback('phoenix:otlpHttpPort')})`,
      `Ports ${fallback('phoenix:uiPort')}, ${fallback('phoenix:otlpGrpcPort')} and ${fallback('phoenix:otlpHttpPort')}`,
      `to ${fallback('phoenix:uiPort')} and ${fallback('phoenix:otlpHttpPort')}: ${number(10 ** Number(/"~\^\[0-9\]\{1,(\d)\}\$" ""/.exec(nginx)?.[1]))} bytes and more`,
      `By default it is \`${fallback('phoenix:auth')}\``,
      `(\`verify-\` and ${/verify-\[0-9\]\{(\d+)\}/.exec(checksPath)?.[1]} digits)`,
      `Known are ${own.map((name) => `\`${name}\``).join(', ')}, loopback`,
      'with `0.0.0.0` or `::` there, any IP address',
      `up to ${number(spansInMemory(2048))} (${spansInMemory(2047)} if \`phoenix:memory\` is below 2 GiB)`,
      `at most ${largestRequestMiB(1e6)} MiB; ${largestToPhoenixMiB(2047)} MiB if \`phoenix:memory\` is below 2 GiB`,
      `${largestToPhoenixMiB(2048)} MiB; ${largestToPhoenixMiB(2047)} MiB if \`phoenix:memory\` is below 2 GiB`,
      `| ${doorView(door).largeAtOnce} at a time, ${doorView(door).largeOfOne} from one address.`,
      `Requests to ${fallback('phoenix:otlpGrpcPort')} | ${/limit_conn grpc (\d+);/.exec(nginx)?.[1]} at a time |`,
      `unpacked by Phoenix | ${Number(/most = (\d+)/.exec(phoenixStart(1000))?.[1]) / 2 ** 20} MiB |`,
      `\`alloy:queue\`, by default ${spaced(fallback('alloy:queue'))} for`,
      `${Math.floor(((valueOf(config, 'limit') - valueOf(config, 'spike_limit')) / 1024) * 100)} % of \`alloy:memory\`, by default ${spaced(fallback('alloy:memory'))}`,
      `the journal ${String(inputs('journal-server')['memory'])} MiB, the gate and connectors ${gate.memory} MiB, each with one CPU`,
      `\`phoenix:projects\`, by default ${number(Number(fallback('phoenix:projects')))}`,
      beyondLimit,
      `From ${storagePercent.blocked} % on`,
      `${Number(mostKept) / 2 ** 30} GiB, and a fifth of the free disk`,
      `${ulimit('nproc')} of a user on the host (\`nproc\`)`,
      `${ulimit('nofile')} in a process (\`nofile\`)`,
      `${logs} MiB, and ${/size=(\d+)m/.exec(gate.tmpfs['/tmp'] ?? '')?.[1]} MiB, in a container`,
      `by default ${fallback('tunnel:tokenDuration').replace('h', ' hours')}. Previews of the central stack and of the edge warn ${warnedDays} days before`,
      `Previews of the central stack and of the edge warn ${warnedDays} days before`,
      `The gate: ${/ssl_protocols (.*);/.exec(nginx)?.[1]?.replace(/TLSv/, 'TLS ').replace(' TLSv', ' and ')}, with forward secrecy`,
      `also warns ${warnedDays} days before the end`,
      'other than loopback and the gateway of Docker\'s bridge | With `tls:certificate` and `tls:key`, TLS alone on the same ports; `0.0.0.0` and `::` include',
      '`alloy:bind 0.0.0.0` with TLS and `alloy:auth true`',
      `| ${String(inputs('tunnel-access-page')['sessionDuration']).replace('h', ' hours')} |`,
    ];
  });

  /** Numbers of others: of Go's TLS, of Phoenix's login limit, of Docker and HTTP, and of a mode that files are given. */
  const ofOthers = ['those of Go, TLS 1.2 and newer', 'A 200 from', '5 wrong passwords', 'each 5 seconds', 'for 300 seconds', 'Docker before 28', 'mode 0400'];
  const statuses = /\b(400|403|404|413|421|429|503)\b/g;

  test('are those of the code', () => expect(said.filter((words) => !text.includes(words))).toEqual([]));

  test('no other is on the page', () => {
    const column = /\|[^|\n]*\|$/gm;
    const left = [...said, ...ofOthers].sort((a, b) => b.length - a.length)
      .reduce((rest, words) => rest.replaceAll(words, ''), text.replace(column, '|').replace(/`e2e`/g, '')).replace(statuses, '');
    expect(left.split('\n').filter((line) => /\d/.test(line))).toEqual([]);
  });

  test('a status is one that the gate returns', () => {
    const returned = [...nginx.matchAll(/return (\d+)/g)].map(([, code]) => code);
    // nginx's own for a body that is too large, Alloy's for the same, Phoenix's for too many logins.
    expect(nginx).toContain(`client_max_body_size ${door.mostMiB}m;`);
    expect([...new Set(text.match(statuses))].filter((code) => !returned.includes(code)).sort()).toEqual(['400', '413', '429']);
    expect(ingressRules([])).toEqual([{ service: 'http_status:404' }]);
  });

  test('words for numbers, and what is not there', async () => {
    expect(largestRequestMiB(512)).toBe(512 / 16);
    expect(share).toBe('0.2');
    expect(door.mostMiB).toBe(largestToPhoenixMiB(2048));
    expect([fallback('phoenix:storage'), fallback('phoenix:retentionDays')]).toEqual(['none', 'none']);
    expect(Object.values(images).filter((image) => image.includes('@'))).toEqual([]);
    const day = 86_400_000;
    const warned = async (left: number, keyLeft = left): Promise<number> => {
      const ends = { expiresAt: new Date(left).toISOString(), keyExpiresAt: new Date(keyLeft).toISOString() };
      const remote = { otlp: { alloy: 'https://otlp.example.com', phoenix: null }, auth: true, tokens: { edge: ends } };
      return (await inspectCentral(settings({ 'edge:central': 'prod' }), () => Promise.resolve({ remote }), 0)).warnings.length;
    };
    expect([await warned(30 * day), await warned(30 * day, 30 * day - 1), await warned(30 * day - 1)]).toEqual([0, 1, 2]);
    expect([30 * day, 30 * day - 1].map((left) => endWarnings('prod', 'API key', 'edge', new Date(left).toISOString(), 0).length)).toEqual([0, 1]);
  });

  test('the names are those of the gate, whatever setting they come from', () => {
    const more = { 'phoenix:bind': '192.0.2.7', 'phoenix:auth': 'true', 'phoenix:rootUrl': 'https://phoenix.example.com', 'phoenix:hosts': 'phoenix.lan', 'tunnel:hostname': 'phoenix.example.com' };
    expect([...doorOf(settings(more), []).names].sort()).toEqual([...own, '192.0.2.7', 'phoenix.example.com', 'phoenix.lan'].sort());
    expect(doorOf(settings({ 'phoenix:bind': '::' }), [])).toMatchObject({ names: own, anyAddress: true });
  });
});
