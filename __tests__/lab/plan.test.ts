import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, builtPulumiCli, image, lack, plan, pulumiCli, type Part } from '../../lab';
import { alloyRecipe } from '../../lab/alloy';
import { baseRecipe } from '../../lab/base-image';
import { phoenixRecipe } from '../../lab/phoenix';
import { pulumiRecipe } from '../../lab/pulumi-cli';
import { cacheKey, type Recipe } from '../../lab/recipe';
import { putPrograms } from '../support/programs';

const all: readonly Part[] = ['pulumi', 'phoenix', 'alloy', 'gate'];

let dir: string;
let takeBack: () => void;
const before = { ...process.env };
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'plan-'));
  process.env.XDG_CACHE_HOME = join(dir, 'cache');
  process.env.DOCKER_HOST = 'first';
  // An engine that has the images whose labels are in a file, on a machine with Go and nothing to make a Debian with.
  takeBack = putPrograms(join(dir, 'bin'), {
    docker: `[ "$1 $2" = 'image inspect' ] || exit 1
      eval "tag=\\$$#"
      cat "${dir}/images/$DOCKER_HOST/$tag" 2>/dev/null || { echo "Error: No such image: $tag" >&2; exit 1; }`,
    go: 'case "$2" in GOVERSION) echo go1.26.8 ;; GOCACHE) echo /var/cache/go ;; esac',
    'dpkg-query': 'exit 1',
    'apt-get': '[ "$1" = --version ]',
  });
  jest.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(0);
});
afterEach(() => {
  takeBack();
  jest.restoreAllMocks();
  process.env = { ...before };
  rmSync(dir, { recursive: true });
});

const cache = (recipe: Recipe): void => void mkdirSync(join(dir, 'cache', 'llm-observability', cacheKey(recipe)), { recursive: true });
function putImage(tag: string, key: string, host = 'first'): void {
  const file = join(dir, 'images', host, tag);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${key}\n`);
}

test('a step for each part, in the order asked for; what several need is in the first of them', async () => {
  const steps = await plan(all);
  expect(steps.map(({ part, title, from, packages }) => ({ part, title, from, packages }))).toEqual([
    { part: 'pulumi', title: `Pulumi CLI ${pulumiRecipe.version}`, from: 'the Go module proxy', packages: [] },
    { part: 'phoenix', title: `Arize Phoenix ${phoenixRecipe.version}`, from: 'PyPI and Debian packages', packages: ['mmdebstrap', 'debian-archive-keyring'] },
    { part: 'alloy', title: `Grafana Alloy ${alloyRecipe.version}`, from: 'the Go module proxy', packages: [] },
    { part: 'gate', title: 'nginx 1.22.1', from: 'Debian packages', packages: [] },
  ]);
  const first = async (part: Part) => (await plan([part]))[0];
  expect(steps[2].megabytes).toBeLessThan((await first('alloy')).megabytes);
  expect((await first('alloy')).packages).toEqual(['mmdebstrap', 'debian-archive-keyring']);
  for (const { minutes, megabytes } of steps) {
    expect(Number.isInteger(minutes) && minutes >= 1).toBe(true);
    expect(megabytes).toBeGreaterThan(0);
  }
});

test('who is not root needs other packages', async () => {
  jest.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(1000);
  expect((await plan(['gate']))[0].packages).toEqual(['mmdebstrap', 'debian-archive-keyring', 'uidmap', 'fakechroot', 'fakeroot']);
});

test('what is in the cache is quick, and brings no package', async () => {
  const [phoenix, alloy] = await plan(['phoenix', 'alloy']);
  [pulumiRecipe, phoenixRecipe, alloyRecipe, baseRecipe].forEach(cache);
  const again = await plan(all);
  expect(again.map(({ part }) => part)).toEqual(['phoenix', 'alloy', 'gate']);
  expect(again.flatMap(({ packages }) => packages)).toEqual([]);
  expect(again[0].minutes).toBeLessThan(phoenix.minutes);
  expect(again[1].minutes).toBeLessThan(alloy.minutes);
  expect(again[1].megabytes).toBeLessThan(alloy.megabytes);
});

test('nothing where everything is there, on the engine that is meant', async () => {
  const env = { DOCKER_HOST: 'second' };
  cache(pulumiRecipe);
  const [base, phoenix] = [cacheKey(baseRecipe), cacheKey(phoenixRecipe)];
  putImage('lab/base:bookworm', base, env.DOCKER_HOST);
  putImage('lab/phoenix:20.26.1', phoenix, env.DOCKER_HOST);
  expect(await plan(['pulumi', 'phoenix'], { env })).toEqual([]);
  expect((await plan(['pulumi', 'phoenix'])).map(({ part }) => part)).toEqual(['phoenix']);
  await expect(image('phoenix', { env })).resolves.toBe('lab/phoenix:20.26.1');
});

test('what is there is found without building, all of it at once', async () => {
  expect(builtPulumiCli()).toBeUndefined();
  cache(pulumiRecipe);
  putImage('lab/phoenix:20.26.1', cacheKey(phoenixRecipe));
  const pulumi = join(dir, 'cache', 'llm-observability', cacheKey(pulumiRecipe), 'bin', 'pulumi');
  expect(builtPulumiCli()).toBe(pulumi);
  await expect(pulumiCli()).resolves.toBe(pulumi);
  await expect(build(['phoenix', 'pulumi'])).resolves.toEqual({ pulumi, phoenix: 'lab/phoenix:20.26.1' });
});

test('an image that another recipe made is to be made again', async () => {
  putImage('lab/phoenix:20.26.1', cacheKey(phoenixRecipe));
  expect(await plan(['phoenix'])).toEqual([]);
  putImage('lab/phoenix:20.26.1', 'phoenix-20.26.1-0123456789ab');
  expect((await plan(['phoenix'])).map(({ part }) => part)).toEqual(['phoenix']);
});

test('a machine that cannot install what is missing is told so by the plan', async () => {
  const off = putPrograms(join(dir, 'no-apt'), { 'apt-get': 'exit 127' });
  await expect(plan(['gate'])).rejects.toThrow('mmdebstrap, debian-archive-keyring (Debian package names) must be installed, and this machine has no apt');
  off();
});

test('a plan looks only', async () => {
  await plan(all);
  expect(readdirSync(dir).sort()).toEqual(['bin']);
});

test('disks that are too small for all steps together', async () => {
  const steps = await plan(all);
  const huge = steps.map((step) => ({ ...step, costs: [{ minutes: 1, cache: 1e11 }] }));
  const [found] = await lack(huge);
  expect(found).toMatchObject({ folder: join(dir, 'cache', 'llm-observability'), needed: 4e11 });
});
