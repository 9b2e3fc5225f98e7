import { siteAnswers } from '../../ops/support/reach';
import { setEnvironment } from '../support/environment';
import { nobody, site } from '../support/web';

beforeEach(() => setEnvironment({ HTTPS_PROXY: undefined, https_proxy: undefined }));

test.each([200, 302, 403, 404, 500])('status %d is an answer', async (status) => {
  const { url, requests } = await site(() => ({ status }));
  expect(await siteAnswers(url)).toBe(true);
  expect(requests.map(({ method }) => method)).toEqual(['HEAD']);
});

test('nobody is none', async () => {
  expect(await siteAnswers(await nobody())).toBe(false);
});

test.each(['HTTPS_PROXY', 'https_proxy'])('behind a proxy (%s) nobody is asked', async (name) => {
  setEnvironment({ [name]: 'http://proxy.example:3128' });
  expect(await siteAnswers(await nobody())).toBe(true);
});
