import * as fs from 'node:fs';
import * as yaml from 'js-yaml';
import type { Problem } from '../../../settings/problem';
import { readSettings } from '../../../settings/settings';
import { whereEmpty, withCentral } from '../../../ops/support/preview/configured';
import { pageOf, type Page } from '../../../ops/support/preview/page';

type Config = Readonly<Record<string, string>>;

const settingsIn = (stack: string): Config => (yaml.load(fs.readFileSync(`Pulumi.${stack}.yaml`, 'utf8')) as { config: Config }).config;
const prod = settingsIn('prod');
const filledIn: Config = { 'tunnel:hostname': 'phoenix.example.com', 'tunnel:otlpHostname': 'otlp.example.com', 'cloudflare:accountId': 'a'.repeat(32) };
const token: Config = { 'cloudflare:apiToken': 'x'.repeat(40) };
const clash: Problem = { key: 'phoenix:uiPort', value: '6006', rule: 'container x holds that port', mend: [] };

/** The page of a stack whose program refuses for these problems. */
const refused = (stack: string, problems: readonly Problem[]): Page => ({ ...pageOf(stack, { code: 1, digest: undefined, stderr: 'no' }), outcome: 'refused', problems });

/** The page of `prod` with these settings, and with more problems. */
function page(config: Config, more: readonly Problem[] = []): Page {
  const { problems } = readSettings(config, 'llm-observability', (key) => key === 'cloudflare:apiToken');
  return whereEmpty(refused('prod', [...problems, ...more]), Object.keys(config));
}

describe('an environment is not configured', () => {
  test.each<[string, Config]>([
    ['as the repository has it', prod],
    ['with the token of the tunnel alone', { ...prod, ...token }],
    ['with one setting that is still empty', { ...prod, ...filledIn, ...token, 'tunnel:otlpHostname': ' ' }],
  ])('while its file stands there %s', (_, config) => {
    expect(page(config)).toMatchObject({
      outcome: 'notConfigured', reason: expect.stringMatching(/^Settings in Pulumi\.prod\.yaml are still empty\. Fill them in to get a preview:\n {2}- tunnel:/),
    });
  });

  test.each<[string, Config, Problem[]]>([
    ['is filled in, but for the token of the tunnel', { ...prod, ...filledIn }, []],
    ['has a wrong setting beside the empty ones', { ...prod, 'phoenix:memory': '2GB' }, []],
    ['has a setting that does not exist beside them', { ...prod, 'phoenix:nothing': '1' }, []],
    ['has an empty setting that does not exist', { ...prod, 'phoenix:nothing': '' }, []],
    ['is in the way of something on the host', prod, [clash]],
    ['has a token that is no good', { ...prod, 'cloudflare:apiToken': 'x' }, []],
  ])('not when it %s', (_, config, more) => {
    expect(page(config, more).outcome).toBe('refused');
  });

  test('not when it failed for a reason that is none of its settings', () => {
    expect(whereEmpty(pageOf('prod', { code: 1, digest: undefined, stderr: 'incorrect passphrase' }), Object.keys(prod)).outcome).toBe('failed');
  });
});

describe('one at the edge', () => {
  const central: Problem = { key: 'edge:central', value: 'organization/llm-observability/prod', rule: 'its outputs cannot be read', mend: [] };
  const outcomes = (...pages: Page[]): string[] => withCentral(pages).map(({ outcome }) => outcome);

  test('is not configured while the one that it sends to is not, whichever comes first', () => {
    expect(outcomes(refused('edge', [central]), page(prod))).toEqual(['notConfigured', 'notConfigured']);
    expect(outcomes(page(prod), refused('edge', [central]))).toEqual(['notConfigured', 'notConfigured']);
  });

  test.each([
    ['the other is only refused', refused('edge', [central]), refused('prod', [clash])],
    ['the other is not previewed', refused('edge', [central]), page({ ...prod, 'phoenix:memory': '2GB' })],
    ['something else is wrong with it', refused('edge', [central, clash]), refused('prod', [clash])],
  ])('is refused where %s', (_, edge, other) => {
    expect(outcomes(edge, other)).toEqual(['refused', 'refused']);
  });

  test('is refused where something else is wrong with it, though the other is not configured', () => {
    expect(outcomes(refused('edge', [central, clash]), page(prod))).toEqual(['refused', 'notConfigured']);
  });
});
