import { shellQuoted } from '../../settings/setting';
import { origins } from '../../settings/origins';
import { listed } from '../../settings/problem';
import { readSettings } from '../../settings/settings';
import { rows } from '../support/rows';

const problemOf = (raw: string): string[] => readSettings({ 'alloy:cors': raw }, 'llm-observability').problems.map(listed);
const set = (value: string): string => `pulumi config set alloy:cors ${shellQuoted(value)}`;
const example = `${set('https://app.example.com')}   # an example`;

rows([
  ['https://app.example.com'], ['http://app.example.com:8080'], ['https://app.example.com:80'], ['http://localhost:5173'], ['http://127.0.0.1:3000'], ['http://[::1]:3000'], ['https://xn--bcher-kva.example'],
  ['https://*.example.com'], ['https://*.app.example.com:8443'], ['http://*.localhost:3000'], ['http://localhost:*'], ['https://app.example.com:*'], ['http://[::1]:*'],
])('%s is an origin', (origin) => expect(origins(origin)).toEqual([origin]));

test('commas separate them, and spaces around them do not matter', () => {
  expect(origins('https://a.example.com, http://localhost:*')).toEqual(['https://a.example.com', 'http://localhost:*']);
});

rows([
  ['a path', 'https://app.example.com/chat', 'https://app.example.com'],
  ['a trailing slash', 'https://app.example.com/', 'https://app.example.com'],
  ['a trailing slash after a port', 'http://localhost:5173/', 'http://localhost:5173'],
  ['a query', 'https://app.example.com?a', 'https://app.example.com'],
  ['a fragment', 'https://app.example.com#top', 'https://app.example.com'],
  ['upper case', 'https://App.Example.com', 'https://app.example.com'],
  ['a scheme in upper case', 'HTTPS://app.example.com', 'https://app.example.com'],
  ['the port of https', 'https://app.example.com:443', 'https://app.example.com'],
  ['the port of http', 'http://app.example.com:80', 'http://app.example.com'],
  ['a name that is not ASCII', 'https://bücher.example', 'https://xn--bcher-kva.example'],
  ['another spelling of an address', 'http://[0:0:0:0:0:0:0:1]:3000', 'http://[::1]:3000'],
  ['a path after a wildcard', 'https://*.example.com/', 'https://*.example.com'],
  ['the port of https after a wildcard', 'https://*.example.com:443', 'https://*.example.com'],
  ['a path after any port', 'http://localhost:*/', 'http://localhost:*'],
  ['one of several', 'https://a.example.com,https://b.example.com/', 'https://a.example.com,https://b.example.com'],
])('%s: %s', (_, raw, meant) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': a browser sends the scheme, the host in small letters and a port other than that of the scheme, and nothing after it.\n      ${set(meant)}`]);
});

rows([
  ['https://app.example.com.', 'https://app.example.com'],
  ['https://App.example.com.:8443/chat', 'https://app.example.com:8443'],
  ['https://*.example.com.', 'https://*.example.com'],
  ['http://localhost.:*', 'http://localhost:*'],
  ['https://a.example.com,https://b.example.com..', 'https://a.example.com,https://b.example.com'],
])('%s has a dot at the end of its host', (raw, meant) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': the host of an origin has no dot at its end.\n      ${set(meant)}`]);
});

test('a dot at the end makes no domain of a top-level domain', () => {
  expect(problemOf('https://*.com.')).toEqual([`  - alloy:cors is 'https://*.com.': the host of an origin has no dot at its end.\n      ${example}`]);
});

rows([
  ['app.example.com.', 'https://app.example.com'],
  ['app.example.com', 'https://app.example.com'],
  ['*.example.com', 'https://*.example.com'],
  ['localhost:5173', 'http://localhost:5173'],
  ['localhost:*', 'http://localhost:*'],
  ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ['[::1]:3000', 'http://[::1]:3000'],
  ['app.example.com:443/chat', 'https://app.example.com'],
])('%s has no scheme', (raw, meant) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': an origin begins with http:// or https://.\n      ${set(meant)}`]);
});

rows(['ftp://app.example.com', 'file:///index.html', 'chrome-extension://abc', ',', 'https://a.example.com,'])('%s is offered an example', (raw) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': an origin begins with http:// or https://.\n      ${example}`]);
});

rows(['https://', 'https://a b', 'https://app.example.com:99999', 'https://[::1', 'http://:3000', 'http://*.1.2.3.4'])('%s is no origin', (raw) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': it is not an origin; write http://host:port or https://host.\n      ${example}`]);
});

rows([
  'https://*', 'https://*example.com', 'https://app-*.example.com', 'https://app.*.com', 'https://app.example.*', 'https://*.*.example.com', 'https://*.example.com:*', 'http://localhost:51*', 'https://**.example.com', 'http://*:3000',
  '*://app.example.com', 'https://app.example.com/*', 'https://*.example.com/*',
])('a * of %s stands elsewhere', (raw) => {
  const rule = raw.startsWith('*:') ? 'an origin begins with http:// or https://' : 'one * matches what comes before a domain, as in https://*.example.com, or for any port, as in http://localhost:*';
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': ${rule}.\n      ${example}`]);
});

rows(['https://*.com', 'https://*.lan:8443'])('%s is half the web', (raw) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': a * in front of a top-level domain accepts the websites of everyone; name a domain, as in https://*.example.com.\n      ${example}`]);
});

rows(['*', '*,https://app.example.com', 'https://app.example.com,*'])('%s is every website', (raw) => {
  expect(problemOf(raw)).toEqual([`  - alloy:cors is '${raw}': with * every website opened on this machine can send; name origins, such as https://app.example.com or https://*.example.com.\n      ${example}`]);
});

test('null is sent by whoever wants to', () => {
  expect(problemOf('https://app.example.com,null')).toEqual([
    `  - alloy:cors is 'https://app.example.com,null': null is sent by pages without an origin, such as a file, and any website can open one; serve the page, and name its origin.\n      ${example}`,
  ]);
  expect(problemOf('null')[0]).toContain('      pulumi config rm alloy:cors');
});

test('a user and a password are shown nowhere', () => {
  for (const raw of ['https://me:not-a-secret@app.example.com', 'https://not-a-secret@app.example.com', 'me:not-a-secret@app.example.com', 'https://a.example.com,https://me:not-a-secret@app.example.com']) {
    const [text = ''] = problemOf(raw);
    expect(text).not.toContain('not-a-secret');
    expect(text).toContain('https://app.example.com');
  }
});

test('the same one twice', () => {
  expect(problemOf('https://a.example.com,https://a.example.com')[0]).toContain('an origin is listed twice');
});
