import { here, reasonOf } from '../../provider/reach';
import { nobody, site } from '../support/web';

afterEach(() => jest.restoreAllMocks());

describe('from this process', () => {
  test('a question is asked as it was put, and the answer is given as it came', async () => {
    const { url, requests } = await site(({ method }) => (method === 'POST' ? { status: 503, body: 'queue is full' } : { body: 'ready' }));
    expect(await here.ask(`${url}/readyz?a=b`)).toEqual({ status: 200, text: 'ready' });
    expect(await here.ask(url, { method: 'POST', headers: { authorization: 'Bearer x' }, body: 'ü' })).toEqual({ status: 503, text: 'queue is full' });
    expect(requests).toMatchObject([
      { method: 'GET', url: '/readyz?a=b' },
      { method: 'POST', url: '/', body: 'ü', headers: { authorization: 'Bearer x' } },
    ]);
  });

  test('a redirect is an answer', async () => {
    const elsewhere = await site(() => ({}));
    const { url } = await site(() => ({ status: 302, headers: { location: elsewhere.url }, body: 'moved' }));
    expect(await here.ask(url)).toEqual({ status: 302, text: 'moved' });
    expect(elsewhere.requests).toEqual([]);
  });

  test('nobody there', async () => {
    expect(await here.ask(await nobody())).toEqual({ status: 0, text: 'connection refused' });
    expect(await here.ask('no address')).toEqual({ status: 0, text: expect.stringMatching(/./) });
  });

  test('nobody who answers within ten seconds', async () => {
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')));
    const { url } = await site(() => ({}));
    expect(await here.ask(url)).toEqual({ status: 0, text: 'The operation was aborted due to timeout' });
    expect(timeout).toHaveBeenCalledWith(10_000);
  });

  test('there is nothing to close', async () => {
    here.close();
    const { url } = await site(() => ({}));
    expect(await here.ask(url)).toMatchObject({ status: 200 });
  });
});

test.each<[string, unknown, string]>([
  ['a refused connection, as fetch tells it', new Error('fetch failed', { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) }), 'connection refused'],
  ['one to each of several addresses', new Error('fetch failed', { cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }) }), 'connection refused'],
  ['one as a socket tells it', Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), 'connection refused'],
  ['what lies beneath', new Error('fetch failed', { cause: new Error('other side closed') }), 'other side closed'],
  ['of which there is only a code', new Error('fetch failed', { cause: Object.assign(new AggregateError([]), { code: 'EHOSTUNREACH' }) }), 'EHOSTUNREACH'],
  ['a message', new Error('socket hang up'), 'socket hang up'],
  ['a code', Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ECONNRESET'],
  ['nothing', new Error(''), 'no reason given'],
])('why there was no answer: %s', (_, error, reason) => expect(reasonOf(error)).toBe(reason));
