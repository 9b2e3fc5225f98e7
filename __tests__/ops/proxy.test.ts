import { httpsProxy, proxyFor, shownProxy } from '../../ops/support/proxy';

const site = 'https://get.pulumi.com/install.sh';
const proxy = 'http://proxy.example:3128';

test.each(['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])('%s names the proxy', (variable) => {
  expect(proxyFor(site, { [variable]: proxy })).toEqual({ url: proxy, variable });
  expect(httpsProxy({ [variable]: '' })).toBeUndefined();
});

test('the more special variable wins, and none is for http', () => {
  expect(httpsProxy({ ALL_PROXY: 'socks5://other:1080', HTTPS_PROXY: proxy, HTTP_PROXY: 'http://third:80' })).toEqual({ url: proxy, variable: 'HTTPS_PROXY' });
  expect(httpsProxy({ HTTP_PROXY: proxy, http_proxy: proxy })).toBeUndefined();
  expect(proxyFor('http://127.0.0.1:1/', { HTTPS_PROXY: proxy })).toBeUndefined();
});

test('without a scheme it is one of http, as curl and Go have it', () => {
  expect(httpsProxy({ HTTPS_PROXY: 'user:word@proxy.example:3128' })?.url).toBe('http://user:word@proxy.example:3128');
});

test.each([
  ['*', true],
  ['pulumi.com', true],
  ['.pulumi.com', true],
  ['*.pulumi.com', true],
  ['GET.pulumi.com', true],
  ['localhost, get.pulumi.com:443 ,127.0.0.1', true],
  ['get.pulumi.com:8443', false],
  ['notget.pulumi.com', false],
  ['umi.com', false],
  ['localhost,,.', false],
  ['', false],
])('NO_PROXY=%s exempts: %s', (list, exempt) => {
  expect(proxyFor(site, { HTTPS_PROXY: proxy, NO_PROXY: list }) === undefined).toBe(exempt);
  expect(proxyFor(site, { HTTPS_PROXY: proxy, no_proxy: list }) === undefined).toBe(exempt);
});

test('user and password are not shown', () => {
  expect(shownProxy('http://user:secret@proxy.example:3128')).toBe('proxy.example:3128');
  expect(shownProxy('http://user:sec ret@:x')).not.toMatch(/sec/);
});
