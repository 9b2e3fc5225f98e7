import { images } from '../../components/catalog';
import { image as imageOf } from '../../settings/image-parse';
import { quoting, ruleOf } from '../support/broken-rule';
import { rows } from '../support/rows';

const digest = `@sha256:${'0123456789abcdef'.repeat(4)}`;

describe('image', () => {
  const image = imageOf('phoenix');

  rows([
    images.phoenix,
    'arizephoenix/phoenix:version-18.1.0',
    'arizephoenix/phoenix:18.1.0-nonroot',
    'arizephoenix/phoenix:version-20.26.1-debug',
    `arizephoenix/phoenix:version-20.26.1${digest}`,
    `arizephoenix/phoenix${digest}`,
    'registry.example:5000/mirror/phoenix:v18.1.1',
    'localhost:5000/phoenix:20.26.1-mine',
    'localhost/phoenix:20.26.1',
    '[2001:db8::7]:5000/phoenix:20.26.1',
    'registry.example/a/b/c__d/phoenix:20.26.1',
    'lab/phoenix:20.26.1',
    'phoenix-before:20.26.0',
  ])('%s is taken as it is', (raw) => expect(image(raw)).toBe(raw));

  const noReference = 'it is not an image reference; write repository:tag or repository:tag@sha256:digest';
  const untagged = 'an image without a tag is latest, which changes without notice; name a version';
  const moving = 'its tag names no full version, such as 1.2.3, so the image changes without notice; name one, or add the digest';
  const tooOld = 'that version is older than 18.1.0, the oldest that is supported';
  rows([
    ['', noReference],
    ['Phoenix:18.1.0', noReference],
    ['phoenix:', noReference],
    ['phoenix 18.1.0', noReference],
    ['phoenix:18.1.0 ', noReference],
    ['phoenix:18.1.0@sha256:abc', noReference],
    ['https://hub.docker.com/r/arizephoenix/phoenix:18.1.0', noReference],
    ['registry.example:port/phoenix:18.1.0', noReference],
    ['registry.example:5000/:18.1.0', noReference],
    ['a//b:18.1.0', noReference],
    ['-a/b:18.1.0', noReference],
    [`phoenix:${'1'.repeat(129)}`, noReference],
    ['arizephoenix/phoenix', untagged],
    ['registry.example:5000/mirror/phoenix', untagged],
    ...['latest', 'latest-nonroot', 'nightly', 'stable', 'mainline', 'edge', 'main', 'master', 'dev', 'beta', 'version-20', 'version-20.26', '20.26-nonroot', '20', 'v20', 'built-here', 'nightly-20.26.1', '20.26.1x', 'x20.26.1']
      .map((tag): [string, string] => [`arizephoenix/phoenix:${tag}`, moving]),
    ['registry.example:5000/phoenix:20.26', moving],
    ['arizephoenix/phoenix:version-18.0.9', tooOld],
    ['arizephoenix/phoenix:17.10.0-nonroot', tooOld],
    [`arizephoenix/phoenix:v9.2.0${digest}`, tooOld],
  ])("'%s': %s", (raw, rule) => expect(ruleOf(image, raw)).toBe(rule));

  rows(['latest', 'nightly', '20.26', 'built-here'])('with a digest the tag %s does not count', (tag) => {
    expect(image(`arizephoenix/phoenix:${tag}${digest}`)).toBe(`arizephoenix/phoenix:${tag}${digest}`);
  });

  test('each service has an oldest version of its own', () => {
    expect(ruleOf(imageOf('alloy'), 'grafana/alloy:v1.10.9')).toBe('that version is older than 1.11.0, the oldest that is supported');
    expect(imageOf('alloy')('grafana/alloy:v1.11.0')).toBe('grafana/alloy:v1.11.0');
  });

  describe('variants', () => {
    const noBash = 'that variant has no bash, which the health check needs; use the one on Debian, whose tag is only the version';

    // The tags that the images have on Docker Hub.
    rows(['1.30.6', '1.30.6-trixie', '1.30.6-perl', '1.30.6-trixie-perl', '1.30.6-otel'])('nginx:%s is on Debian', (tag) => expect(imageOf('gate')(`nginx:${tag}`)).toBe(`nginx:${tag}`));
    rows(['1.30.6-alpine', '1.30.6-alpine3.24', '1.30.6-alpine-slim', '1.30.6-alpine3.24-perl', '1.30.6-alpine-otel', `stable-alpine${digest}`, `1.30.6-alpine${digest}`])('nginx:%s is not', (tag) =>
      expect(ruleOf(imageOf('gate'), `nginx:${tag}`)).toBe(noBash));

    rows(['v1.18.1', 'v1.18.1-boringcrypto', 'v1.19.0-rc.3'])('grafana/alloy:%s is on Linux', (tag) => expect(imageOf('alloy')(`grafana/alloy:${tag}`)).toBe(`grafana/alloy:${tag}`));
    rows(['v1.18.1-windowsservercore-ltsc2022', 'v1.18.1-nanoserver-1809'])('grafana/alloy:%s is not', (tag) => expect(ruleOf(imageOf('alloy'), `grafana/alloy:${tag}`)).toMatch(/^that variant is not the one on Linux/));

    rows(['2026.8.2', '2026.8.2-amd64'])('cloudflare/cloudflared:%s', (tag) => expect(imageOf('tunnel')(`cloudflare/cloudflared:${tag}`)).toBe(`cloudflare/cloudflared:${tag}`));
    test('latest-amd64 is as much latest as latest', () => expect(ruleOf(imageOf('tunnel'), 'cloudflare/cloudflared:latest-amd64')).toBe(moving));
    rows(['13.2.3-distroless', '13.2.3-ubuntu'])('grafana/grafana:%s is not', (tag) => expect(ruleOf(imageOf('grafana'), `grafana/grafana:${tag}`)).toMatch(/no wget/));

    test('what an image is called is no variant', () => expect(imageOf('gate')('alpine/nginx:1.30.6')).toBe('alpine/nginx:1.30.6'));
  });
});

test('no rule quotes the value, which may be a secret', () => expect(quoting([imageOf('phoenix')])).toEqual([]));
