import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { isStackName } from '../../components/names';
import { projectDir } from '../../ops/support/backend';
import { npmRun, projectName, readStackFile, stackNamed, writeStackFile } from '../../ops/support/project';
import { Failure } from '../../ops/support/say';
import type * as project from '../../ops/support/project';
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

test.each([['"llm-other"'], ["'llm-other'"], ['llm-other   # a comment'], ['"llm-other"   # a comment']])('written as %s it is llm-other', (written) => {
  const file = path.join(projectDir, 'Pulumi.yaml');
  const before = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, before.replace(/^name: .*$/m, `name: ${written}`));
  expect(isolated().projectName).toBe('llm-other');
  fs.writeFileSync(file, before);
});

test.each(['dev', 'Prod-EU', '2025.11', 'a_b', 'a'.repeat(41)])('%s is a stack name', (name) => {
  expect(stackNamed(name)).toBe(name);
});

test.each(['', '-dev', '.dev', '_dev', 'a b', 'a/-b', 'a/', '/b', 'a/llm-observability/', 'a/b/c/dev', 'org name/dev', '../dev', 'dév', 'dev\n', 'a'.repeat(42)])('%j is none', (name) => {
  expect(() => stackNamed(name)).toThrow(
    new Failure(
      `'${name}' is not a valid stack name: containers, volumes and networks carry the name of the stack, so it takes letters, digits, '.', '_' and '-', begins with a letter or digit, and has at most 41 characters.`,
      ['npm run pulumi -- stack ls'],
    ),
  );
});

describe('where the backend has organizations', () => {
  const { stackNamed: named, typedName: typed, npmRun: run } = isolated();

  test.each([['acme/staging', 'staging'], ['acme-eu_1/llm-observability/live', 'live'], ['organization/llm-observability/here', 'here']])('%s is stack %s: the CLI and the messages have all of it', (name, short) => {
    expect([named(name), named(name), typed(short), run('up', short, '--yes')]).toEqual([short, short, name, `npm run up -- --stack ${name} --yes`]);
  });

  test('the default stack of an organization is named in commands', () => {
    expect([named('acme/dev'), run('down', 'dev')]).toEqual(['dev', 'npm run down -- --stack acme/dev']);
  });

  test('a stack of another project is none of this one', () => {
    expect(() => named('acme/other/prod')).toThrow(
      new Failure("'acme/other/prod' is a stack of a different project: the name of this one is llm-observability.", ['npm run pulumi -- stack ls']).message,
    );
    expect(typed('prod')).toBe('prod');
  });

  test('two of one short name would have the same containers', () => {
    expect(() => [named('a/twin'), named('b/twin')]).toThrow("'a/twin' and 'b/twin' have the same short name");
    expect(() => named('twin')).toThrow("'a/twin' and 'twin' have the same short name");
  });
});

/** What one run of a command knows of names. */
function isolated(): typeof project {
  let found: typeof project | undefined;
  jest.isolateModules(() => void (found = jest.requireActual<typeof project>('../../ops/support/project')));
  return found as unknown as typeof project;
}

test('the commands refuse just the names that the program refuses', () => {
  const name = fc.oneof(fc.stringMatching(/^[\w.-]{0,43}$/), fc.string().filter((text) => !text.includes('/')));
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
