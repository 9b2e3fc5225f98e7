/** Settings of the AI service to try a stack with. */
import { exampleKeys } from '../../settings/example';
import type { Problem } from '../../settings/problem';
import { freePorts, publishedPorts } from '../../settings/ports';
import { readSettings } from '../../settings/settings';
import { rows } from '../support/rows';

type Part = 'enabled' | 'port' | 'model' | 'modelName' | 'modelKey';
const read = (parts: Partial<Record<Part, string>>, more: Readonly<Record<string, string>> = {}): ReturnType<typeof readSettings> =>
  readSettings({ ...more, ...Object.fromEntries(Object.entries(parts).map(([part, value]) => [`example:${part}`, value])) }, 'llm-observability', (key) => key === 'example:modelKey');
const problems = (...args: Parameters<typeof read>): Problem[] => [...read(...args).problems];

const model = 'https://api.example.com/v1';

test('every setting, set', () => {
  const set = { enabled: 'true', port: '20000', model, modelName: 'small', modelKey: 'k' };
  expect(Object.keys(set).map((part) => `example:${part}`)).toEqual(Object.keys(exampleKeys));
  expect(read(set)).toMatchObject({ problems: [], settings: { 'example:enabled': true, 'example:port': 20000, 'example:model': new URL(model), 'example:modelName': 'small', 'example:modelKey': 'k' } });
});

rows<[Partial<Record<Part, string>>]>([[{ model, modelName: 'small' }], [{ model: 'http://host.docker.internal:11434/v1', modelName: 'llama3.2' }]])('%j is right', (parts) => expect(problems(parts)).toEqual([]));

rows<[Partial<Record<Part, string>>, Part, string, string]>([
  [{ enabled: 'yes' }, 'enabled', 'true or false', 'set example:enabled true'],
  [{ port: '70000' }, 'port', '65535', 'rm example:port'],
  [{ model: 'api.example.com/v1', modelName: 'small' }, 'model', 'URL', 'set example:model https://api.example.com/v1'],
  [{ model: 'http://localhost:11434/v1', modelName: 'small' }, 'model', 'host.docker.internal', 'set example:model http://host.docker.internal:11434/v1'],
  [{ model: `${model}?version=1`, modelName: 'small' }, 'model', 'without a query', `set example:model ${model}`],
  [{ model }, 'model', 'example:modelName', 'set example:modelName gpt-4o-mini'],
  [{ modelName: 'small' }, 'modelName', 'example:model', 'set example:model https://api.openai.com/v1'],
  [{ modelKey: 'k' }, 'modelKey', 'example:model', 'set example:model https://api.openai.com/v1'],
])('%j', (parts, part, word, command) => {
  const [problem, ...others] = problems(parts);
  expect(others).toEqual([]);
  expect(problem?.key).toBe(`example:${part}`);
  expect(problem?.rule).toContain(word);
  expect(problem?.mend[0]).toContain(`pulumi config ${command}`);
});

describe('its port', () => {
  test('counts only where the service runs', () => {
    const [off, on] = [read({}).settings, read({ enabled: 'true' }).settings];
    expect(publishedPorts(off)).not.toContain('example:port');
    expect(publishedPorts(on)).toEqual([...publishedPorts(off), 'example:port']);
    expect(problems({ port: '6006' })).toEqual([]);
    expect(problems({ port: '65500' }, { 'ports:offset': '100' })).toEqual([]);
  });

  test('clashes with another, and the offer ends that', () => {
    const [problem, ...others] = problems({ enabled: 'true', port: '6006' });
    expect([problem?.key, others]).toEqual(['example:port', []]);
    const port = problem?.mend[0]?.split(' ').at(-1) ?? '';
    expect(problems({ enabled: 'true', port })).toEqual([]);
  });

  test('is offered none of the ports that others are offered', () => {
    const { settings } = read({ enabled: 'true' });
    expect([...freePorts('example:port', settings)].filter((port) => port >= 16_006 || port === 10_000)).toEqual([]);
  });
});
