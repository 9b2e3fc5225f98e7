import { redactionOf, redactKeys, removedBy } from '../../settings/redact';
import { readSettings } from '../../settings/settings';

const read = (config: Readonly<Record<string, string>>): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability');

const all = {
  'redact:content': 'true', 'redact:attributes': 'user.id, customer.*', 'redact:values': 'emails,keys', 'redact:pattern': '(?i)emp-[0-9]{6}', 'redact:projects': 'support,HR team', 'sampling:percent': '12.5',
};

test('all of them, set', () => {
  const { settings, problems } = read(all);
  expect(problems).toEqual([]);
  expect(redactionOf(settings)).toEqual({ content: true, attributes: ['user.id', 'customer.*'], values: ['emails', 'keys'], pattern: '(?i)emp-[0-9]{6}', projects: ['support', 'HR team'] });
  expect(removedBy(settings)).toEqual(['redact:content', 'redact:attributes', 'redact:values', 'redact:pattern']);
  expect(settings['sampling:percent']).toBe(12.5);
  expect(Object.keys(redactKeys).sort()).toEqual(Object.keys(all).sort());
});

test('none of them, and what is switched off, removes nothing', () => {
  expect(redactionOf(read({}).settings)).toBeUndefined();
  expect(redactionOf(read({ 'redact:content': 'false' }).settings)).toBeUndefined();
});

test('at the edge they may be set, too', () => {
  expect(read({ ...all, 'edge:central': 'prod' }).problems).toEqual([]);
});

test.each<[Readonly<Record<string, string>>, string, RegExp, string]>([
  [{ 'redact:content': 'yes' }, 'redact:content', /true or false/, 'pulumi config set redact:content true'],
  [{ 'redact:attributes': '*' }, 'redact:attributes', /every attribute/, 'pulumi config set redact:attributes'],
  [{ 'redact:attributes': 'user.id,' }, 'redact:attributes', /separated by commas/, 'pulumi config set redact:attributes'],
  [{ 'redact:attributes': 'user id' }, 'redact:attributes', /separated by commas/, 'pulumi config set redact:attributes'],
  [{ 'redact:attributes': 'user.id,user.id' }, 'redact:attributes', /twice/, 'pulumi config set redact:attributes'],
  [{ 'redact:attributes': 'metadata.email' }, 'redact:attributes', /inside a JSON text.*, metadata$/, 'pulumi config set redact:attributes'],
  [{ 'redact:pattern': 'x\\Q' }, 'redact:pattern', /RE2/, 'pulumi config set redact:pattern'],
  [{ 'redact:pattern': '\\p{Emoji}' }, 'redact:pattern', /categories/, 'pulumi config set redact:pattern'],
  [{ 'redact:values': 'phones' }, 'redact:values', /emails, keys, cards/, 'pulumi config'],
  [{ 'redact:values': 'emails,emails' }, 'redact:values', /twice/, 'pulumi config set redact:values'],
  [{ 'redact:pattern': '([0-9]+' }, 'redact:pattern', /RE2.*missing closing/, 'pulumi config set redact:pattern'],
  [{ 'redact:pattern': '(?=secret)x' }, 'redact:pattern', /RE2/, 'pulumi config set redact:pattern'],
  [{ 'redact:pattern': '(a)\\1' }, 'redact:pattern', /RE2/, 'pulumi config set redact:pattern'],
  [{ 'redact:pattern': '[0-9]*' }, 'redact:pattern', /empty text/, 'pulumi config set redact:pattern'],
  [{ 'redact:pattern': 'a`b' }, 'redact:pattern', /backtick/, 'pulumi config set redact:pattern'],
  [{ 'redact:projects': 'support' }, 'redact:projects', /nothing is/, 'pulumi config set redact:content true'],
  [{ 'redact:content': 'true', 'redact:projects': 'support,,hr' }, 'redact:projects', /separated by commas/, 'pulumi config set redact:projects'],
  [{ 'redact:content': 'true', 'tunnel:phoenixOtlpHostname': 'otlp.example.com' }, 'tunnel:phoenixOtlpHostname', /do not pass Alloy/, 'pulumi config rm tunnel:phoenixOtlpHostname'],
  [{ 'sampling:percent': '0' }, 'sampling:percent', /above 0/, 'pulumi config rm sampling:percent'],
  [{ 'sampling:percent': '101' }, 'sampling:percent', /at most 100/, 'pulumi config rm sampling:percent'],
  [{ 'sampling:percent': '10%' }, 'sampling:percent', /number/, 'pulumi config rm sampling:percent'],
  [{ 'sampling:percent': '0.005' }, 'sampling:percent', /two decimals/, 'pulumi config rm sampling:percent'],
])('%j is refused', (config, key, rule, command) => {
  const found = read(config).problems.find((problem) => problem.key === key);
  expect(found?.rule).toMatch(rule);
  expect(found?.mend.join('\n')).toContain(command);
});

test('a pattern that is no pattern is the only problem with it', () => {
  expect(read({ 'redact:pattern': '(', 'redact:projects': 'support' }).problems.map(({ key }) => key)).toEqual(['redact:pattern']);
});
