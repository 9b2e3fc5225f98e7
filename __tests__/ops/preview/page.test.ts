import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { secretValue, digestIn, type Digest, type Step } from '../../../ops/support/preview/digest';
import { asMarkdown, asText, headline, pageOf, type Page } from '../../../ops/support/preview/page';
import { report, type Problem } from '../../../settings/problem';
import { changes, container, creates, digest, dnsRecord, image, keeps, network, password, removes, replaces, volume, type Given } from '../../support/steps';

const fixture = (name: string): Digest => digestIn(fs.readFileSync(`${__dirname}/fixtures/${name}.json`, 'utf8')) as Digest;
const previewed = (given: Digest, unknown: readonly string[] = []): Page => pageOf('dev', { code: 0, digest: given, stderr: 'warning: of the CLI' }, unknown);
const refused = (...messages: string[]): Page =>
  pageOf('dev', { code: 255, digest: { diagnostics: messages.map((message) => ({ message, severity: 'error' })) }, stderr: '' });

describe('a page', () => {
  test('holds what a preview says, and no more of a resource than what is told of it', () => {
    const page = previewed(
      {
        ...digest(replaces(container, 'alloy-server', { name: 'alloy-dev', restart: 'unless-stopped', user: '1' }, { name: 'alloy-dev', restart: 'unless-stopped', user: '2' }), creates(volume, 'a', { name: 'a-dev' }), keeps(network, 'network')),
        diagnostics: [
          { message: 'warning: using pulumi-language-nodejs from $PATH at /usr/local/bin/pulumi-language-nodejs\n', severity: 'warning' },
          { message: 'warning: the token expires on 2026-12-01\n', severity: 'warning' },
          { message: 'the token expires on 2026-12-01', severity: 'warning' },
          { message: 'warning: the Docker host was not asked; whether the ports are free there is not known\n', severity: 'warning' },
          { message: 'about to begin', severity: 'info' },
        ],
      },
      ['the values of a:b (secrets)'],
    );
    expect(page).toEqual({
      stack: 'dev',
      outcome: 'previewed',
      counts: { remove: 0, replace: 1, change: 0, create: 1, same: 1 },
      alerts: [],
      effects: ['Alloy is unavailable for about 3 seconds: applications that retry, as OTLP exporters do, lose nothing. What it has accepted waits on disk.'],
      changes: [
        { kind: 'replace', resource: 'alloy-server', what: 'container alloy-dev', differences: [{ name: 'user', before: ['1'], after: ['2'] }] },
        { kind: 'create', resource: 'a', what: 'volume a-dev', differences: [] },
      ],
      warnings: ['the token expires on 2026-12-01'],
      unknown: ['the values of a:b (secrets)', 'whether the ports are free there (the Docker host was not asked)'],
      reason: '',
      problems: [],
    });
  });

  test('of a program that refuses: its words, and nothing that would be felt', () => {
    const message = "error: 1 problem with stack dev; nothing was changed.\n  - phoenix:auth is 'false': …\n      pulumi config set phoenix:auth true --stack dev\n";
    expect(refused(message, 'error: preview failed')).toMatchObject({
      outcome: 'refused', effects: [], reason: "1 problem with stack dev; nothing was changed.\n  - phoenix:auth is 'false': …\n      pulumi config set phoenix:auth true --stack dev",
    });
  });

  const problems: Problem[] = [{ key: 'phoenix:auth', value: 'false', rule: '…', mend: ['pulumi config set phoenix:auth true --stack dev'] }];
  const error = { message: `error: ${report('dev', problems)}\n`, severity: 'error' };

  test('of a program that refuses: its problems as data', () => {
    expect(pageOf('dev', { code: 255, digest: { diagnostics: [error, { message: 'error: preview failed', severity: 'error' }] }, stderr: '', problems }).problems).toEqual(problems);
  });

  test.each([
    ['something else failed as well', 255, [error, { message: 'error: the provider crashed', severity: 'error' }]],
    ['something else failed before', 255, [{ message: 'error: the provider crashed', severity: 'error' }]],
    ['one error holds more than them', 255, [{ ...error, message: `error: the provider crashed\n${report('dev', problems)}` }]],
    ['it went well after all', 0, []],
  ])('no problem stands for the whole reason where %s', (_, code, diagnostics) => {
    expect(pageOf('dev', { code, digest: { diagnostics }, stderr: '', problems }).problems).toEqual([]);
  });

  test('of an engine that refuses half-way: what may be lost is told all the same', () => {
    const steps = [removes(volume, 'phoenix-data', { name: 'phoenix-dev-data' }, { protect: true }), replaces(container, 'alloy-server', { name: 'alloy-dev', restart: 'unless-stopped' })];
    const error = 'error: resource "urn:pulumi:dev::llm-observability::docker:index/volume:Volume::phoenix-data" cannot be deleted\nbecause it is protected. To unprotect the resource, …';
    const page = pageOf('dev', { code: 255, digest: { ...digest(...steps), diagnostics: [{ message: error, severity: 'error' }] }, stderr: '' });
    expect(page).toMatchObject({
      outcome: 'refused',
      alerts: ['Volume phoenix-dev-data is deleted with everything in it.'],
      effects: [],
      reason: 'phoenix-data is protected, because it belongs to the data of the stack, and this would remove it.',
    });
  });

  test.each([
    ['be removed', 'resource "urn:pulumi:dev::llm::random:index/randomPassword:RandomPassword::phoenix-secret" cannot be deleted\nbecause it is protected.', 'remove'],
    ['be replaced', 'unable to replace resource "urn:pulumi:dev::llm::random:index/randomPassword:RandomPassword::phoenix-secret"\nas it is currently marked for protection.', 'replace'],
  ])('of what is protected and would %s', (_, error, what) => {
    expect(refused(`error: ${error}`).reason).toBe(`phoenix-secret is protected, because it belongs to the data of the stack, and this would ${what} it.`);
  });

  test.each([
    ['what the CLI said', { code: 255, digest: undefined, stderr: '\nerror: could not load the project\n' }, 'error: could not load the project'],
    ['that it said nothing', { code: 0, digest: undefined, stderr: '' }, 'Pulumi reported nothing'],
    ['what it said beside a digest without an error', { code: 1, digest: { diagnostics: [{ message: 'error: preview failed', severity: 'error' }] }, stderr: 'error: killed' }, 'error: killed'],
  ])('without a preview: %s', (_, run, reason) => {
    expect(pageOf('dev', run)).toMatchObject({ outcome: 'failed', reason });
  });
});

