/**
 * The workflows of .github on real parts: a pull request from a fork, from its preview to its comment, and the deployment
 * of a stack with a trace that arrives and one that does not. The steps are the files' own, in a fresh clone; GitHub is
 * on loopback. The tests build on each other, in this order.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fakeGitHub, pull, repository, token } from '../support/fake-github';
import { runJob, type Done, type Place } from '../support/workflow';
import { Checkout, docker } from './checkout';

const stack = 'ci';
const passphrase = 'the passphrase of the stacks of a test';
const environment = { PULUMI_BACKEND_URL: process.env['PULUMI_BACKEND_URL'], PULUMI_CONFIG_PASSPHRASE: process.env['PULUMI_CONFIG_PASSPHRASE'] };
let checkout: Checkout;
/** A state that outlives the runner. */
let backend: string;

beforeAll(async () => {
  checkout = await Checkout.clone(stack, 'none');
  backend = fs.mkdtempSync(path.join(os.tmpdir(), 'backend-'));
});

afterAll(async () => {
  Object.assign(process.env, secrets());
  const { code, stderr } = await checkout.command('down', ['--purge', '--yes']);
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) {
      delete process.env[name];
    } else {
      process.env[name] = value;
    }
  }
  fs.rmSync(path.dirname(checkout.dir), { recursive: true, force: true });
  fs.rmSync(backend, { recursive: true, force: true });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});

const secrets = (): Record<string, string> => ({ PULUMI_BACKEND_URL: `file://${backend}`, PULUMI_CONFIG_PASSPHRASE: passphrase });

/** A job in the clone, whose actions need nothing done but these. Its commands find the packages that its first step has installed. */
async function job(file: string, name: string, place: Partial<Place>): Promise<Done> {
  const nothing = (): void => {};
  const done = await runJob(file, name, {
    dir: checkout.dir,
    contexts: {},
    ...place,
    env: { XDG_STATE_HOME: path.dirname(checkout.state), ...place.env },
    actions: { 'actions/checkout': nothing, 'actions/setup-node': nothing, ...place.actions },
  });
  expect(done.ran).toContain('Install the packages');
  expect(done.log).not.toContain('Installing the dependencies');
  return done;
}

/** The end of what a job has said, where it did not end well. */
const complaint = ({ ok, log }: Done): string => (ok ? '' : log.slice(-6000));

describe('a pull request from a fork', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  const fork = 'ada/llm-observability';
  let page = '';

  // What its job `check` runs has run before these tests: `npm test`.
  it('is previewed without credentials, says what it could not know and what is not filled in, and is green', async () => {
    const done = await job('preview.yml', 'preview', {
      actions: { 'actions/upload-artifact': ({ path: file = '' }) => (page = fs.readFileSync(path.join(checkout.dir, file), 'utf8')) },
    });
    const files = fs.readdirSync(checkout.dir).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
    expect([...page.matchAll(/^### `(.+)`: /gm)].map(([, name]) => name).sort()).toEqual(files.sort());
    expect(page).toMatch(/^### `dev`: \d+ to create; nothing is deployed yet$/m);
    expect(page).toMatch(/^- Not known: what stack dev has already deployed/m);
    expect(page).toMatch(/^### `prod`: not configured\n\n```text\nSettings in Pulumi\.prod\.yaml are still empty\./m);
    expect(done.summary).toBe(page);
    expect(complaint(done)).toBe('');
    expect(fs.existsSync(checkout.state)).toBe(false);
  });

  it('gets the page as its comment', async () => {
    const github = await fakeGitHub([pull(7, fork, 'metrics', commit)]);
    const run = { id: '77', html_url: `https://github.com/${repository}/actions/runs/77`, head_repository: { full_name: fork }, head_branch: 'metrics', head_sha: commit };
    const done = await job('comment.yml', 'comment', {
      contexts: { github: { token, event: { workflow_run: run } } },
      env: { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: repository },
      actions: {
        'actions/download-artifact': ({ path: to = '' }) => {
          fs.mkdirSync(to);
          fs.writeFileSync(path.join(to, 'preview.md'), page);
        },
      },
    });
    expect(complaint(done)).toBe('');
    expect(github.comments.get(7)?.map(({ body }) => body)).toEqual([expect.stringContaining(page)]);
  });
});

describe('a merge', () => {
  const deployment = (): Promise<Done> => job('deploy-stack.yml', 'deploy', { contexts: { secrets: secrets(), inputs: { stack } }, env: { RUNNER_ENVIRONMENT: 'self-hosted' } });

  beforeAll(() => {
    const ports = { 'phoenix:uiPort': 27006, 'phoenix:otlpGrpcPort': 27317, 'phoenix:otlpHttpPort': 27318, 'alloy:otlpGrpcPort': 28317, 'alloy:otlpHttpPort': 28318, 'alloy:uiPort': 28345 };
    fs.writeFileSync(path.join(checkout.dir, `Pulumi.${stack}.yaml`), `config:\n${Object.entries(ports).map(([key, port]) => `  ${key}: "${port}"\n`).join('')}`);
  });

  it('is deployed, and ends with a trace that was read back', async () => {
    const done = await deployment();
    expect(complaint(done)).toBe('');
    expect(JSON.parse(done.summary)).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), endpoints: { otlpHttp: 'http://127.0.0.1:28318' } });
    expect(done.log).toMatch(/^Trace [0-9a-f]{32} arrived in \d+ ms and was removed again\.$/m);
    expect(done.log).not.toContain(passphrase);
    expect((await docker('ps', '--format', '{{.Names}}', '--filter', `label=llm-observability.stack=llm-observability/${stack}`)).split('\n').sort()).toEqual([`alloy-${stack}`, `phoenix-${stack}`, `phoenix-${stack}-gate`]);
    expect(fs.existsSync(checkout.state)).toBe(false);
  });

  it('that nothing gets through fails, and names the hop', async () => {
    const template = path.join(checkout.dir, 'templates', 'gate', 'nginx.conf.mustache');
    const source = fs.readFileSync(template, 'utf8');
    const broken = source.replace(/proxy_pass .*;/g, 'return 503;');
    expect(broken).not.toBe(source);
    fs.writeFileSync(template, broken);
    const { ok, log } = await deployment();
    fs.writeFileSync(template, source);
    expect(ok).toBe(false);
    expect(log).toMatch(/A trace does not arrive\. Alloy -> Phoenix: /);
    expect(log).not.toMatch(/^Trace .* arrived/m);
  });
});
