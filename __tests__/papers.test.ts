/** The papers of the repository: that they are there, agree with each other and name what exists. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { images, pulumiVersion } from '../components/catalog';

const read = (file: string): string => fs.readFileSync(file, 'utf8');
const { license, engines, scripts, dependencies, devDependencies } = JSON.parse(read('package.json')) as {
  license: string;
  engines: { node: string };
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const papers = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];

test('the licence is the one of package.json, to the letter', () => {
  expect(license).toBe('Apache-2.0');
  expect(read('LICENSE')).toMatch(/^\s+Apache License\n\s+Version 2\.0, January 2004\n/);
  // As apache.org publishes it, white space at its top aside.
  expect(createHash('sha256').update(read('LICENSE').trimStart()).digest('hex')).toBe('50e6751797c50dedd75ef1b8a0d9e42f5f8472e9fbce91f34718e9f97b0c780a');
});

describe.each(papers)('%s', (paper) => {
  test('its links lead to files that are there', () => {
    const links = [...read(paper).matchAll(/\]\((?!https:)([^)#]+)\)/g)].map(([, file = '']) => file);
    expect(links.filter((file) => !fs.existsSync(file))).toEqual([]);
  });

  test('its commands, settings and paths are there', () => {
    const text = read(paper);
    const commands = [...text.matchAll(/`npm (?:run )?(?!run\b)([a-z][a-z0-9]+)\b/g)].map(([, name = '']) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
    const paths = [...text.matchAll(/`((?:__tests__|\.github|docs|lab)[\w./-]*)`/g)].map(([, name = '']) => name);
    expect(paths.filter((name) => !fs.existsSync(name))).toEqual([]);
  });
});

test('CONTRIBUTING has ten lines, an example that names tests for each kind, and a line for each library', () => {
  const [lines = '', , , libraries = ''] = read('CONTRIBUTING.md').trim().split(/\n\n## .+\n\n/);
  expect(lines.split('\n').slice(2).map((line) => Number(/^(\d+)\. /.exec(line)?.[1]))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(libraries.split('\n').filter((line) => !/^- (Used|Not used): \*\*[^*]+\*\*.*\.$/.test(line))).toEqual([]);
  const named = [...read('CONTRIBUTING.md').matchAll(/npm (test|run e2e) -- ([a-z][\w/]*)/g)].map(([, kind = '', pattern = '']) => [kind === 'test' ? '__tests__' : '__tests__/e2e', pattern] as const);
  expect(named.map(([folder, pattern]) => [pattern, fs.existsSync(path.join(folder, `${pattern}.test.ts`))])).toEqual([['components/alloy', true], ['auth', true], ['readme', true]]);
});

test('the page about the tests has ten lines, and the files and folders that it names are there', () => {
  const page = read('__tests__/README.md');
  expect(page.split('\n').filter((line) => /^\d+\. /.test(line))).toHaveLength(10);
  const named = [...page.matchAll(/`((?:\.github|\.ci|[a-z][\w-]*)(?:[/.][\w.-]*)*)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => ![name, `__tests__/${name}`, `__tests__/${name}.test.ts`, `node_modules/${name}`].some((file) => fs.existsSync(file)))).toEqual([]);
});

test('the changelog keeps its form: what is not released comes first, in sections with entries', () => {
  const [, ...releases] = read('CHANGELOG.md').split(/^## /m);
  expect(releases[0]).toMatch(/^\[Unreleased\]\n/);
  const sections = [...read('CHANGELOG.md').matchAll(/^### (.*)\n\n((?:.+\n)+)/gm)];
  expect(sections.map(([, name]) => name)).toEqual(['Added', 'Changed', 'Fixed', 'Security']);
  expect(sections.flatMap(([, , entries = '']) => entries.trim().split('\n')).filter((line) => !/^(- [A-Z`].*\.|  .*)$/.test(line))).toEqual([]);
});

describe('Renovate', () => {
  interface Manager {
    readonly customType: string;
    readonly managerFilePatterns: readonly string[];
    readonly matchStrings: readonly string[];
    readonly autoReplaceStringTemplate?: string;
    readonly depNameTemplate?: string;
    readonly datasourceTemplate: string;
  }
  interface Rule {
    readonly matchPackageNames?: readonly string[];
    readonly versioning?: string;
    readonly allowedVersions?: string;
  }
  const { enabledManagers, customManagers, packageRules } = JSON.parse(read('renovate.json')) as { enabledManagers: string[]; customManagers: [Manager, Manager]; packageRules: Rule[] };
  const [imageManager, cliManager] = customManagers;
  const catalog = read('components/catalog.ts');

  /** What a manager finds in a file, as Renovate does: every match, with its named groups. */
  const foundBy = ({ matchStrings }: Manager, text: string): Record<string, string | undefined>[] =>
    matchStrings.flatMap((pattern) => [...text.matchAll(new RegExp(pattern, 'gm'))].map(({ groups, 0: whole }) => ({ ...groups, whole })));

  /** An image in its parts. */
  const parts = (reference: string): object => {
    const [, depName, currentValue, currentDigest] = /^(.+?):([^@]+)(?:@(.+))?$/.exec(reference) ?? [];
    return { depName, currentValue, currentDigest, whole: `'${reference}'` };
  };

  test('looks at packages, actions and what is written in the catalog', () => {
    expect(enabledManagers).toEqual(['npm', 'github-actions', 'custom.regex']);
    expect(customManagers.map(({ customType, managerFilePatterns, datasourceTemplate }) => [customType, managerFilePatterns, datasourceTemplate])).toEqual([
      ['regex', ['components/catalog.ts'], 'docker'],
      ['regex', ['components/catalog.ts'], 'github-releases'],
    ]);
  });

  const digest = `sha256:${'0a'.repeat(32)}`;
  test.each([
    ['as they are', catalog, Object.values(images)],
    ['with digests', Object.values(images).map((image) => `x: '${image.split('@')[0]}@${digest}',`).join('\n'), Object.values(images).map((image) => `${image.split('@')[0]}@${digest}`)],
  ])('finds every image of the catalog, and nothing else: %s', (_, text, references) => {
    expect(foundBy(imageManager, text)).toEqual(references.map(parts));
  });

  test('writes an image as the catalog has it', () => {
    expect(imageManager.autoReplaceStringTemplate).toBe("'{{{depName}}}:{{{newValue}}}{{#if newDigest}}@{{{newDigest}}}{{/if}}'");
  });

  test('finds the pinned Pulumi CLI', () => {
    expect(cliManager.depNameTemplate).toBe('pulumi/pulumi');
    expect(foundBy(cliManager, catalog)).toMatchObject([{ currentValue: pulumiVersion.pinned }]);
  });

  const versionings = Object.fromEntries(packageRules.flatMap(({ matchPackageNames = [], versioning = '' }) => (versioning === '' ? [] : matchPackageNames.map((name) => [name, versioning]))));
  const isVersion = (name: string, tag: string): boolean => new RegExp((versionings[name] ?? '').replace(/^regex:/, '')).test(tag);

  test.each(Object.entries(images))('knows how the tags of %s are made: %s', (_, image) => {
    const [name = '', tag = ''] = (image.split('@')[0] ?? '').split(':');
    expect(isVersion(name, tag)).toBe(true);
  });

  test.each([
    ['arizephoenix/phoenix', ['20.27.0', 'version-20.27.0', 'version-20.27.0-debug', 'nightly']],
    ['grafana/alloy', ['latest', 'v1.19.0-rc.1', 'v1.19.0-boringcrypto', 'v1.19']],
    ['nginx', ['1.31.0', '1.30', '1.32.0-alpine', 'stable']],
    ['cloudflare/cloudflared', ['latest', '2026.9.0-arm64']],
  ])('proposes for %s none of the tags that a stack cannot use', (name, tags) => {
    expect(tags.filter((tag) => isVersion(name, tag))).toEqual([]);
  });

  test('holds back what needs a newer Node, for as long as package.json allows the old one', () => {
    const held = packageRules.filter(({ allowedVersions }) => allowedVersions !== undefined).flatMap(({ matchPackageNames = [] }) => matchPackageNames);
    // With another oldest Node, these rules of renovate.json and this list change too.
    expect(engines.node).toBe('>=20');
    expect(held.sort()).toEqual(['@commander-js/extra-typings', '@pulumi/pulumi', '@types/node', 'commander', 'undici']);
    expect(held.filter((name) => !(name in dependencies) && !(name in devDependencies))).toEqual([]);
  });
});
