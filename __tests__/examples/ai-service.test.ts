/**
 * The parts of examples/ai-service that need no package, run by this machine's Python. The whole service needs those of
 * Phoenix's image.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { conversations } from '../../ops/support/example/conversation';
import { tempDir } from '../support/temp';

const folder = path.resolve('examples', 'ai-service');

/** What a program prints, which finds the files of the service. @throws with what it complains about */
function python(program: string, env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync('python3', ['-Bc', `import sys; sys.path.insert(0, ${JSON.stringify(folder)})\n${program}`], { encoding: 'utf8', env: { ...process.env, ...env } });
  if (status !== 0) {
    throw new Error(stderr);
  }
  return stdout;
}

test('each file is Python', () => {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.py'));
  expect(files.length).toBeGreaterThan(4);
  expect(python(`import ast, pathlib\nfor file in ${JSON.stringify(files)}: ast.parse(pathlib.Path(${JSON.stringify(folder)}, file).read_text(), file)`)).toBe('');
});

describe('the stand-in for a model', () => {
  /** Its answers to the messages of a request, one after the other. */
  const replies = (...requests: object[]): { content: string | null; tool_calls?: { function: { arguments: string } }[] }[] =>
    JSON.parse(python(`
import json, types
class FastAPI:
    def __init__(self, **_): pass
    def post(self, _): return lambda handler: handler
sys.modules["fastapi"] = types.SimpleNamespace(FastAPI=FastAPI)
import model
print(json.dumps([model.reply(one) for one in json.loads(${JSON.stringify(JSON.stringify(requests))})]))`)) as ReturnType<typeof replies>;
  const asked = (content: string, more: object[] = []): object => ({ model: 'example-small', tools: [{}], messages: [{ role: 'user', content }, ...more] });

  test('asks for the weather of a place, and answers with it', () => {
    const [call, answer, other] = replies(asked('What should I pack for a weekend in Lisbon?'), asked('?', [{ role: 'tool', content: '{"temperature_c": 17, "wind_kmh": 24}' }]), asked('And then?'));
    expect(call?.tool_calls?.map((one) => one.function.arguments)).toEqual(['{"city": "Lisbon"}']);
    expect(answer?.content).toContain('17 °C');
    expect(other).not.toHaveProperty('tool_calls');
  });

  test('says the same each time', () => {
    const request = asked('What is the weather like in Oslo?');
    const [first, second] = replies(request, request);
    expect(first).toEqual(second);
  });

  test('the conversations have what they are for: a place whose weather is known, one whose is not, and the archive', () => {
    const places = (some: readonly (readonly string[])[]): string[] => some.flat().flatMap((message) => / in ([A-Z]\w+)/.exec(message)?.[1] ?? []);
    const known = JSON.parse(python('import guide, json; print(json.dumps(list(guide.WEATHER)))')) as string[];
    expect(places([...conversations.usual, ...conversations.slow]).filter((place) => !known.includes(place))).toEqual([]);
    expect(places(conversations.failing).map((place) => known.includes(place))).toEqual([false]);
    expect(conversations.slow.flat().join()).toContain('archive');
  });
});

test('a city without weather is an error, which names it', () => {
  expect(() => python('import guide; guide.get_weather("Atlantis")')).toThrow(/LookupError: .*Atlantis/);
});

test('the guidebook has two pages for everything, the best first', () => {
  const pages = JSON.parse(python('import guide, json; print(json.dumps(guide.search("a walk in Lisbon")))')) as [string, string, number][];
  expect(pages.map(([name]) => name)).toHaveLength(2);
  expect(pages[0]?.[0]).toBe('lisbon-walk');
});

test('on an image with the server of Phoenix, only phoenix.otel is loaded', () => {
  const packages = tempDir();
  fs.mkdirSync(path.join(packages, 'phoenix'));
  fs.writeFileSync(path.join(packages, 'phoenix', '__init__.py'), 'raise RuntimeError("the server was loaded")');
  fs.writeFileSync(path.join(packages, 'phoenix', 'otel.py'), 'loaded = "phoenix.otel alone"');
  const program = tempDir();
  fs.copyFileSync(path.join(folder, 'start.py'), path.join(program, 'start.py'));
  fs.writeFileSync(path.join(program, 'service.py'), 'from phoenix.otel import loaded\nprint(loaded, __name__)');
  const { stdout, stderr } = spawnSync('python3', ['-B', path.join(program, 'start.py')], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: packages } });
  expect([stdout, stderr]).toEqual(['phoenix.otel alone __main__\n', '']);
});
