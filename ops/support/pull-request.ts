import { marker } from './comment-body';
import type { GitHub } from './github';

/** The commit of a pull request that a workflow has run for, as reported by GitHub and not by the run. */
export interface Head {
  /** `owner/name`; a different one from the pull request's own if it comes from a fork. */
  readonly repository: string;
  readonly branch: string;
  readonly commit: string;
}

interface Comment {
  readonly id: number;
  readonly body: string;
  readonly html_url: string;
  /** Null if the account was deleted. */
  readonly user: { readonly login: string } | null;
}

/**
 * Numbers of the open pull requests that are at this commit; none if it was closed or has newer commits. One branch may be
 * proposed for several others.
 */
export async function pullRequestsAt(github: GitHub, { repository, branch, commit }: Head): Promise<number[]> {
  const [owner] = repository.split('/');
  const open = await github.list<{ number: number; head: { sha: string; repo: { full_name: string } | null } }>(
    `/pulls?state=open&head=${encodeURIComponent(`${owner}:${branch}`)}`,
  );
  // An owner may have several forks, with branches of the same name.
  return open.filter(({ head }) => head.sha === commit && head.repo?.full_name === repository).map(({ number }) => number);
}

/**
 * Creates this project's comment on a pull request, or updates it. If there are several, the oldest is kept, so that one
 * remains even when two runs overlap.
 * @returns address of the comment
 */
export async function putComment(github: GitHub, pull: number, body: string): Promise<string> {
  const login = await github.login();
  const own = async (): Promise<Comment[]> =>
    // Anybody may write the marker, and edit their own comment.
    (await github.list<Comment>(`/issues/${pull}/comments`)).filter((comment) => comment.user?.login === login && comment.body.startsWith(marker));
  const found = await own();
  if (found.length === 0) {
    const made = await github.ask<Comment>('POST', `/issues/${pull}/comments`, { body });
    found.push(made, ...(await own()).filter(({ id }) => id !== made.id));
  }
  const [kept, ...others] = found.sort((a, b) => a.id - b.id) as [Comment, ...Comment[]];
  if (kept.body !== body) {
    await github.ask('PATCH', `/issues/comments/${kept.id}`, { body });
  }
  for (const { id } of others) {
    await github.remove(`/issues/comments/${id}`);
  }
  return kept.html_url;
}
