/**
 * The workflow files: what they may do, and their steps as the files have them, with stand-ins for what they call on.
 * What takes long or needs Docker is in __tests__/e2e/workflows.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { cacheRoot } from '../lab';
import { expectPublished } from './e2e/setup';
import { fakeGitHub, pull, repository, token, type FakeGitHub } from './support/fake-github';
import { tempDir } from './support/temp';
import { folder, runJob, workflow, type Done, type Job, type Place, type Step } from './support/workflow';

const files = fs.readdirSync(folder).sort();
const install = 'Install the packages';
const source = (file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');
const jobs = files.flatMap((file) => Object.entries(workflow(file).jobs).map(([name, job]): [string, Job] => [`${file} ${name}`, job]));
const steps = jobs.flatMap(([where, { steps: list = [] }]) => list.map((step, number): [string, Step] => [`${where} ${number + 1}`, step]));
const stepOf = (where: string, name: string): Step => steps.find(([at, step]) => at.startsWith(where) && (step.name ?? step.uses?.split('@')[0]) === name)?.[1] ?? {};

const guide = fs.readFileSync('docs/ci.md', 'utf8');
const { scripts } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** All that a pattern's first group finds, once each and sorted. */
const found = (text: string, pattern: RegExp): string[] => [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].sort();
const everything = files.map(source).join('\n');

test('there are these', () => {
  expect(files).toEqual(['comment.yml', 'deploy-stack.yml', 'deploy.yml', 'e2e.yml', 'preview.yml']);
});

