import { images, imagesVariable } from '../../components/catalog';
import { imagesEnvironment, imagesOfThisRun } from '../../stack/run-images';
import { readSettings } from '../../settings/settings';

const told = (value?: string): ReturnType<typeof imagesOfThisRun> => imagesOfThisRun(value === undefined ? {} : { [imagesVariable]: value });

test('what a command puts into the environment is what the program finds there', () => {
  const env = imagesEnvironment({ alloy: 'lab/alloy:1.11.0', gate: 'lab/nginx:1.22.1' });
  expect(env).toEqual({ LLM_OBSERVABILITY_IMAGES: '{"alloy":"lab/alloy:1.11.0","gate":"lab/nginx:1.22.1"}' });
  expect(imagesOfThisRun(env)).toEqual({ settings: { 'alloy:image': 'lab/alloy:1.11.0', 'gate:image': 'lab/nginx:1.22.1' }, problems: [] });
});

test('where nothing stands in for a pinned image there is no variable', () => {
  expect(imagesEnvironment({})).toEqual({});
  expect([told(), told('')]).toEqual([{ settings: {}, problems: [] }, { settings: {}, problems: [] }]);
});

test('they are defaults: what the stack sets wins', () => {
  const { settings } = told('{"alloy":"lab/alloy:1.11.0","gate":"lab/nginx:1.22.1"}');
  const read = readSettings({ ...settings, 'gate:image': 'mirror.example/nginx:1.29.0' }, 'project').settings;
  expect([read['alloy:image'], read['gate:image'], read['phoenix:image']]).toEqual(['lab/alloy:1.11.0', 'mirror.example/nginx:1.29.0', images.phoenix]);
});

test.each([
  ['lab/alloy:1.11.0', /^it is JSON by service/],
  ['[]', /^it is JSON by service/],
  ['null', /^it is JSON by service/],
  ['{"alloy":1}', /^it is JSON by service/],
  ['{"loki":"lab/loki:1.0.0"}', /^there is no service loki; there are phoenix, alloy, gate, tunnel, prometheus, grafana, victorialogs$/],
  ['{"constructor":"lab/alloy:1.11.0"}', /^there is no service constructor/],
  ['{"gate":"lab/nginx:1.22.1","alloy":"grafana/alloy"}', /^the image of alloy: an image without a tag is latest/],
  ['{"alloy":"grafana/alloy:v1.0.0"}', /^the image of alloy: that version is older than/],
])('%s is refused, and then nothing of it counts', (value, rule) => {
  expect(told(value)).toEqual({ settings: {}, problems: [{ key: imagesVariable, value, rule: expect.stringMatching(rule), mend: [`unset ${imagesVariable}`] }] });
});
