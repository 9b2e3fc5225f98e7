import { site, type Reply, type Request, type Site } from './web';

export interface Comment {
  readonly id: number;
  body: string;
  readonly user: { readonly login: string } | null;
  readonly html_url: string;
}

/** A pull request as GitHub lists it. */
export const pull = (number: number, fork: string | null, branch: string, sha: string): Pull =>
  ({ number, head: { ref: branch, sha, repo: fork === null ? null : { full_name: fork } }, owner: fork?.split('/')[0] ?? 'ghost' });

export interface Pull {
  readonly number: number;
  readonly head: { readonly ref: string; readonly sha: string; readonly repo: { readonly full_name: string } | null };
  readonly owner: string;
}

export interface FakeGitHub extends Site {
  /** Comments by pull request, which a test may fill and change. */
  readonly comments: Map<number, Comment[]>;
  /** Requests that wrote something, as `METHOD path`. */
  written(): string[];
}

export const repository = 'acme/llm-observability';
export const token = 'ghs_the-token-of-the-run';
const bot = 'github-actions[bot]';
const base = `/repos/${repository}`;

/**
 * GitHub's API with the open pull requests of one repository and their comments, in pages.
 * @param instead an answer to a request, where another one than the usual is wanted
 */
export async function fakeGitHub(pulls: readonly Pull[], instead: (request: Request) => Reply | undefined = () => undefined): Promise<FakeGitHub> {
  const comments = new Map(pulls.map(({ number }) => [number, [] as Comment[]]));
  let lastId = 1000;
  const made = (number: number, body: string, login = bot): Comment => {
    lastId += 1;
    return { id: lastId, body, user: { login }, html_url: `https://github.com/${repository}/pull/${number}#issuecomment-${lastId}` };
  };

  const answer = (request: Request): Reply => {
    const { method, url, headers, body } = request;
    const { pathname, searchParams } = new URL(url, 'http://github');
    const paged = (all: readonly object[]): Reply => {
      const [size, page] = [Number(searchParams.get('per_page')), Number(searchParams.get('page'))];
      return { body: all.slice((page - 1) * size, page * size) };
    };
    const said = instead(request);
    if (said) {
      return said;
    }
    if (headers.authorization !== `Bearer ${token}`) {
      return { status: 401, body: { message: 'Bad credentials' } };
    }
    if (method === 'GET' && pathname === '/user') {
      return { status: 403, body: { message: 'Resource not accessible by integration' } };
    }
    if (method === 'GET' && pathname === `${base}/pulls` && searchParams.get('state') === 'open') {
      return paged(pulls.filter(({ owner, head }) => searchParams.get('head') === `${owner}:${head.ref}`));
    }
    const [, number, id] = /^(?:\/issues\/(\d+)\/comments|\/issues\/comments\/(\d+))$/.exec(pathname.slice(base.length)) ?? [];
    const list = comments.get(Number(number));
    if (list && method === 'GET') {
      return paged(list);
    }
    if (list && method === 'POST') {
      const comment = made(Number(number), bodyOf(body));
      list.push(comment);
      return { status: 201, body: comment };
    }
    for (const each of comments.values()) {
      const at = each.findIndex((comment) => comment.id === Number(id));
      const [found] = at < 0 ? [] : each.slice(at, at + 1);
      if (found && method === 'PATCH') {
        found.body = bodyOf(body);
        return { body: found };
      }
      if (found && method === 'DELETE') {
        each.splice(at, 1);
        return { status: 204 };
      }
    }
    return { status: 404, body: { message: 'Not Found' } };
  };

  const { url, requests } = await site(answer);
  return { url, requests, comments, written: () => requests.filter(({ method }) => method !== 'GET').map((one) => `${one.method} ${one.url.slice(base.length)}`) };
}

const bodyOf = (json: string): string => (JSON.parse(json) as { body: string }).body;
