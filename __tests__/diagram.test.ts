/**
 * The pictures in the README, against the program.
 */
import * as fs from 'node:fs';
import * as pulumi from '@pulumi/pulumi';
import { diagram } from '../ops/support/diagram';
import { withTable } from '../ops/support/readme-tables';
import type { Deployed } from '../ops/support/stack-parts';
import { isSecretKey } from '../settings/keys';
import { deploy, secretMark, sent } from './support/deployment';
import { setEnvironment } from './support/environment';
import { current, fakeEngine } from './support/fake-engine';
import { updating } from './support/golden';
import program = require('../index');

// What listens on the machine of the test must not matter.
jest.mock('../engine/host-ports', () => ({
  isHeld: () => Promise.resolve(false),
  holderOf: () => Promise.resolve(undefined),
  isOwnAddress: () => Promise.resolve(true),
}));
// Nor what answers at the bridge of the fake engine, which may lead to another machine.
jest.mock('../stack/store-survey', () => ({ surveyStores: () => Promise.resolve({ problems: [], warnings: [] }) }));

interface Stack extends Deployed {
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * The program as it is for a stack with these settings, on a host with nothing on it.
 * @param others outputs of the stacks that it reads, by name
 */
async function stack(name: string, config: Record<string, string> = {}, others: Record<string, Stack['outputs']> = {}): Promise<Stack> {
  const secretKeys = Object.keys(config).filter(isSecretKey);
  setEnvironment({ DOCKER_HOST: (await fakeEngine(current)).host, PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys) });
  const { resources, result } = await deploy(async () => {
    pulumi.runtime.setAllConfig(config, secretKeys);
    return sent(await program());
  }, { stack: name, outputs: others });
  const outputs = plain(result) as Stack['outputs'];
  return { resources: [...resources.values()], endpoints: outputs['endpoints'] as Stack['endpoints'], outputs };
}

/** Without the marks of what is secret, as another stack reads it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return secretMark in value && 'value' in value ? plain(value.value) : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Everything that a picture can show: login, tunnel, stores of metrics and logs. */
const everything = {
  'phoenix:auth': 'true',
  'prometheus:url': 'http://host.docker.internal:9090',
  'loki:url': 'http://host.docker.internal:3100',
  'tunnel:hostname': 'phoenix.example.com',
  'tunnel:otlpHostname': 'otlp.example.com',
  'tunnel:allowDomains': 'example.com',
  'cloudflare:accountId': '0123456789abcdef0123456789abcdef',
  'cloudflare:apiToken': 'chosen-at-cloudflare-0123456789-0123456789',
};

const inMermaid = (text: string): string => `\`\`\`mermaid\n${text}\n\`\`\``;

test('the README holds the pictures of what the program makes', async () => {
  const dev = await stack('dev');
  const prod = await stack('prod', everything);
  const edge = await stack('edge', { 'edge:central': 'prod' }, { prod: prod.outputs });
  const readme = fs.readFileSync('README.md', 'utf8');
  const expected = withTable(withTable(readme, 'graph dev', inMermaid(diagram(dev))), 'graph prod edge', inMermaid(diagram(prod, edge)));
  if (updating() && readme !== expected) {
    fs.writeFileSync('README.md', expected);
  }
  expect(fs.readFileSync('README.md', 'utf8')).toBe(expected);
});

describe('what changes in a stack changes its picture', () => {
  let before: string;
  beforeAll(async () => {
    before = diagram(await stack('prod', everything));
  });

  test.each([
    ['an image', { 'alloy:image': 'grafana/alloy:v1.19.0' }, 'grafana/alloy:v1.19.0'],
    ['the port of the page', { 'phoenix:uiPort': '7006' }, '"7006"'],
    ['a port for applications', { 'alloy:otlpHttpPort': '5318' }, '"OTLP 4317, 5318"'],
    ['where metrics go', { 'prometheus:url': 'https://metrics.example.com' }, 'metrics.example.com'],
    ['a hostname', { 'tunnel:otlpHostname': 'alloy.example.com' }, 'alloy.example.com'],
    ['one more hostname', { 'tunnel:phoenixOtlpHostname': 'traces.example.com' }, 'traces.example.com"| container_phoenix_prod_gate'],
    ['a server that Phoenix reaches', { 'phoenix:egress': 'api.example.com' }, 'container_phoenix_prod_egress --> host_api.example.com_443'],
    ['who carries what Phoenix sends there', { 'phoenix:egress': 'api.example.com' }, 'container_phoenix_prod_gate --> container_phoenix_prod_egress'],
    ['how Phoenix reaches its database', { 'phoenix:database': 'postgresql://u:p@db.lan/x' }, 'container_phoenix_prod --> container_phoenix_prod_database'],
    ['and where that is', { 'phoenix:database': 'postgresql://u:p@db.lan/x' }, 'container_phoenix_prod_egress --> host_db.lan_5432'],
    ['a server on the Docker host that it reaches', { 'phoenix:egress': 'host.docker.internal:11434' }, 'container_phoenix_prod_egress --> host_host.docker.internal_11434'],
    ['LDAP servers that are asked in turn', {
      'phoenix:auth': 'true', 'phoenix:ldapHost': 'dc1.example.com,dc2.example.com', 'phoenix:ldapUserSearchBaseDns': '["dc=example,dc=com"]', 'phoenix:ldapGroupRoleMappings': '[{"group_dn":"*","role":"VIEWER"}]',
    }, 'container_phoenix_prod_egress --> host_dc2.example.com_389'],
    ['the AI service to try it with', { 'example:enabled': 'true' }, 'container_example_prod --> container_alloy_prod'],
    ['one more connector', { 'tunnel:connectors': '3' }, 'tunnel-prod-3'],
    ['who guards the page', { 'tunnel:allowDomains': '' }, '["phoenix.example.com"]'],
  ])('%s', async (_, settings, shown) => {
    const config = Object.fromEntries(Object.entries({ ...everything, ...settings }).filter(([, value]) => value !== ''));
    const after = diagram(await stack('prod', config));
    expect(before).not.toContain(shown);
    expect(after).toContain(shown);
  });
});

test('no secret is in a picture', async () => {
  const prod = await stack('prod', everything);
  const edge = await stack('edge', { 'edge:central': 'prod' }, { prod: prod.outputs });
  expect(JSON.stringify([prod.resources, edge.resources])).toMatch(/drawn-.*minted-/s);
  expect(diagram(prod, edge)).not.toMatch(/drawn-|minted-|chosen-|client-of-/);
});
