import * as fs from 'node:fs';
import * as fc from 'fast-check';
import { render, renderFile } from '../../components/template';

describe('a value', () => {
  test.each([
    ['plain', 'phoenix', 'phoenix'],
    ['no HTML', `<a href='x'>&</a>`, `<a href='x'>&</a>`],
    ['quotes', 'say "hi"', 'say \\"hi\\"'],
    ['backslashes', 'C:\\temp', 'C:\\\\temp'],
    ['lines and tabs', 'a\nb\r\n\tc', 'a\\nb\\r\\n\\tc'],
    ['control characters', '\u0000\u001b', '\\u0000\\u001b'],
    ['other scripts', '日本 ü', '日本 ü'],
    ['a number', 4317, '4317'],
    ['zero', 0, '0'],
    ['false', false, 'false'],
    ['empty', '', ''],
    ['mustache inside', '{{other}}', '{{other}}'],
  ])('%s', (_, value, expected) => {
    expect(render('"{{key}}"', { key: value })).toBe(`"${expected}"`);
  });

  test('whatever it is, a reader of the string finds it again', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => expect(JSON.parse(render('"{{key}}"', { key: value }))).toBe(value)));
  });

  test('raw, it stands as it is', () => {
    expect(render('[{{{key}}}] [{{&key}}]', { key: 'a "b" \\ \n <c>' })).toBe('[a "b" \\ \n <c>] [a "b" \\ \n <c>]');
  });
});

describe('sections', () => {
  const list = '{{#items}}\n{{name}} of {{owner}}\n{{/items}}\n';

  test('repeat for each item, and see the names around them', () => {
    expect(render(list, { items: [{ name: 'a' }, { name: 'b', owner: 'B' }], owner: 'all' })).toBe('a of all\nb of B\n');
  });

  test.each([[[]], [false]])('are left out for %j', (items) => {
    expect(render(`x\n${list}y\n`, { items, owner: 'all' })).toBe('x\ny\n');
  });

  test('hold items that are no objects', () => {
    expect(render('{{#items}}<{{.}}>{{/items}}', { items: ['a', '"'] })).toBe('<a><\\">');
  });

  test('inverted, stand for what is off', () => {
    expect(render('{{^on}}off{{/on}}{{#on}}on{{/on}}', { on: false })).toBe('off');
    expect(render('{{^on}}off{{/on}}{{#on}}on{{/on}}', { on: true })).toBe('on');
  });

  test('names with dots', () => {
    expect(render('{{a.b}}', { a: { b: 'c' } })).toBe('c');
  });
});

describe('strictness', () => {
  test.each([
    ['a value', '{{missing}}'],
    ['a raw value', '{{{missing}}}'],
    ['a section', '{{#missing}}x{{/missing}}'],
    ['an inverted section', '{{^missing}}x{{/missing}}'],
    ['a value in a section', '{{#items}}{{missing}}{{/items}}'],
    ['a section in a section', '{{#items}}{{#missing}}x{{/missing}}{{/items}}'],
  ])('%s without a key throws', (_, template) => {
    expect(() => render(template, { items: [{ name: 'a' }] })).toThrow(new Error("the template names 'missing', which it was not given"));
  });

  test('a path that ends nowhere throws', () => {
    expect(() => render('{{a.missing}}', { a: {} })).toThrow(new Error("the template names 'a.missing', which it was not given"));
  });

  test.each([undefined, null])('%s is no value', (nothing) => {
    expect(() => render('{{key}}', { key: nothing })).toThrow(new Error("the template names 'key', which it was not given"));
  });

  test('a key of a section that is left out is not asked for', () => {
    expect(render('{{#on}}{{missing}}{{/on}}', { on: false })).toBe('');
  });

  test('a partial throws', () => {
    expect(() => render('{{> footer}}', {})).toThrow(new Error("the template includes 'footer', and there are no partials"));
  });

  test('a section that does not end throws', () => {
    expect(() => render('{{#on}}x', { on: true })).toThrow('Unclosed section "on"');
  });
});

describe('renderFile', () => {
  test('names the file and the key', () => {
    expect(() => renderFile('phoenix/own-volume.py.mustache', { uid: 1, gid: 2 })).toThrow(
      new Error("templates/phoenix/own-volume.py.mustache: the template names 'path', which it was not given"),
    );
  });

  test('names a file that is not there', () => {
    expect(() => renderFile('phoenix/nothing.mustache', {})).toThrow(/^templates\/phoenix\/nothing\.mustache: ENOENT/);
  });

  test('every template under templates/ is rendered by name somewhere in components/', () => {
    const all = fs.readdirSync('templates', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.mustache'));
    const code = fs.readdirSync('components').filter((file) => file.endsWith('.ts')).map((file) => fs.readFileSync(`components/${file}`, 'utf8')).join('\n');
    expect(all.filter((file) => !code.includes(`'${file.replace(/\\/g, '/')}'`))).toEqual([]);
  });
});
