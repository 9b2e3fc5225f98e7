import { digestIn } from '../../../ops/support/preview/digest';

test.each([
  ['alone', '{\n    "steps": []\n}\n', { steps: [] }],
  ['in one line', '{"steps":[]}', { steps: [] }],
  ['after warnings', 'warning: using pulumi-language-nodejs from $PATH\nwarning: {it is old}\n{\n    "steps": []\n}\n', { steps: [] }],
  ['without steps, of a program that was refused', '{"diagnostics":[{"message":"error: no\\n","severity":"error"}]}', { diagnostics: [{ message: 'error: no\n', severity: 'error' }] }],
])('a digest %s', (_, stdout, expected) => {
  expect(digestIn(stdout)).toEqual(expected);
});

test.each([
  ['nothing', ''],
  ['words', 'error: no stack named \'dev\' found\n'],
  ['one that was cut off', '{\n    "steps": [\n'],
  ['one that does not begin a line', 'error: {"steps":[]}\n'],
])('%s is none', (_, stdout) => {
  expect(digestIn(stdout)).toBeUndefined();
});
