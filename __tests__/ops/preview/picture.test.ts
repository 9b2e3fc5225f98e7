import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { digestIn } from '../../../ops/support/preview/digest';
import { asText, pageOf } from '../../../ops/support/preview/page';
import { picture } from '../../../ops/support/preview/picture';

interface Line {
  readonly fill: string;
  readonly text: string;
  readonly y: number;
  /** Colour of the first word where that is another. */
  readonly word?: string;
}

const unescaped = (text: string): string => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

/** The lines of text in a picture. */
function linesOf(svg: string): Line[] {
  return svg.split('\n').filter((line) => line.startsWith('<text ')).map((line) => {
    const [, y = '', fill = '', inner = ''] = /^<text xml:space="preserve" x="24" y="(\d+)" fill="(#[0-9a-f]{6})"(?: font-weight="bold")?>([^]*)<\/text>$/.exec(line) ?? [];
    const [, word = ''] = /<tspan fill="(#[0-9a-f]{6})" font-weight="bold">/.exec(inner) ?? [];
    return { y: Number(y), fill, text: unescaped(inner.replace(/<\/?tspan[^>]*>/g, '')), ...(word ? { word } : {}) };
  });
}

const [plain, bright, dim, red, amber, green, blue] = ['#c9d1d9', '#ffffff', '#8b949e', '#ff7b72', '#e3b341', '#7ee787', '#79c0ff'];

test('each line has the colour of what it says', () => {
  const page = [
    'dev: 1 to remove, 1 to replace, 1 to change, 1 to create',
    '  ! Volume a leaves the stack. It stays on the host, but nothing uses it',
    '    any more.',
    '  Phoenix is unavailable for about 20 seconds. What is stored',
    '    stays stored.',
    '',
    '  remove   volume a',
    '  replace  container b',
    '    - user: 1',
    '    + user: 2',
    '    ~ environment (secret)',
    '    config.alloy',
    '      @@ -1,2 +1,2 @@',
    '       same',
    '      -old',
    '      +new',
    '  change   container c',
    '  create   network d, volume e,',
    '           volume f',
    '',
    '  Note: soon',
    '  Not known: much',
    '',
    'prod: nothing changes',
  ].join('\n');
  const step = (fill: string | undefined, word?: string): object => ({ fill, ...(word ? { word } : {}) });
  const found = linesOf(picture(page));
  expect(found.map(({ text }) => text)).toEqual(page.split('\n').filter((line) => line !== ''));
  expect(found.map(({ fill, word }) => step(fill, word))).toEqual([
    step(bright), step(amber), step(amber), step(plain), step(plain),
    step(plain, red), step(plain, amber), step(red), step(green), step(amber), step(plain), step(blue), step(plain), step(red), step(green),
    step(plain, blue), step(plain, green), step(plain), step(dim), step(dim), step(bright),
  ]);
});

test('lines stand where they stand in the page, empty ones between them', () => {
  expect(linesOf(picture('dev: a\n\n  b\n  c\n')).map(({ y }) => y)).toEqual([54, 96, 117]);
});

const size = (svg: string): number[] => (/ width="(\d+)" height="(\d+)" viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).slice(1).map(Number);

test('it is as wide as its longest line, and as high as it has lines', () => {
  const [width = 0, height = 0, ...box] = size(picture(`${'x'.repeat(10)}\n`));
  expect(box).toEqual([width, height]);
  const [wider = 0, same] = size(picture(`${'x'.repeat(110)}\n`));
  expect([Math.round((wider - width) / 100), same]).toEqual([9, height]);
  expect(size(picture(`${'x'.repeat(10)}\na\n\nb\n`))).toEqual([width, height + 3 * 21, width, height + 3 * 21]);
  // A character of two halves is one.
  expect(size(picture('😀'.repeat(10)))).toEqual(size(picture('x'.repeat(10))));
});

test('what closes a page makes no room', () => {
  expect(picture('dev: a\n')).toBe(picture('dev: a'));
});

test('it asks nobody for anything', () => {
  const svg = picture(asText([pageOf('dev', { code: 0, digest: digestIn(fs.readFileSync(`${__dirname}/fixtures/auth.json`, 'utf8')), stderr: '' })]));
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*monospace[^>]*>\n<title>dev: 4 to replace, [^<]*<\/title>\n[^]*<\/svg>\n$/);
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:(?!\/\/phoenix-gate)|url\(|href|@import|<style|<script/);
  // Of the config in it.
  expect(linesOf(svg).map(({ text }) => text)).toContain('      +    filename       = "/etc/alloy-secrets/phoenix.authorization"');
});

test('nothing in the page is XML, and the same page is the same picture', () => {
  const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('</text>', ']]>', '<!--', '&amp;', '&#0;', '\u0000', '\uFFFE', '\uD800', '\u001b[31m', '  create   <b>', '\t', '\u2028', '😀', "a'\""));
  fc.assert(fc.property(fc.array(line.map((one) => `x${one}`.replace(/[\r\n]/g, ' ')), { minLength: 1 }), (lines) => {
    const svg = picture(lines.join('\n'));
    expect(picture(lines.join('\n'))).toBe(svg);
    // Characters that XML does not take stand in it for none.
    expect(svg).not.toMatch(/[^\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
    expect([...svg.matchAll(/<(\/?[a-z]+)/g)].map(([, name]) => name).filter((name) => !/^\/?(svg|title|rect|circle|text|tspan)$/.test(name ?? ''))).toEqual([]);
    expect(svg.replace(/&(amp|lt|gt);/g, '')).not.toContain('&');
    expect(linesOf(svg)).toHaveLength(lines.length);
    const printable = (text: string): string => text.trimEnd().replace(/\t/g, '    ').replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
    expect(linesOf(svg).map(({ text }) => text)).toEqual(lines.map(printable));
  }), { numRuns: 300 });
});
