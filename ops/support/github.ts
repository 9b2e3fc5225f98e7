import { reasonOf } from '../../provider/reach';
import { Failure } from './say';

/** GitHub's REST API, for one repository. */
export class GitHub {
  /**
   * @param api base URL without a trailing slash, as in GITHUB_API_URL
   * @param repository `owner/name`
   */
  constructor(private readonly api: string, readonly repository: string, private readonly token: string) {}

  /**
   * One request about the repository.
   * @param path what follows `/repos/OWNER/NAME`
   * @throws Failure with GitHub's message if it is anything but successful
   */
  async ask<T>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<T> {
    const answer = await this.send(method, `/repos/${this.repository}${path}`, body);
    if (!answer.ok) {
      throw await refused(method, path, answer);
    }
    return (await answer.json()) as T;
  }

  /** All of a list, which GitHub returns in pages. @param path with or without a query */
  async list<T>(path: string): Promise<T[]> {
    const all: T[] = [];
    for (let page = 1; ; page += 1) {
      const found = await this.ask<T[]>('GET', `${path}${path.includes('?') ? '&' : '?'}per_page=${pageSize}&page=${page}`);
      all.push(...found);
      if (found.length < pageSize) {
        return all;
      }
    }
  }

  /** Deletes something that may no longer exist. */
  async remove(path: string): Promise<void> {
    const answer = await this.send('DELETE', `/repos/${this.repository}${path}`);
    if (!answer.ok && answer.status !== 404) {
      throw await refused('DELETE', path, answer);
    }
  }

  /** The user name of the token. */
  async login(): Promise<string> {
    const answer = await this.send('GET', '/user');
    if (answer.status === 403) {
      // The token of a workflow is not a user, and GitHub reports nothing else about it.
      return 'github-actions[bot]';
    }
    if (!answer.ok) {
      throw await refused('GET', '/user', answer);
    }
    return ((await answer.json()) as { login: string }).login;
  }

  private async send(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(`${this.api}${path}`, {
        method,
        headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${this.token}`, 'x-github-api-version': '2022-11-28' },
        signal: AbortSignal.timeout(patience),
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    } catch (error) {
      throw new Failure(`GitHub at ${this.api} does not answer: ${reasonOf(error)}.`);
    }
  }
}

/** Largest page that GitHub returns. */
const pageSize = 100;

/** Milliseconds until a request counts as unanswered. */
const patience = 30_000;

async function refused(method: string, path: string, answer: Response): Promise<Failure> {
  const text = await answer.text();
  const said = `GitHub answers ${answer.status} to ${method} ${path.split('?')[0]}: ${messageIn(text)}.`;
  const wanted = answer.headers.get('x-accepted-github-permissions');
  // GitHub lists the permissions that a request needs in every response, whatever was wrong with it.
  if (!/not accessible/i.test(text) || !wanted) {
    return new Failure(said);
  }
  // Sets of permissions, of which one is enough.
  const sets = wanted.split(/; */).map((set) => set.split(/, */));
  const chosen = sets.find((set) => set.some((one) => one.startsWith('pull_requests='))) ?? sets[0] ?? [];
  return new Failure(`${said} The token needs ${sets.map((set) => set.join(' and ')).join(' or ')}; a workflow gives it so:`, [
    'permissions:',
    ...chosen.map((one) => `  ${one.replace(/_/g, '-').replace('=', ': ')}`),
  ]);
}

/** GitHub's own message, without the full stop at the end. */
function messageIn(text: string): string {
  try {
    const { message, errors = [] } = JSON.parse(text) as { message: string; errors?: { message?: string }[] };
    return [message, ...errors.flatMap((one) => one.message ?? [])].join('; ').replace(/\.$/, '');
  } catch {
    return text.trim().slice(0, 100) || 'no reason given';
  }
}
