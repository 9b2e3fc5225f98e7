import * as http from 'node:http';
import type * as net from 'node:net';
import { reach, siteAnswers, type Patience } from '../../ops/support/reach';
import { setEnvironment } from '../support/environment';
import { endsWithTests, nobody, site } from '../support/web';

beforeEach(() => setEnvironment({ HTTPS_PROXY: undefined, https_proxy: undefined, ALL_PROXY: undefined, all_proxy: undefined }));

const waits: Patience = { silenceMs: 30_000, againMs: 0 };

test('an answer as it should be', async () => {
  const { url, requests } = await site(() => ({ body: '#!/bin/sh\n' }));
  expect(await reach(`${url}/install.sh`, /^#!/, waits)).toEqual({ kind: 'answers' });
  expect(requests.map(({ method, url: asked }) => [method, asked])).toEqual([['GET', '/install.sh']]);
});

test('redirects are followed', async () => {
  const { url } = await site(({ url: asked }) => (asked === '/' ? { status: 302, headers: { Location: '/there' } } : { body: 'there' }));
  expect(await reach(url, /^there/, waits)).toEqual({ kind: 'answers' });
});

test.each([
  [404, {}, 'it answers 404 Not Found'],
  [429, { 'Retry-After': '30' }, 'it answers 429 Too Many Requests, Retry-After: 30'],
  [500, {}, 'it answers 500 Internal Server Error'],
  [503, {}, 'it answers 503 Service Unavailable'],
])('status %d is a fault', async (status, headers, why) => {
  const { url } = await site(() => ({ status, headers }));
  expect(await reach(url, undefined, waits)).toMatchObject({ kind: 'faulty', why });
});

test('another page than it should is a fault', async () => {
  const { url } = await site(() => ({ body: '<html>' }));
  expect(await reach(url, /^#!/, waits)).toMatchObject({ kind: 'faulty', why: expect.stringContaining('different page') });
});

test('silence is a fault', async () => {
  const server = http.createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  expect(await reach(url, undefined, { silenceMs: 50, againMs: 0 })).toEqual({ kind: 'faulty', why: 'it did not answer within 0.05 s', mend: [] });
});

test('403 is forbidden, and so out of reach', async () => {
  const { url } = await site(() => ({ status: 403 }));
  expect(await reach(url, undefined, waits)).toEqual({ kind: 'unreachable', why: 'it answers 403 Forbidden' });
});

test('nobody there, on one address and on each of several', async () => {
  const url = await nobody();
  expect(await reach(url, undefined, waits)).toEqual({ kind: 'unreachable', why: 'the connection is refused (ECONNREFUSED)' });
  expect(await reach(url.replace('127.0.0.1', 'localhost'), undefined, waits)).toMatchObject({ kind: 'unreachable', why: expect.stringContaining('the connection is refused') });
});

test('a name that is not known, here or anywhere', async () => {
  expect(await reach('https://name.invalid/', undefined, waits)).toMatchObject({ kind: 'unreachable', why: expect.stringMatching(/^its name is not known here \((ENOTFOUND|EAI_AGAIN)\)$/) });
});

test('what could not be reached is asked once more', async () => {
  let asked = 0;
  const { url } = await site(() => ({ status: (asked += 1) === 1 ? 403 : 200 }));
  expect(await reach(url, undefined, { silenceMs: 30_000, againMs: 1 })).toEqual({ kind: 'answers' });
  expect(asked).toBe(2);
});

test('a proxy that is named is taken, and told from the site', async () => {
  setEnvironment({ HTTPS_PROXY: `${(await nobody()).replace('//', '//user:hunter2@')}` });
  const found = await reach('https://get.pulumi.com/', undefined, waits);
  expect(found).toMatchObject({ kind: 'faulty', why: expect.stringMatching(/^the proxy 127\.0\.0\.1:\d+ \(HTTPS_PROXY\): the connection is refused/), mend: [expect.stringMatching(/^unset HTTPS_PROXY/)] });
  expect(JSON.stringify(found)).not.toMatch(/hunter2/);
});

test.each(['socks5://127.0.0.1:1080', 'http://'])('a proxy that is none of http: %s', async (proxy) => {
  setEnvironment({ ALL_PROXY: proxy });
  expect(await reach('https://get.pulumi.com/', undefined, waits)).toMatchObject({ kind: 'faulty', why: expect.stringContaining('(ALL_PROXY) is not one of http or https') });
});

test('whether a site answers', async () => {
  const { url } = await site(() => ({}));
  expect([await siteAnswers(url), await siteAnswers(await nobody())]).toEqual([true, false]);
});