describe('the headline', () => {
  test.each([
    ['nothing changes', [keeps(network, 'a')]],
    ['nothing changes', []],
    ['1 to create; nothing is deployed yet', [creates(network, 'a')]],
    ['1 to create; 1 stays as it is', [creates(network, 'a'), keeps(network, 'b')]],
    ['1 to remove', [removes(network, 'a')]],
    ['1 to remove, 1 to replace, 1 to change, 2 to create; 2 stay as they are',
      [removes(network, 'a'), replaces(volume, 'b', {}), changes(image, 'c', {}), creates(volume, 'd'), creates(volume, 'e'), keeps(volume, 'f'), keeps(volume, 'g')]],
    ['1 to replace, 1 to create', [replaces(volume, 'b', {}), creates(volume, 'd')]],
  ] as const)('%s', (expected, steps) => {
    expect(headline(previewed(digest(...steps)))).toBe(expected);
  });

  test('where there is none', () => {
    expect(headline(refused('error: no'))).toBe('refused; nothing would be changed');
    expect(headline(pageOf('dev', { code: 1, digest: undefined, stderr: '' }))).toBe('no preview could be made');
  });
});

describe('as text', () => {
  test('of a real preview: a volume under another name', () => {
    expect(asText([previewed(fixture('renamed'))])).toBe(`dev: 1 to remove, 3 to replace, 3 to change, 1 to create; 2 stay as they are
  ! Volume phoenix-dev-data is removed from the stack. It stays on the host with its data, but nothing uses
    it.
  ! Container phoenix-dev starts with volume phoenix-dev-store instead of phoenix-dev-data: it will not find
    the data that it has stored.
  ! Was phoenix-data renamed to phoenix-store? Pulumi would remove the old one and create a new one. Add
    aliases: [{ name: 'phoenix-data' }] to keep it.
  Phoenix is unavailable for about 20 seconds. What is sent to Alloy in that time waits on its disk; stored
    data stays.

  remove   volume phoenix-dev-data

  replace  job phoenix-dev-data-owner
    - volumes: phoenix-dev-data:/phoenix_storage
    + volumes: phoenix-dev-store:/phoenix_storage

  replace  container phoenix-dev
    - volumes: phoenix-dev-data:/phoenix_storage
    + volumes: phoenix-dev-store:/phoenix_storage

  replace  intake of Phoenix

  change   check that a trace arrives, API key in Phoenix: alloy, settings that Phoenix takes through its API

  create   volume phoenix-dev-store`);
  });

  test('of a real preview: auth on, with the lines of a file', () => {
    const text = asText([previewed(fixture('auth'))]);
    expect(text.split('\n').slice(5, 15)).toEqual([
      '',
      '  replace  files in volume alloy-dev-config',
      '    config.alloy',
      '      @@ -31,10 +31,26 @@',
      '       \tfsync            = true',
      '       }',
      '       ',
      '      +// Read again as soon as it changes. Secret: Alloy shows neither it nor what is made of it.',
      '      +local.file "phoenix_authorization" {',
      '      +\tfilename       = "/etc/alloy-secrets/phoenix.authorization"',
    ]);
    expect(text).toContain('  replace  container phoenix-dev\n    ~ environment (secret)\n');
    expect(text).toContain('  create   files in volume alloy-dev-secrets, volume alloy-dev-secrets');
  });

  test('a reason keeps its lines, which may be commands; notes and what is not known stand last; a line between stacks', () => {
    const page = pageOf('dev', { code: 255, digest: { diagnostics: [
      { message: `error: no\n  - ${'long '.repeat(30)}\n      npm run up\n`, severity: 'error' }, { message: 'warning: soon', severity: 'warning' },
    ] }, stderr: '' }, ['the values of a:b (secrets)']);
    expect(asText([page, previewed(digest())])).toBe(
      `dev: refused; nothing would be changed\n  no\n    - ${'long '.repeat(30)}\n        npm run up\n\n  Note: soon\n  Not known: the values of a:b (secrets)\n\ndev: nothing changes`,
    );
  });

  test('names of a kind share rows, which end between two of them', () => {
    const names = Array.from({ length: 6 }, (_, index) => `volume-with-a-name-${index}`);
    const [, , first = '', second = '', ...rest] = asText([previewed(digest(...names.map((name) => creates(volume, name, { name }))))]).split('\n');
    expect(rest).toEqual([]);
    expect([first, second].map((line) => line.length).every((length) => length <= 110)).toBe(true);
    expect([first.slice(0, 11), first.at(-1), second.slice(0, 18)]).toEqual(['  create   ', ',', `${' '.repeat(11)}volume `]);
    expect([...`${first} ${second}`.matchAll(/volume-with-a-name-\d/g)].map(([name]) => name)).toEqual(names);
  });
});