describe('what they may do', () => {
  test('all may read; only the comment of a pull request may be written', () => {
    expect(Object.fromEntries(files.map((file) => [file, workflow(file).permissions]))).toEqual({
      'comment.yml': {},
      'deploy-stack.yml': { contents: 'read' },
      'deploy.yml': { contents: 'read' },
      'e2e.yml': { contents: 'read' },
      'preview.yml': { contents: 'read' },
    });
    expect(jobs.filter(([, { permissions }]) => permissions).map(([where, { permissions }]) => [where, permissions])).toEqual([
      ['comment.yml comment', { contents: 'read', actions: 'read', 'pull-requests': 'write' }],
      ['deploy.yml choose', {}],
    ]);
  });

  test('a pull request starts what has its rights, and nothing else', () => {
    const starts = (file: string): string[] => {
      const { on } = workflow(file);
      return typeof on === 'string' ? [on] : Object.keys(on);
    };
    expect(Object.fromEntries(files.map((file) => [file, starts(file)]))).toEqual({
      'comment.yml': ['workflow_run'],
      'deploy-stack.yml': ['workflow_call'],
      'deploy.yml': ['push', 'workflow_dispatch'],
      'e2e.yml': ['workflow_dispatch', 'schedule'],
      'preview.yml': ['pull_request'],
    });
  });

  test('no text of a pull request becomes part of a script', () => {
    expect(steps.filter(([, { run }]) => run?.includes('${{'))).toEqual([]);
  });

  test("actions are GitHub's own, each at one commit whose version is said", () => {
    const uses = [...everything.matchAll(/uses: (\S+)(.*)$/gm)].map(([, what = '', rest = '']) => what + rest).filter((what) => !what.startsWith('./'));
    expect(uses.filter((what) => !/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what))).toEqual([]);
    const commits = [...new Set(uses)].map((what) => what.split('@')[0]);
    expect(commits.sort()).toEqual(['actions/checkout', 'actions/download-artifact', 'actions/setup-node', 'actions/upload-artifact']);
  });

  test('no checkout leaves its token behind, and none is of anything but what the event is about', () => {
    const checkouts = steps.filter(([, { uses = '' }]) => uses.startsWith('actions/checkout@'));
    expect(checkouts.map(([where, step]) => [where, step.with])).toEqual(checkouts.map(([where]) => [where, { 'persist-credentials': false }]));
    expect(checkouts).toHaveLength(5);
  });

  test('credentials are in the steps that need them', () => {
    const given = ([, { env = {} }]: [string, { env?: Step['env'] }]): string[] => Object.entries(env).filter(([, value]) => /secrets\.|github\.token/.test(String(value))).map(([name]) => name);
    expect(jobs.flatMap(given)).toEqual([]);
    expect(Object.fromEntries(steps.filter((step) => given(step).length > 0).map((step) => [step[1].name, given(step)]))).toEqual({
      'Make or update the comment': ['GITHUB_TOKEN'],
      'What a deployment needs': ['PULUMI_ACCESS_TOKEN', 'PULUMI_BACKEND_URL', 'DOCKER_SSH_KEY'],
      'SSH to the Docker host': ['DOCKER_SSH_KEY'],
      'Deploy, and read a trace back': ['PULUMI_ACCESS_TOKEN', 'PULUMI_BACKEND_URL', 'PULUMI_CONFIG_PASSPHRASE', 'CLOUDFLARE_API_TOKEN'],
      'Preview of every environment': ['PULUMI_ACCESS_TOKEN', 'PULUMI_BACKEND_URL', 'PULUMI_CONFIG_PASSPHRASE', 'CLOUDFLARE_API_TOKEN'],
    });
  });

  test('packages are installed first, by themselves, without credentials and without scripts of theirs', () => {
    const working = jobs.filter(([, { steps: list = [] }]) => list.some(({ uses = '' }) => uses.startsWith('actions/checkout@')));
    expect(working.map(([where]) => where)).toEqual(['comment.yml comment', 'deploy-stack.yml deploy', 'e2e.yml e2e', 'preview.yml check', 'preview.yml preview']);
    for (const [, { steps: list = [] }] of working) {
      const [first, ...later] = list.filter(({ run }) => run !== undefined);
      expect(first).toEqual({ name: install, run: 'npm ci --ignore-scripts --include=dev --no-audit --no-fund' });
      expect(later.filter(({ run = '' }) => /npm (ci|i|install)\b|npx/.test(run))).toEqual([]);
    }
  });

  test('the Pulumi CLI is installed without credentials, and makes no state', () => {
    const installing = steps.filter(([, { name }]) => name === 'Install the Pulumi CLI');
    expect(installing.map(([where, { env, run }]) => [where.split(' ')[0], env, run])).toEqual(
      ['deploy-stack.yml', 'preview.yml'].map((file) => [file, undefined, 'PULUMI_BACKEND_URL="file://$RUNNER_TEMP" npm run --silent pulumi -- version\n'.trim()]));
  });

  test('what may write, or deploys, shares no cache with what a pull request fills', () => {
    const cached = steps.filter(([, { uses = '' }]) => uses.startsWith('actions/setup-node@')).map(([where, step]) => [where.split(' ')[0], 'cache' in (step.with ?? {})]);
    expect(cached).toEqual([['comment.yml', false], ['deploy-stack.yml', false], ['e2e.yml', false], ['preview.yml', true], ['preview.yml', true]]);
  });
});

