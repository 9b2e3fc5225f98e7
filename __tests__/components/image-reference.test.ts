import * as fc from 'fast-check';
import { compareVersions, imageReference, versionIn, versionOf } from '../../components/image-reference';
import { rows } from '../support/rows';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

rows([
  ['nginx', { registry: 'docker.io', name: 'nginx' }],
  ['nginx:1.30.6', { registry: 'docker.io', name: 'nginx', tag: '1.30.6' }],
  ['grafana/alloy:v1.18.1', { registry: 'docker.io', name: 'grafana/alloy', tag: 'v1.18.1' }],
  ['docker.io/grafana/alloy:v1.18.1', { registry: 'docker.io', name: 'docker.io/grafana/alloy', tag: 'v1.18.1' }],
  ['ghcr.io/grafana/alloy:v1.18.1', { registry: 'ghcr.io', name: 'ghcr.io/grafana/alloy', tag: 'v1.18.1' }],
  ['localhost/alloy', { registry: 'localhost', name: 'localhost/alloy' }],
  ['registry:5000/alloy', { registry: 'registry:5000', name: 'registry:5000/alloy' }],
  [`registry:5000/team/alloy:v1.18.1@${digest}`, { registry: 'registry:5000', name: 'registry:5000/team/alloy', tag: 'v1.18.1', digest }],
  [`alloy@${digest}`, { registry: 'docker.io', name: 'alloy', digest }],
  ['[::1]:5000/alloy:v1.18.1', { registry: '[::1]:5000', name: '[::1]:5000/alloy', tag: 'v1.18.1' }],
])('%s', (text, parts) => expect(imageReference(text)).toEqual(parts));

rows(['', ':1', '@', 'A', 'a b', 'a/', '/a', 'a:', 'a@sha256:1', 'a:b:c', 'a_', 'a..b', 'http://a/b:1', 'a\n', 'user@host/a'])("'%s' is none", (text) => {
  expect(imageReference(text)).toBeUndefined();
});

test('whatever it is made of, it comes apart into that', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/);
  const registry = fc.constantFrom('', 'registry.example.com', 'localhost', 'registry:5000');
  fc.assert(
    fc.property(registry, fc.array(component, { minLength: 1, maxLength: 3 }), fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/)), fc.boolean(), (host, path, tag, pinned) => {
      // Without a registry the first part must not look like one.
      fc.pre(host !== '' || path.length === 1 || !/[.:]|^localhost$/.test(path[0] ?? ''));
      const name = [...(host ? [host] : []), ...path].join('/');
      expect(imageReference(`${name}${tag === null ? '' : `:${tag}`}${pinned ? `@${digest}` : ''}`)).toEqual({
        registry: host || 'docker.io', name, ...(tag === null ? {} : { tag }), ...(pinned ? { digest } : {}),
      });
    }),
  );
});

rows([
  ['1.30.6', '1.30.6', []],
  ['v1.18.1', '1.18.1', []],
  ['version-20.26.1-nonroot', '20.26.1', ['nonroot']],
  ['1.30.6-alpine3.24-perl', '1.30.6', ['alpine3', '24', 'perl']],
  ['v1.19.0-rc.3', '1.19.0', ['rc', '3']],
  ['1.2.3_mine', '1.2.3', ['mine']],
])('the tag %s has version %s and %j', (tag, version, variant) => expect(versionIn(tag)).toEqual({ version, variant }));

rows(['', '1', '1.30', '1.30-alpine', 'latest', 'v1.18', 'release-1.30.6', '1.30.6x', 'version-latest'])("the tag '%s' has none", (tag) => expect(versionIn(tag)).toBeUndefined());

describe('versions', () => {
  rows([
    ['arizephoenix/phoenix:version-20.26.1-nonroot', '20.26.1'],
    ['grafana/alloy:v1.18.1', '1.18.1'],
    [`grafana/alloy:v1.18.1@${digest}`, '1.18.1'],
    ['registry.example:5000/alloy:1.2.3', '1.2.3'],
    ['registry.example:5000/alloy', undefined],
    [`grafana/alloy@${digest}`, undefined],
    ['phoenix:nightly-1.2.3', undefined],
    ['phoenix:20', undefined],
    ['no reference at all:1.2.3', undefined],
  ])('versionOf %s is %s', (reference, version) => expect(versionOf(reference)).toBe(version));

  test('they compare as numbers, part by part', () => {
    const part = fc.nat({ max: 300 });
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (a, b) => {
        const difference = a.map((value, i) => value - (b[i] ?? 0)).find((value) => value !== 0) ?? 0;
        expect(Math.sign(compareVersions(a.join('.'), b.join('.')))).toBe(Math.sign(difference));
      }),
    );
    expect(Math.sign(compareVersions('1.9', '1.41'))).toBe(-1);
  });
});
