import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../lab/engine';
import { cacheKey, type Recipe } from '../../lab/recipe';
import { putPrograms } from '../support/programs';

const recipe: Recipe = { name: 'Thing', version: '1.2.3', inputs: [], from: 'nowhere', cost: { minutes: 1, engine: 10 } };
const tag = 'lab/thing:1.2.3';
const env = { DOCKER_HOST: 'unix:///run/other.sock' };

let dir: string;
let takeBack: () => void;
const before = process.env.XDG_CACHE_HOME;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'engine-'));
  process.env.XDG_CACHE_HOME = dir;
});
afterEach(() => {
  takeBack();
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  rmSync(dir, { recursive: true });
});

/** The docker command line on an engine whose one image, if any, has the label in the file `label` and is called sha256:1. */
function docker(version = 'echo 28.5.2'): void {
  takeBack = putPrograms(join(dir, 'bin'), {
    docker: `echo "$DOCKER_HOST $DOCKER_BUILDKIT $*" >> '${join(dir, 'log')}'
      case "$1" in
        version) ${version} ;;
        image) case "$2 $4" in
          inspect*Labels*) cat '${join(dir, 'label')}' 2>/dev/null || { echo 'Error: No such image: ${tag}' >&2; exit 1; } ;;
          inspect*Id*) [ -e '${join(dir, 'label')}' ] && echo sha256:1 ;;
        esac ;;
      esac`,
  });
}
const label = (key: string): void => writeFileSync(join(dir, 'label'), `${key}\n`);
const logged = (): string[] => readFileSync(join(dir, 'log'), 'utf8').trim().split('\n');

test('an image of the same recipe is not made again', async () => {
  docker();
  label(cacheKey(recipe));
  const make = jest.fn();
  await expect(new Engine(env).ensure(tag, recipe, make)).resolves.toBe(tag);
  expect(make).not.toHaveBeenCalled();
});

test('every call goes to the engine of the variables, and this process keeps its own', async () => {
  docker();
  const engine = new Engine(env);
  await engine.ensure(tag, recipe, async (key) => {
    await engine.docker(['build', '.']);
    label(key);
  });
  expect(logged().length).toBeGreaterThan(3);
  expect(logged().filter((line) => !line.startsWith('unix:///run/other.sock 0 '))).toEqual([]);
  expect(logged()).toContain('unix:///run/other.sock 0 build .');
  expect(process.env.DOCKER_HOST).not.toBe(env.DOCKER_HOST);
});

test('one that another recipe made is replaced, and the old one removed', async () => {
  docker();
  label('thing-1.2.3-0123456789ab');
  await new Engine().ensure(tag, recipe, async (key) => label(key));
  expect(logged().at(-2)).toMatch(/ image rm sha256:1$/);
});

test('two who want it at once make it once, on each engine', async () => {
  docker();
  const make = jest.fn(async (key: string) => label(key));
  const engines = [new Engine(env), new Engine(env)];
  await Promise.all(engines.map((engine) => engine.ensure(tag, recipe, make)));
  expect(make).toHaveBeenCalledTimes(1);
  rmSync(join(dir, 'label'));
  await Promise.all([engines[0].ensure(tag, recipe, make), new Engine().ensure(tag, recipe, make)]);
  expect(make.mock.calls.length).toBeGreaterThanOrEqual(2);
  expect(readdirSync(join(dir, 'llm-observability'))).toEqual([]);
});

test('no engine: what docker says, before anything is made', async () => {
  docker("echo 'Cannot connect to the Docker daemon at unix:///run/other.sock. Is the docker daemon running?' >&2; exit 1");
  const make = jest.fn();
  await expect(new Engine(env).ensure(tag, recipe, make)).rejects.toThrow(
    `No Docker engine answers, and ${tag} is to be made for one: Cannot connect to the Docker daemon at unix:///run/other.sock. Is the docker daemon running?\n`,
  );
  expect(make).not.toHaveBeenCalled();
});

test('what fails is told as it is, and the next try begins afresh', async () => {
  docker();
  const engine = new Engine();
  await expect(engine.ensure(tag, recipe, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(readdirSync(join(dir, 'llm-observability'))).toEqual([]);
  await expect(engine.ensure(tag, recipe, async (key) => label(key))).resolves.toBe(tag);
});

test('a make that leaves no image is a failure', async () => {
  docker();
  await expect(new Engine().ensure(tag, recipe, async () => undefined)).rejects.toThrow(`${tag} was made, but the engine does not have it`);
});