describe('as Markdown', () => {
  test('of a real preview', () => {
    expect(asMarkdown([previewed(fixture('auth'))])).toMatch(/^### `dev`: 4 to replace, 3 to change, 2 to create; 2 stay as they are\n\n- Alloy is unavailable .*\n- Phoenix is unavailable .*\n\n\| \| What \| Difference \|\n\| --- \| --- \| --- \|\n\| replace \| files in volume alloy-dev-config \| config\.alloy: 16 lines, below \|\n/);
    expect(asMarkdown([previewed(fixture('auth'))])).toContain([
      '| replace | container alloy-dev | volumes: nothing → `alloy-dev-secrets:/etc/alloy-secrets:ro` |',
      '| replace | container phoenix-dev | environment: secret |',
      '| replace | intake of Phoenix |  |',
      '| change | check that a trace arrives | auth: `false` → `true` |',
      '| change | API key in Phoenix: alloy | auth: `false` → `true` |',
      '| change | settings that Phoenix takes through its API | auth: `false` → `true` |',
      '| create | files in volume alloy-dev-secrets, volume alloy-dev-secrets |  |',
      '',
      '<details><summary>config.alloy (files in volume alloy-dev-config)</summary>',
      '',
      '```diff',
      '@@ -31,10 +31,26 @@',
      ' \tfsync            = true',
    ].join('\n'));
  });

  test('warnings, notes, what is not known, a reason', () => {
    const page: Page = {
      stack: 'dev', outcome: 'refused', counts: { remove: 0, replace: 0, change: 0, create: 0, same: 1 }, changes: [],
      alerts: ['A <b>'], effects: [], warnings: ['soon\nor later'], unknown: ['[a](b)'], reason: 'no\n    ```\n    npm run up', problems: [],
    };
    expect(asMarkdown([page, { ...page, outcome: 'previewed', alerts: [], warnings: [], unknown: [], reason: '' }])).toBe(
      '### `dev`: refused; nothing would be changed\n\n````text\nno\n    ```\n    npm run up\n````\n\n> [!WARNING]\n> A \\<b\\>\n\n- Note: soon or later\n\n- Not known: \\[a\\](b)\n\n### `dev`: nothing changes\n',
    );
  });

  test('a file of one changed line', () => {
    const files = (content: string): Given => ({ name: 'a', uploads: [{ file: '/a.conf', content }] });
    expect(asMarkdown([previewed(digest(replaces(container, 'a', files('x\n'), files('x\ny\n'))))])).toContain('| replace | container a | a.conf: 1 line, below |');
  });
});

describe('whatever it tells', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('|', '\\', '\\|', '`', '```', '````\n', '\n\n', '</summary>', '<!--', '</details>\n\n# x', '| a |', '> [!NOTE]', '&lt;', '\r', '~~~', '[a](b)', '*a*', 'a\\'),
  ).map((one) => `${one}.`);

  /** Cells of a row: GitHub ends one at a pipe that no backslash stands before. */
  const cells = (row: string): string[] => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
  const oneLine = (value: string): string => value.replace(/[\r\n]+/g, ' ');
  const unescaped = (cell: string): string => cell.replace(/\\([!-/:-@[-`{-~])/g, '$1');

  /** What stands outside of fences, and the blocks in them, as CommonMark takes them apart. */
  function takenApart(markdown: string): { outside: string[]; blocks: string[][] } {
    const outside: string[] = [];
    const blocks: string[][] = [];
    let fence = '';
    for (const line of markdown.split(/\r\n|\n|\r/)) {
      const [, run = ''] = /^ {0,3}(`{3,})[^`]*$/.exec(line) ?? [];
      if (fence === '' && run !== '') {
        fence = run;
        blocks.push([]);
      } else if (fence !== '' && /^ {0,3}`+\s*$/.test(line) && line.trim().length >= fence.length) {
        fence = '';
      } else if (fence === '') {
        outside.push(line);
      } else {
        blocks.at(-1)?.push(line);
      }
    }
    expect(fence).toBe('');
    return { outside, blocks };
  }

  test('no cell, fence or summary of the Markdown is broken by it', () => {
    // A value of several lines is told by its lines, as a file is.
    const value = text.map((one) => one.replace(/\n/g, ' '));
    fc.assert(fc.property(text, value, value, fc.array(text, { minLength: 1, maxLength: 3 }), text, (name, before, after, lines, said) => {
      const file = (content: string): Given => ({ name: `f ${name}`, uploads: [{ file: `/${name.replace(/\//g, '')}`, content }] });
      const page = previewed(
        {
          ...digest(
            changes(container, 'a', { name, user: before }, { name, user: `${after}x` }),
            changes(container, 'b', file(''), file(lines.join('\n'))),
            removes(volume, 'c', { name: `${name}-data` }),
          ),
          diagnostics: [{ message: said, severity: 'warning' }],
        },
        [said],
      );
      const { outside, blocks: [block = [], ...others] } = takenApart(asMarkdown([page]));
      // The lines of the file, in a block of their own.
      const told = (list: readonly string[]): string[] => list.filter((line) => line !== '');
      expect([others, block[0]]).toEqual([[], expect.stringMatching(/^@@ /)]);
      expect(told(block.slice(1).map((line) => line.replace(/^\+/, '')))).toEqual(told(lines.join('\n').split(/\r\n|\n|\r/)));
      // The table, with all its cells.
      const rows = outside.filter((line) => line.startsWith('|')).map(cells);
      expect(rows.map((row) => [row.length, row[0]])).toEqual([[3, ''], [3, '---'], [3, 'remove'], [3, 'change'], [3, 'change']]);
      expect(rows.slice(2).map(([, what = '']) => unescaped(what))).toEqual([`volume ${name}-data`, `container ${name}`, `container f ${name}`].map((one) => oneLine(one).trim()));
      expect(rows[3]?.[2]?.match(/^user: `[^`]*` → `[^`]*`$/)).not.toBeNull();
      // Nothing else is a heading, a quotation, HTML or an item; and there is no other line.
      const beginning = (begin: RegExp): number => outside.filter((line) => begin.test(line)).length;
      expect([/^#/, /^>/, /^<details><summary>[^<>]*<\/summary>$/, /^<\/details>$/, /^- /].map(beginning)).toEqual([1, 2, 1, 1, 2]);
      expect(told(outside)).toHaveLength(rows.length + 7);
    }), { numRuns: 300 });
  });

  const made: readonly [string, (name: string, inputs: Given) => Step][] = [
    ['remove', (name, inputs) => removes(container, name, { name, ...inputs })],
    ['replace', (name, inputs) => replaces(container, name, { name, user: '1', ...inputs }, { name, user: '2' })],
    ['change', (name, inputs) => changes(volume, name, { name, ...inputs }, { name })],
    ['create', (name) => creates(network, name, { name })],
    ['remove', (name) => removes(dnsRecord, name, { name })],
    ['create', (name) => creates(password, name)],
  ];

  test('text, Markdown and JSON tell every change exactly once', () => {
    const list = fc.array(fc.record({ kind: fc.nat(made.length - 1), differs: fc.boolean() }), { maxLength: 30 });
    fc.assert(fc.property(list, (drawn) => {
      const names = drawn.map((_, index) => `thing-${index}.`);
      const steps = drawn.map(({ kind, differs }, index) => made[kind]?.[1](names[index] ?? '', differs ? { user: '3' } : {}) ?? keeps(volume, 'never'));
      const page = { ...previewed(digest(...steps)), alerts: [], effects: [] };
      expect(page.changes.map(({ resource }) => resource).sort()).toEqual([...names].sort());
      const count = (told: string, name: string): number => told.split(` ${name}`).length - 1;
      for (const told of [asText([page]), asMarkdown([page])]) {
        expect(names.filter((name) => count(told, name) !== 1)).toEqual([]);
      }
      const total = Object.values(page.counts).reduce((sum, one) => sum + one, 0);
      expect(total).toBe(names.length);
    }));
  });

  test.each([
    ['envs', 'TOKEN=s3cr3t', secretValue],
    ['envs', ['TOKEN=s3cr3t', 'A=1'], [secretValue, 'A=1']],
    ['envs', ['TOKEN=s3cr3t', 'A=1'], secretValue],
    ['logOpts', { of: ['s3cr3t'] }, { of: [secretValue] }],
    ['labels', [{ label: 'a', value: 's3cr3t' }], [{ label: 'a', value: secretValue }]],
    ['uploads', [{ file: '/a', content: 'key = s3cr3t\n' }], [{ file: '/a', content: secretValue }]],
    ['uploads', [{ file: '/a', content: 'key = s3cr3t\n' }], secretValue],
    ['entrypoint', 'set -e\nexport TOKEN=s3cr3t\n', secretValue],
  ])('no text of a secret is in any of the three formats, where %s is plain on one side: %j', (property, plain, masked) => {
    const [open, hidden] = [plain, masked].map((value): Given => ({ name: 'a', restart: 'unless-stopped', [property]: value })) as [Given, Given];
    for (const step of [replaces(container, 'a', open, hidden), replaces(container, 'a', hidden, open), changes(container, 'a', hidden, open), creates(container, 'a', open), removes(container, 'a', open)]) {
      const page = previewed(digest(step));
      expect(page.changes[0]?.differences).toHaveLength(/replace|update/.test(step.op) ? 1 : 0);
      expect([asText([page]), asMarkdown([page]), JSON.stringify([page])].join('\n')).not.toContain('s3cr3t');
    }
  });
});
