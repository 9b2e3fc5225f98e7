import { marker } from '../../ops/support/comment-body';
import { GitHub } from '../../ops/support/github';
import { pullRequestsAt, putComment } from '../../ops/support/pull-request';
import { fakeGitHub, pull, repository, token, type Comment, type FakeGitHub, type Pull } from '../support/fake-github';

const commit = '0123456789abcdef0123456789abcdef01234567';
const fork = 'ada/llm-observability';

const at = ({ url }: FakeGitHub): GitHub => new GitHub(url, repository, token);

/** What stands in the comments of a pull request, in their order. */
const bodies = ({ comments }: FakeGitHub, number: number): string[] => (comments.get(number) ?? []).map(({ body }) => body);

const comment = (id: number, body: string, login: string | null = 'github-actions[bot]'): Comment =>
  ({ id, body, user: login === null ? null : { login }, html_url: `https://github.com/comment/${id}` });

describe('the pull requests of a commit', () => {
  const found = async (pulls: readonly Pull[], branch = 'metrics', from = fork): Promise<number[]> =>
    pullRequestsAt(at(await fakeGitHub(pulls)), { repository: from, branch, commit });

  test('the one of that branch of that fork', async () => {
    expect(await found([pull(1, repository, 'metrics', commit), pull(2, fork, 'logs', commit), pull(3, fork, 'metrics', commit)])).toEqual([3]);
  });

  test('one from the repository itself', async () => {
    expect(await found([pull(1, repository, 'metrics', commit), pull(3, fork, 'metrics', commit)], 'metrics', repository)).toEqual([1]);
  });

  test('two that propose it for different branches', async () => {
    expect(await found([pull(3, fork, 'metrics', commit), pull(4, fork, 'metrics', commit)])).toEqual([3, 4]);
  });

  test.each<[string, Pull]>([
    ['has gone on', pull(3, fork, 'metrics', commit.replace('0', 'f'))],
    ["is of another fork of that owner's", pull(3, 'ada/llm-observability-2', 'metrics', commit)],
    ['is of a fork that is gone', { ...pull(3, null, 'metrics', commit), owner: 'ada' }],
  ])('none when it %s', async (_, one) => {
    expect(await found([one])).toEqual([]);
  });

  test('among more than one page', async () => {
    const others = Array.from({ length: 100 }, (_, number) => pull(number, 'ada/llm-observability-2', 'metrics', commit));
    expect(await found([...others, pull(300, fork, 'metrics', commit)])).toEqual([300]);
  });

  test.each(['a&state=closed', 'fix/#7', 'ä b', '$(id)'])('a branch of the name %s', async (branch) => {
    expect(await found([pull(3, fork, branch, commit)], branch)).toEqual([3]);
  });
});

describe('the comment', () => {
  const page = `${marker}\nthe page`;
  const before = `${marker}\nan earlier page`;

  test('is made, and updated the next time', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)]);
    const first = await putComment(at(github), 3, before);
    expect(bodies(github, 3)).toEqual([before]);
    expect(await putComment(at(github), 3, page)).toBe(first);
    expect(bodies(github, 3)).toEqual([page]);
    expect(first).toBe('https://github.com/acme/llm-observability/pull/3#issuecomment-1001');
    expect(github.written()).toEqual(['POST /issues/3/comments', 'PATCH /issues/comments/1001']);
  });

  test('that says so already is left alone', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)]);
    await putComment(at(github), 3, page);
    await putComment(at(github), 3, page);
    expect(github.written()).toEqual(['POST /issues/3/comments']);
  });

  test.each([
    ["somebody else's with the marker", comment(1, before, 'mallory')],
    ['one of an account that is gone', comment(1, before, null)],
    ['one of the bot about something else', comment(1, 'Deployed.')],
    ['one of the bot that only quotes the marker', comment(1, `See ${before}`)],
  ])('is not %s', async (_, other) => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)]);
    const there = other.body;
    github.comments.get(3)?.push(other);
    await putComment(at(github), 3, page);
    expect(bodies(github, 3)).toEqual([there, page]);
  });

  test('is found on the second page, and no other is made', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)]);
    github.comments.get(3)?.push(...Array.from({ length: 100 }, (_, id) => comment(id, 'a word', 'ada')), comment(500, before));
    expect(await putComment(at(github), 3, page)).toBe('https://github.com/comment/500');
    expect(github.written()).toEqual(['PATCH /issues/comments/500']);
  });

  test("with a person's token is that person's", async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)], ({ url }) => (url === '/user' ? { body: { login: 'ada' } } : undefined));
    github.comments.get(3)?.push(comment(1, before), comment(2, before, 'ada'));
    await putComment(at(github), 3, page);
    expect(bodies(github, 3)).toEqual([before, page]);
  });

  test('of several the oldest stays', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)]);
    github.comments.get(3)?.push(comment(12, before), comment(11, before), comment(13, page));
    expect(await putComment(at(github), 3, page)).toBe('https://github.com/comment/11');
    expect(github.comments.get(3)).toEqual([{ ...comment(11, before), body: page }]);
  });

  test('that another run has made in between is taken, and its own removed', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)], ({ method }) => {
      if (method === 'POST') {
        github.comments.get(3)?.push(comment(11, before));
      }
      return undefined;
    });
    expect(await putComment(at(github), 3, page)).toBe('https://github.com/comment/11');
    expect(bodies(github, 3)).toEqual([page]);
    expect(github.written()).toEqual(['POST /issues/3/comments', 'PATCH /issues/comments/11', 'DELETE /issues/comments/1001']);
  });

  test('is one after several runs at once', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)]);
    await Promise.all(Array.from({ length: 5 }, () => putComment(at(github), 3, page)));
    expect(bodies(github, 3)).toEqual([page]);
  });

  test('that the list does not show yet is not made again', async () => {
    const github = await fakeGitHub([pull(3, fork, 'metrics', commit)], ({ method, url }) => (method === 'GET' && url.includes('/comments') ? { body: [] } : undefined));
    expect(await putComment(at(github), 3, page)).toBe('https://github.com/acme/llm-observability/pull/3#issuecomment-1001');
    expect(github.written()).toEqual(['POST /issues/3/comments']);
  });
});