describe('what they name is there', () => {
  test('commands', () => {
    const named = found(steps.map(([, { run = '' }]) => run).join('\n'), /npm (?:run (?:--silent )?)?([a-z0-9]+)/g);
    expect(named).toEqual(['ci', 'comment', 'e2e', 'preview', 'pulumi', 'test', 'up', 'verify']);
    expect(named.filter((name) => name !== 'ci' && !(name in scripts))).toEqual([]);
  });

  test('stacks: each has its settings, is deployed in order, and can be chosen', () => {
    const { on, jobs: deployments } = workflow('deploy.yml');
    const { choose, ...called } = deployments;
    const stacks = Object.entries(called).map(([name, { with: inputs = {} }]) => [name, inputs['stack']]);
    expect(stacks).toEqual([['prod', 'prod'], ['edge', 'edge']]);
    expect(stacks.filter(([name]) => !fs.existsSync(`Pulumi.${name}.yaml`))).toEqual([]);
    expect(on).toMatchObject({ push: { branches: ['main'] }, workflow_dispatch: { inputs: { stack: { options: ['prod', 'edge'] } } } });
    expect(Object.keys(choose?.outputs ?? {})).toEqual(['prod', 'edge']);
    expect(called['prod']).toMatchObject({ needs: 'choose', if: "needs.choose.outputs.prod == 'true'" });
    expect(called['edge']).toMatchObject({ needs: ['choose', 'prod'], if: "${{ !failure() && !cancelled() && needs.choose.outputs.edge == 'true' }}" });
    for (const { uses = '', secrets } of Object.values(called)) {
      expect(fs.existsSync(uses)).toBe(true);
      expect(secrets).toBe('inherit');
    }
  });

  test('a stack is deployed with the approval of its environment, one run after the other', () => {
    const { on, jobs: { deploy } } = workflow('deploy-stack.yml');
    expect(Object.keys((on as { workflow_call: { inputs: object } }).workflow_call.inputs)).toEqual(['stack']);
    expect(deploy).toMatchObject({ environment: '${{ inputs.stack }}', concurrency: { group: 'deploy-${{ inputs.stack }}', 'cancel-in-progress': false } });
  });

  test('the run whose page is posted, and the page', () => {
    const { on } = workflow('comment.yml');
    expect(on).toEqual({ workflow_run: { workflows: [workflow('preview.yml').name], types: ['completed'] } });
    const kept = stepOf('preview.yml', 'Keep the page for the comment');
    expect(kept.with).toMatchObject({ name: 'preview', path: 'preview.md', 'if-no-files-found': 'error' });
    expect(stepOf('comment.yml', 'actions/download-artifact').with).toMatchObject({ name: kept.with?.['name'], 'run-id': '${{ github.event.workflow_run.id }}' });
  });

  test('secrets and variables: the guide has all of them, and no other', () => {
    const names = found(everything, /\b(?:secrets|vars)\.([A-Z_]+)/g);
    expect(names).toEqual(['CLOUDFLARE_API_TOKEN', 'DEPLOY', 'DEPLOY_RUNNER', 'DOCKER_KNOWN_HOSTS', 'DOCKER_SSH_KEY', 'PULUMI_ACCESS_TOKEN', 'PULUMI_BACKEND_URL', 'PULUMI_CONFIG_PASSPHRASE']);
    expect(found(guide, /^\| `([A-Z_]+)`/gm)).toEqual(names);
  });

  test('workflows and commands of the guide', () => {
    expect(found(guide, /`([a-z0-9-]+\.yml)`/g)).toEqual(files);
    const named = found(guide, /npm run (?:--silent )?([a-z0-9]+)/g);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("GitLab's example is YAML, and runs the commands that GitHub's files run", () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(guide) ?? [];
    const { preview } = yaml.load(example) as { preview: { rules: object[]; script: string[] } };
    expect(preview.rules).toEqual([{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
    expect(preview.script[0]).toBe(stepOf('preview.yml', 'Types, style and unit tests').run);
    expect(preview.script[1]).toContain('npm run --silent preview -- --all --markdown --offline > preview.md');
    expect(preview.script.filter((line) => typeof line !== 'string')).toEqual([]);
  });

  test("the guide's list of the comment's variables is what the command asks for", () => {
    const asked = found(fs.readFileSync('ops/comment.ts', 'utf8'), /^ {2}([A-Z_]+): '/gm);
    expect(asked).toHaveLength(7);
    expect(asked.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});

const nothing = (): void => {};
const setUp = { 'actions/checkout': nothing, 'actions/setup-node': nothing };

const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
/** Variables by which a workflow hands over its secrets. */
const secretNames = found(everything, /^ +([A-Z_]+): \$\{\{ (?:secrets\.|github\.token)/gm);

/**
 * A checkout of what is here, with its dependencies and an npm that installs nothing.
 * @param commands lines of shell that run instead of these commands, with their arguments
 */
function checkout(commands: Readonly<Record<string, string>> = {}): string {
  const dir = tempDir();
  for (const name of ['.github', 'components', 'engine', 'ops', 'provider', 'settings', 'stack', 'package-lock.json', ...fs.readdirSync('.').filter((file) => /^Pulumi\..*yaml$/.test(file))]) {
    fs.cpSync(name, path.join(dir, name), { recursive: true });
  }
  const replaced = Object.entries({ pulumi: 'echo "Pulumi: $* with $PULUMI_BACKEND_URL" >&2', ...commands }).map(([name, line]) => [name, `sh -c '${line}' ${name}`]);
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ scripts: { ...scripts, ...Object.fromEntries(replaced) } }));
  const modules = path.join(dir, 'node_modules');
  fs.mkdirSync(modules);
  for (const name of fs.readdirSync('node_modules').filter((each) => each !== '.installed-from')) {
    fs.symlinkSync(path.resolve('node_modules', name), path.join(modules, name));
  }
  // By this the entry of the commands knows that nothing is to be installed.
  fs.writeFileSync(path.join(modules, '.installed-from'), createHash('sha256').update(fs.readFileSync('package-lock.json')).digest('hex'));
  fs.mkdirSync(binIn(dir));
  // Says which credentials the packages' scripts would have seen.
  const installs = `echo "npm $*"; env | grep -oE '^(${secretNames.join('|')})=' || true`;
  fs.writeFileSync(path.join(binIn(dir), 'npm'), `#!/bin/sh\n[ "$1" = ci ] || exec '${npm}' "$@"\n(${installs}) > '${dir}/installed'\n`, { mode: 0o755 });
  return dir;
}

/** Programs that stand in for others in a checkout. */
const binIn = (dir: string): string => path.join(dir, 'bin');

/** Runs a job in a checkout. @returns how it ended; that it has installed the packages, and only these, is seen to */
async function inCheckout(file: string, name: string, { env = {}, ...place }: Place): Promise<Done> {
  const done = await runJob(file, name, { ...place, env: { ...env, PATH: [binIn(place.dir), process.env['PATH']].join(path.delimiter) } });
  expect(fs.readFileSync(path.join(place.dir, 'installed'), 'utf8')).toBe('npm ci --ignore-scripts --include=dev --no-audit --no-fund\n');
  return done;
}

test('the tests of a pull request are the ones of the README', async () => {
  const dir = checkout({ test: 'echo tests "$@"' });
  const { ok, log } = await inCheckout('preview.yml', 'check', { dir, contexts: {}, actions: setUp });
  expect({ ok, said: log.trim().split('\n').at(-1) }).toEqual({ ok: true, said: 'tests --ci' });
});

describe('the preview of a pull request', () => {
  const telling = 'echo "options $*" >&2; echo "passphrase ${PULUMI_CONFIG_PASSPHRASE-not set}" >&2; cat page.md';

  const same = '### `dev`: nothing changes\n';

  /** Runs the job with a preview that prints this page. @returns how it ended, and the page that it kept */
  async function preview(command: string, page = same, secrets: Readonly<Record<string, string>> = {}): Promise<Done & { kept: string | undefined }> {
    const dir = checkout({ preview: command });
    fs.writeFileSync(path.join(dir, 'page.md'), page);
    let kept: string | undefined;
    const done = await inCheckout('preview.yml', 'preview', {
      dir,
      contexts: { secrets },
      actions: { ...setUp, 'actions/upload-artifact': ({ path: file = '' }) => (kept = fs.readFileSync(path.join(dir, file), 'utf8')) },
    });
    return { ...done, kept };
  }

  test('without credentials asks nobody, and keeps the page', async () => {
    const { ok, kept, log, summary } = await preview(telling);
    expect({ ok, kept, summary }).toEqual({ ok: true, kept: same, summary: kept });
    expect(log).toMatch(/^options --all --markdown --offline\npassphrase not set$/m);
    expect(log).toMatch(/^Pulumi: version with file:\/\/\/.+$/m);
  });

  test.each([
    ['PULUMI_ACCESS_TOKEN', { PULUMI_ACCESS_TOKEN: 'pul-1' }, 'passphrase not set'],
    ['PULUMI_BACKEND_URL', { PULUMI_BACKEND_URL: 's3://state', PULUMI_CONFIG_PASSPHRASE: 'correct horse' }, 'passphrase correct horse'],
  ])('with %s compares with the state', async (_, secrets, passphrase) => {
    const { ok, log } = await preview(telling, undefined, secrets);
    expect({ ok, log: log.trim().split('\n').slice(-2) }).toEqual({ ok: true, log: ['options --all --markdown', passphrase] });
  });

  test('that is refused fails the job, and its page is there', async () => {
    const page = `${same}\n### \`prod\`: refused; nothing would be changed\n`;
    const done = await preview(`${telling}; exit 1`, page);
    expect(done).toMatchObject({ ok: false, kept: page, summary: page, ran: expect.arrayContaining(['Preview of every environment', 'Keep the page for the comment']) });
  });

  test('that ends without a page says that', async () => {
    const page = 'The preview ended without a page; the log of the run says why.\n';
    expect(await preview('exit 7')).toMatchObject({ ok: false, kept: page, summary: page });
  });
});

describe('the end-to-end tests', () => {
  test.each([
    ['all of them', {}, '--ci'],
    ['those that are asked for', { tests: 'auth|tunnel' }, '--ci,auth|tunnel'],
  ])('%s, after the unit tests, and only with what is published', async (_, inputs, args) => {
    const dir = checkout({ test: 'echo "tests $*"', e2e: 'IFS=","; echo "e2e $*, published: $E2E_PUBLISHED"' });
    fs.writeFileSync(path.join(binIn(dir), 'docker'), '#!/bin/sh\necho "docker $*"\n', { mode: 0o755 });
    const { ok, log } = await inCheckout('e2e.yml', 'e2e', { dir, contexts: { inputs }, actions: setUp });
    expect({ ok, said: log.split('\n').filter((line) => /^(tests|e2e|docker) /.test(line)) }).toEqual({
      ok: true, said: ['docker version', 'docker compose version', 'tests --ci', `e2e ${args}, published: true`],
    });
  });

  const cli = '/home/runner/.pulumi/versions/3.259.0/bin/pulumi';
  const images = { phoenix: 'arizephoenix/phoenix:version-20.26.1-nonroot', alloy: 'grafana/alloy:v1.18.1' };
  const built = path.join(cacheRoot(), 'pulumi-3.259.0', 'pulumi');

  test('begin with the published CLI, plugins and images', () => {
    expect(() => expectPublished({ pulumi: cli, env: { PULUMI_SKIP_UPDATE_CHECK: 'true' } }, images)).not.toThrow();
  });

  test.each<[string, Parameters<typeof expectPublished>, string]>([
    ['a CLI that was built', [{ pulumi: built, env: {} }, images], `the Pulumi CLI (${built})`],
    ['stand-ins of plugins', [{ pulumi: cli, env: { PATH: '/cache/stand-ins:/usr/bin' } }, images], 'provider plugins (/cache/stand-ins)'],
    ['an image that was built', [{ pulumi: cli, env: {} }, { ...images, alloy: 'lab/alloy:1.11.0' }], 'the image of alloy (lab/alloy:1.11.0)'],
  ])('do not begin with %s', (_, given, named) => {
    expect(() => expectPublished(...given)).toThrow(new Error(`E2E_PUBLISHED is set, and these are not the published ones: ${named}`));
  });

  test('run as the user of the runner, on the Node of the other workflows', () => {
    expect(workflow('e2e.yml').jobs['e2e']).toMatchObject({ 'runs-on': 'ubuntu-24.04' });
    expect(source('e2e.yml')).not.toMatch(/sudo|container:/);
    expect(new Set(steps.flatMap(([, { with: inputs = {} }]) => ('node-version' in inputs ? [inputs['node-version']] : [])))).toEqual(new Set([22]));
  });
});

describe('the comment on a pull request', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  const fork = 'ada/llm-observability';
  // A name that is a piece of shell, as a fork may choose it.
  const branch = 'a"$(touch$IFS$0.was-run)';
  const dir = checkout();

  /** Runs the job after a run for the fork's commit that has left this page, or a link. */
  function comment(github: FakeGitHub, page: string | { leadsTo: string }, head: object = {}): Promise<Done> {
    const run = { id: '77', html_url: `https://github.com/${repository}/actions/runs/77`, head_repository: { full_name: fork }, head_branch: branch, head_sha: commit, ...head };
    const place: Place = {
      dir,
      contexts: { github: { token, event: { workflow_run: run } } },
      env: { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: repository },
      actions: {
        ...setUp,
        'actions/download-artifact': ({ path: to = '' }) => {
          fs.mkdirSync(to);
          const file = path.join(to, 'preview.md');
          return typeof page === 'string' ? fs.writeFileSync(file, page) : fs.symlinkSync(page.leadsTo, file);
        },
      },
    };
    return inCheckout('comment.yml', 'comment', place);
  }
  const texts = ({ comments }: FakeGitHub): string[] => [...comments.values()].flat().map(({ body }) => body);

  test('is made, then updated, and says whose page it is', async () => {
    const github = await fakeGitHub([pull(3, fork, branch, commit)]);
    expect(await comment(github, '# dev\n\nOne change.\n')).toMatchObject({ ok: true });
    const { ok, log } = await comment(github, '# dev\n\nNo change, @ada.\n');
    expect({ ok, log: log.trim().split('\n').at(-1) }).toEqual({ ok: true, log: `On pull request 3: https://github.com/${repository}/pull/3#issuecomment-1001` });
    expect(texts(github)).toEqual([expect.stringMatching(/^<!-- .*\nPreview of commit `0123456`, .* of the fork ada\/llm-observability made it.*\n\n# dev\n\nNo change, @\u200bada\.\n$/)]);
    expect(fs.readdirSync(dir).filter((name) => name.includes('was-run'))).toEqual([]);
    expect(log).not.toContain(token);
  });

  test('a commit that is no longer the newest changes nothing', async () => {
    const github = await fakeGitHub([pull(3, fork, branch, 'f'.repeat(40))]);
    expect(await comment(github, 'An old page.\n')).toMatchObject({ ok: true, log: expect.stringContaining('a newer commit has its own page') });
    expect(texts(github)).toEqual([]);
  });

  test('a page that is a link to something of the runner fails', async () => {
    const github = await fakeGitHub([pull(3, fork, branch, commit)]);
    expect(await comment(github, { leadsTo: '/proc/self/environ' })).toMatchObject({ ok: false, log: expect.stringContaining('is not a regular file. Nothing was posted.') });
    expect(texts(github)).toEqual([]);
  });
});

describe('what is deployed', () => {
  const off = (stack: string): string => `Deployment of ${stack} is off. To switch it on: gh variable set DEPLOY --body true`;
  const on = (stack: string): string => `${stack} is deployed.`;
  const choose = (vars: Readonly<Record<string, string>>, inputs: Readonly<Record<string, string>>): Promise<Done> =>
    runJob('deploy.yml', 'choose', { dir: '.', contexts: { vars, inputs }, actions: {} });

  test.each<[string, string | undefined, string | undefined, string[]]>([
    ['a fork deploys nothing', undefined, undefined, []],
    ['nor does an empty variable', '', undefined, []],
    ['nor one that says no', 'false', undefined, []],
    ['nor one that names something else', 'production,edges', undefined, []],
    ['true is all of them', 'true', undefined, ['prod', 'edge']],
    ['names are these', 'prod', undefined, ['prod']],
    ['names may be several', 'edge, prod', undefined, ['prod', 'edge']],
    ['by hand it is the one that was chosen', 'true', 'edge', ['edge']],
    ['by hand nothing is deployed that is off', 'edge', 'prod', []],
  ])('%s', async (_, deploy, chosen, deployed) => {
    const asked = chosen === undefined ? ['prod', 'edge'] : [chosen];
    const said = asked.map((stack) => `${deployed.includes(stack) ? on(stack) : off(stack)}\n`).join('');
    const done = await choose(deploy === undefined ? {} : { DEPLOY: deploy }, chosen === undefined ? {} : { stack: chosen });
    expect(done).toEqual({
      ok: true, ran: ['What is deployed'], log: said, summary: said,
      outputs: { prod: deployed.includes('prod') ? 'true' : '', edge: deployed.includes('edge') ? 'true' : '' },
    });
  });
});

describe('the deployment of a stack', () => {
  const access = { PULUMI_ACCESS_TOKEN: 'pul-1' };
  const remote = { secrets: { ...access, DOCKER_SSH_KEY: 'THE KEY' }, vars: { DOCKER_KNOWN_HOSTS: 'host ssh-ed25519 AAAA' }, settings: 'docker:host: ssh://deploy@host' };
  const deploying = 'echo "{\\"up\\":\\"$*\\"}"; echo "passphrase ${PULUMI_CONFIG_PASSPHRASE-not set}, agent ${SSH_AUTH_SOCK-none}" >&2';

  interface Given {
    readonly secrets?: Readonly<Record<string, string>>;
    readonly vars?: Readonly<Record<string, string>>;
    /** A line of the stack's settings. */
    readonly settings?: string;
    readonly runner?: 'github-hosted' | 'self-hosted';
    readonly up?: string;
    readonly verify?: string;
    /** Of the runner's user. Default: an empty one. */
    readonly home?: string;
  }

  /** Runs the job with stand-ins for up, verify and the programs of SSH. @returns how it ended, and the home folder that it had */
  async function deploy({ secrets = {}, vars = {}, settings = 'phoenix:auth: "true"', runner = 'github-hosted', up = deploying, verify = 'echo verified "$@"', home = tempDir() }: Given): Promise<Done & { home: string }> {
    const dir = checkout({ up, verify });
    fs.writeFileSync(path.join(dir, 'Pulumi.prod.yaml'), `config:\n  phoenix:cpus: "2"\n  ${settings}\n`);
    const bin = binIn(dir);
    fs.writeFileSync(path.join(bin, 'ssh-agent'), '#!/bin/sh\necho "SSH_AUTH_SOCK=/agent.1; export SSH_AUTH_SOCK;"\n', { mode: 0o755 });
    fs.writeFileSync(path.join(bin, 'ssh-add'), '#!/bin/sh\necho "$SSH_AUTH_SOCK $*" > ~/added\ncat >> ~/added\n', { mode: 0o755 });
    const done = await inCheckout('deploy-stack.yml', 'deploy', {
      dir,
      contexts: { secrets, vars, inputs: { stack: 'prod' } },
      env: { HOME: home, RUNNER_ENVIRONMENT: runner },
      actions: setUp,
    });
    return { ...done, home };
  }

  test('to a host that is reached over SSH', async () => {
    const { ok, log, summary, home } = await deploy(remote);
    expect({ ok, summary }).toEqual({ ok: true, summary: '{"up":"--stack prod --yes --json"}\n' });
    expect(log).toMatch(/^passphrase not set, agent \/agent\.1$/m);
    expect(log).toMatch(/^verified --stack prod$/m);
    expect(fs.readFileSync(path.join(home, '.ssh', 'known_hosts'), 'utf8')).toBe('host ssh-ed25519 AAAA\n');
    expect(fs.statSync(path.join(home, '.ssh')).mode & 0o777).toBe(0o700);
    expect(fs.readFileSync(path.join(home, 'added'), 'utf8')).toBe('/agent.1 -q -\nTHE KEY\n');
    expect(log).not.toContain('THE KEY');
  });

  test('a runner that keeps its home has each host key once, and its own as well', async () => {
    const home = tempDir();
    const file = path.join(home, '.ssh', 'known_hosts');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, 'other ssh-ed25519 BBBB\n');
    const two = { ...remote, vars: { DOCKER_KNOWN_HOSTS: 'host ssh-ed25519 AAAA\nhost ssh-rsa CCCC' }, home };
    expect([(await deploy(two)).ok, (await deploy(two)).ok]).toEqual([true, true]);
    expect(fs.readFileSync(file, 'utf8')).toBe('other ssh-ed25519 BBBB\nhost ssh-ed25519 AAAA\nhost ssh-rsa CCCC\n');
  });

  test('with a state of its own, from a runner beside the host', async () => {
    const secrets = { PULUMI_BACKEND_URL: 's3://state', PULUMI_CONFIG_PASSPHRASE: 'correct horse' };
    const { ok, log, home } = await deploy({ secrets, runner: 'self-hosted' });
    expect(ok).toBe(true);
    expect(log).toMatch(/^No DOCKER_SSH_KEY: SSH is used as this runner has it\.$/m);
    expect(log).toMatch(/^passphrase correct horse, agent /m);
    expect(fs.existsSync(path.join(home, '.ssh'))).toBe(false);
  });

  test.each<[string, Given, boolean]>([
    ['a trace that does not arrive', { ...remote, up: `${deploying}; exit 1` }, false],
    ['a trace that does not arrive once more', { ...remote, verify: 'echo verified; exit 1' }, true],
  ])('%s fails it', async (_, given, verified) => {
    const { ok, log, summary } = await deploy(given);
    expect({ ok, summary, verified: /^verified/m.test(log) }).toEqual({ ok: false, summary: '{"up":"--stack prod --yes --json"}\n', verified });
  });

  const noState = '::error::Environment prod has neither PULUMI_ACCESS_TOKEN nor PULUMI_BACKEND_URL: the state would be gone with this runner. To fix it: gh secret set PULUMI_ACCESS_TOKEN --env prod';
  const thrownAway = (host: string): string =>
    `::error::docker:host of stack prod is '${host}': it would be deployed to this runner, which is thrown away after the job. To fix it: npm run pulumi -- config set docker:host ssh://USER@HOST --stack prod, or a self-hosted runner: gh variable set DEPLOY_RUNNER`;
  const noKey = '::error::Environment prod has no DOCKER_SSH_KEY, and ssh://deploy@host lets nobody in without one. To fix it: gh secret set DOCKER_SSH_KEY --env prod < KEY_FILE';
  const noHosts = '::error::Environment prod has a DOCKER_SSH_KEY and no DOCKER_KNOWN_HOSTS: anybody could be the host it is shown to. To fix it: ssh-keyscan HOST | gh variable set DOCKER_KNOWN_HOSTS --env prod';

  test.each<[string, Given, string[]]>([
    ['nothing', {}, [noState, thrownAway('')]],
    ['a Docker host on the runner', { secrets: access, settings: 'docker:host: unix:///var/run/docker.sock' }, [thrownAway('unix:///var/run/docker.sock')]],
    ['a Docker host that is only commented', { secrets: access, settings: '# docker:host: ssh://deploy@host' }, [thrownAway('')]],
    ['no key', { secrets: access, settings: 'docker:host: "ssh://deploy@host" # the server' }, [noKey]],
    ['no state and a key without its host', { ...remote, secrets: { DOCKER_SSH_KEY: 'THE KEY' }, vars: {} }, [noState, noHosts]],
    ['no state, on a runner of its own', { runner: 'self-hosted' }, [noState]],
  ])('with %s is refused, all problems at once, before anything runs', async (_, given, problems) => {
    const { ok, log, ran } = await deploy(given);
    expect({ ok, log: log.trim().split('\n').slice(1) }).toEqual({ ok: false, log: [...problems, `${problems.length} problems; nothing was changed.`] });
    expect(ran.at(-1)).toBe('What a deployment needs');
  });

  test.each<[string, Given]>([
    ['a Docker host behind TCP', { secrets: access, settings: "docker:host: 'tcp://host:2376'" }],
    ['a runner of its own that has its own keys', { secrets: access, settings: remote.settings, runner: 'self-hosted' }],
  ])('with %s goes on', async (_, given) => {
    expect(await deploy(given)).toMatchObject({ ok: true });
  });
});
