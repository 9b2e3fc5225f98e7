import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { isStackName } from '../../components/catalog';
import { projectDir } from '../../ops/support/backend';
import { npmRun, projectName, readStackFile, stackNamed, writeStackFile } from '../../ops/support/project';
import { Failure } from '../../ops/support/say';
import type * as temp from '../support/temp';

// The settings of this checkout are no test's to touch.
jest.mock('../../ops/support/backend', () => {
  const dir = jest.requireActual<typeof temp>('../support/temp').tempDir();
  jest.requireActual<typeof fs>('node:fs').copyFileSync('Pulumi.yaml', `${dir}/Pulumi.yaml`);
  return { projectDir: dir };
});

test('the name is the one in Pulumi.yaml, which data and labels carry', () => {
  expect(projectName).toBe('llm-observability');
});

test.each(['dev', 'Prod-EU', '2025.11', 'a_b', 'a'.repeat(41)])('%s is a stack name', (name) => {
  expect(stackNamed(name)).toBe(name);
});

test.each(['', '-dev', '.dev', '_dev', 'a b', 'a/b', 'org/project/dev', '../dev', 'dév', 'dev\n', 'a'.repeat(42)])('%j is none', (name) => {
  expect(() => stackNamed(name)).toThrow(
    new Failure(
      `'${name}' is no stack name here: containers, volumes and networks carry the name of the stack, so it takes letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 41 characters.`,
      ['npm run up -- --stack dev'],
    ),
  );
});

test('the commands refuse just the names that the program refuses', () => {
  const name = fc.oneof(fc.stringMatching(/^[\w.-]{0,43}$/), fc.string());
  const taken = (stack: string): boolean => {
    try {
      return stackNamed(stack) === stack;
    } catch {
      return false;
    }
  };
  fc.assert(fc.property(name, (stack) => taken(stack) === isStackName(stack)));
});

test.each([
  [['up', 'dev'], 'npm run up'],
  [['up', 'prod'], 'npm run up -- --stack prod'],
  [['down', 'dev', '--purge', '--yes'], 'npm run down -- --purge --yes'],
  [['down', 'prod', '--purge', '--yes'], 'npm run down -- --stack prod --purge --yes'],
] as const)('a command to type: %j is %s', ([command, stack, ...args], line) => {
  expect(npmRun(command, stack, ...args)).toBe(line);
});

describe('the stack file', () => {
  const file = path.join(projectDir, 'Pulumi.prod.yaml');
  beforeEach(() => fs.rmSync(file, { force: true }));

  test('is put back to the byte', () => {
    const content = '# note\r\nconfig:\n  phoenix:uiPort: "6007"\n\n';
    fs.writeFileSync(file, content);
    expect(readStackFile('prod')).toBe(content);
    fs.writeFileSync(file, 'config: {}\n');
    writeStackFile('prod', content);
    expect(fs.readFileSync(file, 'utf8')).toBe(content);
  });

  test('is removed where there was none, and an empty one is one', () => {
    expect(readStackFile('prod')).toBeUndefined();
    writeStackFile('prod', '');
    expect(readStackFile('prod')).toBe('');
    writeStackFile('prod', undefined);
    writeStackFile('prod', undefined);
    expect(fs.existsSync(file)).toBe(false);
  });
});
