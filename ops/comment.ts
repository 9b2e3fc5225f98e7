/**
 * `npm run comment`: puts the page of `npm run preview` on the pull request that it belongs to, as one comment that is
 * updated. The details come from the environment, as a GitHub workflow provides them: a token must not be an argument, and the
 * name of a fork's branch may contain shell commands.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { comment } from './commands';
import { main } from './support/command-line';
import { commentBody } from './support/comment-body';
import { GitHub } from './support/github';
import { pullRequestsAt, putComment } from './support/pull-request';
import { Failure, say } from './support/say';

/** The required environment variables, with an example of each. */
const variables = {
  GITHUB_API_URL: 'https://api.github.com',
  GITHUB_REPOSITORY: 'owner/name',
  GITHUB_TOKEN: '…                    # may write to pull requests',
  HEAD_REPOSITORY: 'owner/name         # of the branch',
  HEAD_BRANCH: 'branch',
  HEAD_SHA: '0123456789abcdef0123456789abcdef01234567',
  RUN_URL: 'https://…                  # of the run that made the page',
} as const;

main(comment.action(async ({ file }) => {
  const told = environment(process.env);
  const page = pageIn(path.resolve(process.env['INIT_CWD'] ?? '', file));
  const github = new GitHub(told.GITHUB_API_URL, told.GITHUB_REPOSITORY, told.GITHUB_TOKEN);
  const head = { repository: told.HEAD_REPOSITORY, branch: told.HEAD_BRANCH, commit: told.HEAD_SHA };
  const pulls = await pullRequestsAt(github, head);
  if (pulls.length === 0) {
    say(`No open pull request is at commit ${head.commit} of ${head.repository}: it was closed, or a newer commit has its own page. Nothing was posted.`);
  }
  const body = commentBody(page, { commit: head.commit, run: told.RUN_URL, fork: head.repository === github.repository ? undefined : head.repository });
  for (const pull of pulls) {
    say(`On pull request ${pull}: ${await putComment(github, pull, body)}`);
  }
}));

/** @throws Failure that names all missing variables */
function environment(env: NodeJS.ProcessEnv): Record<keyof typeof variables, string> {
  const missing = Object.entries(variables).filter(([name]) => !env[name]);
  if (missing.length > 0) {
    throw new Failure(
      `The environment does not name the pull request: ${missing.map(([name]) => name).join(', ')} not set. Nothing was posted.`,
      missing.map(([name, example]) => `export ${name}=${example}`),
    );
  }
  return env as Record<keyof typeof variables, string>;
}

/** @throws Failure if it is not a regular file: an archive from a fork may contain a link to a secret of this machine */
function pageIn(file: string): string {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    throw new Failure(`${file} ${found ? 'is not a regular file' : 'does not exist'}. Nothing was posted.`, ['npm run --silent preview -- --all --markdown > preview.md']);
  }
  return fs.readFileSync(file, 'utf8');
}
