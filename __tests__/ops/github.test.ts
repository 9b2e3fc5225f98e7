import { GitHub } from '../../ops/support/github';
import { Failure } from '../../ops/support/say';
import { nobody, site, type Reply } from '../support/web';

const github = (url: string): GitHub => new GitHub(url, 'acme/llm-observability', 'the-token');

test('a request says who asks, and in which version of the API', async () => {
  const { url, requests } = await site(() => ({ body: { id: 7 } }));
  expect(await github(url).ask('POST', '/issues/1/comments', { body: 'a page' })).toEqual({ id: 7 });
  expect(requests).toEqual([
    {
      method: 'POST',
      url: '/repos/acme/llm-observability/issues/1/comments',
      headers: expect.objectContaining({ authorization: 'Bearer the-token', accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }),
      body: '{"body":"a page"}',
    },
  ]);
});

describe('a list', () => {
  test.each([[0, 1], [1, 1], [99, 1], [100, 2], [101, 2], [200, 3]])('of %i entries takes %i requests', async (entries, requests) => {
    const all = Array.from({ length: entries }, (_, id) => ({ id }));
    const asked: string[] = [];
    const { url } = await site((request) => {
      asked.push(request.url);
      const page = Number(new URL(request.url, 'http://github').searchParams.get('page'));
      return { body: all.slice((page - 1) * 100, page * 100) };
    });
    expect(await github(url).list('/pulls')).toEqual(all);
    expect(asked).toEqual(Array.from({ length: requests }, (_, number) => `/repos/acme/llm-observability/pulls?per_page=100&page=${number + 1}`));
  });

  test('with a query of its own', async () => {
    const { url, requests } = await site(() => ({ body: [] }));
    await github(url).list('/pulls?state=open');
    expect(requests.map((request) => request.url)).toEqual(['/repos/acme/llm-observability/pulls?state=open&per_page=100&page=1']);
  });
});

describe('the name under which the token writes', () => {
  test('a person', async () => {
    const { url, requests } = await site(() => ({ body: { login: 'ada' } }));
    expect(await github(url).login()).toBe('ada');
    expect(requests.map((request) => request.url)).toEqual(['/user']);
  });

  test('a workflow, whose token is no user', async () => {
    const { url } = await site(() => ({ status: 403, body: { message: 'Resource not accessible by integration' } }));
    expect(await github(url).login()).toBe('github-actions[bot]');
  });

  test('a token that is not valid', async () => {
    const { url } = await site(() => ({ status: 401, body: { message: 'Bad credentials' } }));
    await expect(github(url).login()).rejects.toThrow(new Failure('GitHub answers 401 to GET /user: Bad credentials.'));
  });
});

describe('removing', () => {
  test.each([204, 404])('what is there or not (%i)', async (status) => {
    const { url, requests } = await site(() => ({ status }));
    await github(url).remove('/issues/comments/7');
    expect(requests.map((request) => `${request.method} ${request.url}`)).toEqual(['DELETE /repos/acme/llm-observability/issues/comments/7']);
  });

  test('what it may not', async () => {
    const { url } = await site(() => ({ status: 403, body: { message: 'Must have admin rights to Repository.' } }));
    await expect(github(url).remove('/issues/comments/7')).rejects.toThrow(new Failure('GitHub answers 403 to DELETE /issues/comments/7: Must have admin rights to Repository.'));
  });
});

describe('what GitHub refuses', () => {
  const refused = (status: number, body: string | object, permissions?: string): Reply =>
    ({ status, body, ...(permissions ? { headers: { 'x-accepted-github-permissions': permissions } } : {}) });
  const integration = { message: 'Resource not accessible by integration' };
  const said = 'GitHub answers 403 to GET /pulls: Resource not accessible by integration.';

  test.each<[string, Reply, Failure]>([
    [
      'for a permission that the token lacks: that one, as a workflow gives it',
      refused(403, integration, 'pull_requests=write'),
      new Failure(`${said} The token needs pull_requests=write; a workflow gives it so:`, ['permissions:', '  pull-requests: write']),
    ],
    [
      'for one of several: the one about pull requests',
      refused(403, integration, 'issues=write; pull_requests=write'),
      new Failure(`${said} The token needs issues=write or pull_requests=write; a workflow gives it so:`, ['permissions:', '  pull-requests: write']),
    ],
    [
      'for others',
      refused(403, integration, 'contents=read,metadata=read'),
      new Failure(`${said} The token needs contents=read and metadata=read; a workflow gives it so:`, ['permissions:', '  contents: read', '  metadata: read']),
    ],
    ['without a word of what it lacks', refused(403, integration), new Failure(said)],
    [
      'for too many requests, whatever permission that takes',
      refused(403, { message: 'You have exceeded a secondary rate limit.' }, 'pull_requests=read'),
      new Failure('GitHub answers 403 to GET /pulls: You have exceeded a secondary rate limit.'),
    ],
    [
      'for what is wrong with it',
      refused(422, { message: 'Validation Failed', errors: [{ resource: 'IssueComment', code: 'unprocessable', message: 'Body is too long (maximum is 65536 characters)' }, { code: 'invalid' }] }),
      new Failure('GitHub answers 422 to GET /pulls: Validation Failed; Body is too long (maximum is 65536 characters).'),
    ],
    ['in no JSON', refused(502, '<html>Bad Gateway</html>'), new Failure('GitHub answers 502 to GET /pulls: <html>Bad Gateway</html>.')],
    ['without a word', refused(500, ''), new Failure('GitHub answers 500 to GET /pulls: no reason given.')],
  ])('%s', async (_, reply, failure) => {
    const { url } = await site(() => reply);
    await expect(github(url).list('/pulls?state=open')).rejects.toThrow(failure);
  });

  test('a GitHub that is not there', async () => {
    const url = await nobody();
    await expect(github(url).login()).rejects.toThrow(new Failure(`GitHub at ${url} does not answer: connection refused.`));
  });

  test('an address that is none', async () => {
    await expect(github('api.github.com').login()).rejects.toThrow(/^GitHub at api\.github\.com does not answer: /);
  });
});
