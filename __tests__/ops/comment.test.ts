/** `npm run comment` as a workflow calls it, in this process, against a GitHub on loopback. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { marker } from '../../ops/support/comment-body';
import { setEnvironment } from '../support/environment';
import { fakeGitHub, pull, repository, token, type FakeGitHub } from '../support/fake-github';
import { listen } from '../support/said';
import { tempDir } from '../support/temp';
import type * as typed from '../support/typed';

const mockCommand: { args: readonly string[]; main?: () => Promise<void> } = { args: [] };

jest.mock('../../ops/support/command-line', () => jest.requireActual<typeof typed>('../support/typed').keptMain(() => mockCommand.args, (run) => (mockCommand.main = run)));

const commit = '0123456789abcdef0123456789abcdef01234567';
const fork = 'ada/llm-observability';
const runUrl = `https://github.com/${repository}/actions/runs/77`;

const variables = (api: string): Record<string, string | undefined> =>
  ({ GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token, HEAD_REPOSITORY: fork, HEAD_BRANCH: 'metrics', HEAD_SHA: commit, RUN_URL: runUrl });

/** Runs it. @returns what it said, and the message with which it failed */
async function comment(args: readonly string[]): Promise<{ said: string[]; failure?: string }> {
  const said = listen();
  mockCommand.args = args;
  jest.isolateModules(() => void require('../../ops/comment'));
  try {
    await mockCommand.main?.();
    return { said };
  } catch (error) {
    expect((error as Error).constructor.name).toMatch(/^(Failure|Misread)$/);
    return { said, failure: (error as Error).message };
  }
}

function page(text: string): string {
  const file = path.join(tempDir(), 'preview.md');
  fs.writeFileSync(file, text);
  return file;
}

const bodies = ({ comments }: FakeGitHub): Record<string, string[]> =>
  Object.fromEntries([...comments].map(([number, list]) => [number, list.map(({ body }) => body)]));

const fromFork = " The code of the fork ada/llm-observability made it, without credentials: treat its links and commands as written by a stranger.";
const heading = `${marker}\nPreview of commit \`0123456\`, from [this run](${runUrl}).`;

test("a fork's page, on the pull request that it is about", async () => {
  const github = await fakeGitHub([pull(2, fork, 'logs', commit), pull(3, fork, 'metrics', commit)]);
  setEnvironment(variables(github.url));
  expect(await comment(['--file', page('No change, @ada.\n')])).toEqual({ said: [`On pull request 3: https://github.com/${repository}/pull/3#issuecomment-1001`] });
  expect(bodies(github)).toEqual({ 2: [], 3: [`${heading}${fromFork}\n\nNo change, @\u200bada.\n`] });
});

test("the repository's own, on both that propose the branch", async () => {
  const github = await fakeGitHub([pull(2, repository, 'metrics', commit), pull(3, repository, 'metrics', commit)]);
  setEnvironment({ ...variables(github.url), HEAD_REPOSITORY: repository });
  expect(await comment(['--file', page('No change.\n')])).toEqual({ said: [expect.stringMatching(/^On pull request 2: /), expect.stringMatching(/^On pull request 3: /)] });
  expect(bodies(github)).toEqual({ 2: [`${heading}\n\nNo change.\n`], 3: [`${heading}\n\nNo change.\n`] });
});

test('a pull request that has gone on keeps its comment', async () => {
  const github = await fakeGitHub([pull(3, fork, 'metrics', 'f'.repeat(40))]);
  setEnvironment(variables(github.url));
  expect(await comment(['--file', page('An old page.\n')])).toEqual({
    said: [`No open pull request is at commit ${commit} of ada/llm-observability: it was closed, or a newer commit has its own page. Nothing was posted.`],
  });
  expect(github.written()).toEqual([]);
});

test('what the environment does not say is named, all of it, before anything is asked', async () => {
  const github = await fakeGitHub([]);
  setEnvironment({ ...variables(github.url), GITHUB_TOKEN: '', HEAD_BRANCH: undefined });
  expect((await comment(['--file', page('A page.\n')])).failure).toBe(
    [
      'The environment does not name the pull request: GITHUB_TOKEN, HEAD_BRANCH not set. Nothing was posted.',
      '    export GITHUB_TOKEN=…                    # may write to pull requests',
      '    export HEAD_BRANCH=branch',
    ].join('\n'),
  );
  expect(github.requests).toEqual([]);
});

test('a token that may not write is told with the permission, and not shown', async () => {
  const github = await fakeGitHub([pull(3, fork, 'metrics', commit)], ({ method }) =>
    method === 'POST' ? { status: 403, headers: { 'x-accepted-github-permissions': 'issues=write; pull_requests=write' }, body: { message: 'Resource not accessible by integration' } } : undefined);
  setEnvironment(variables(github.url));
  const { said, failure } = await comment(['--file', page('A page.\n')]);
  expect(failure).toBe(
    'GitHub answers 403 to POST /issues/3/comments: Resource not accessible by integration. The token needs issues=write or pull_requests=write; a workflow gives it so:\n    permissions:\n      pull-requests: write',
  );
  expect([...said, failure].join('\n')).not.toContain(token);
});

describe('a page that cannot be taken', () => {
  const mend = '\n    npm run --silent preview -- --all --markdown > preview.md';
  beforeEach(() => setEnvironment(variables('http://127.0.0.1:9')));

  test('because it is not there', async () => {
    const file = path.join(tempDir(), 'preview.md');
    expect(await comment([`--file=${file}`])).toEqual({ said: [], failure: `${file} does not exist. Nothing was posted.${mend}` });
  });

  test('because it leads to something else', async () => {
    const file = path.join(tempDir(), 'preview.md');
    fs.symlinkSync('/proc/self/environ', file);
    expect(await comment(['--file', file])).toEqual({ said: [], failure: `${file} is not a regular file. Nothing was posted.${mend}` });
  });
});
