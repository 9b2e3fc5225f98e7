import { projectDir } from '../../ops/support/backend';
import type { Result } from '../../ops/support/cli-run';
import { Pulumi } from '../../ops/support/pulumi';
import { Failure } from '../../ops/support/say';
import { answering } from '../support/answering';
import { setEnvironment } from '../support/environment';
import { fakePulumi } from '../support/fake-pulumi';

beforeEach(() => setEnvironment({ PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined }));

test.each<[string, Record<string, string>, string, string[]]>([
  ['a folder that is not there', { PULUMI_BACKEND_URL: 'file:///nowhere/dir' }, 'unable to open state directory "file:///nowhere/dir": stat /nowhere/dir: no such file or directory', ['pulumi login file:///nowhere/dir']],
  ['a word that is no address', { PULUMI_BACKEND_URL: 'garbage' }, 'PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions', ['pulumi login garbage']],
  ['a bucket that cannot be read', { PULUMI_BACKEND_URL: 's3://states' }, 'read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject', ['pulumi login s3://states']],
  ['a login that has ended', {}, 'PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions', ['pulumi login URL']],
])('a backend that is out of reach, here %s: what the CLI says, and the way back', async (_, env, said, commands) => {
  setEnvironment({ PULUMI_BACKEND_URL: env['PULUMI_BACKEND_URL'] });
  const way = env['PULUMI_BACKEND_URL'] === undefined ? [] : ['unset PULUMI_BACKEND_URL   # the state of this user'];
  const where = env['PULUMI_BACKEND_URL'] === undefined ? '' : ` at ${env['PULUMI_BACKEND_URL']}`;
  await expect(answering({ stderr: `error: ${said}\n`, code: 255 }).pulumi.state()).rejects.toThrow(new Failure(`The state${where} cannot be read: ${said}.`, [...commands, ...way]));
});

test('a stack of an organization, on a backend without', async () => {
  const pulumi = new Pulumi({ pulumi: fakePulumi({ '': { stderr: "error: organization name must be 'organization'\n", code: 255 } }).file, env: {} }, 'prod', projectDir, 'acme/prod');
  await expect(pulumi.state()).rejects.toThrow(
    new Failure('This backend has no organizations, so it has no stack acme/prod. Use --stack prod. Nothing was changed.', ['npm run pulumi -- whoami --verbose   # shows the backend']),
  );
});

test('a stack that there is not is named, whatever was to be done with it', async () => {
  const { pulumi } = answering({ stderr: "error: no stack named 'dev' found\n", code: 255 });
  await expect(pulumi.outputs()).rejects.toThrow(new Failure('There is no stack dev.', ['npm run pulumi -- stack ls', 'npm run up']));
});

describe('a passphrase', () => {
  const incorrect = 'error: incorrect passphrase\n';
  const missing = 'error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables\n';
  const unreadable = 'error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /gone: no such file or directory\n';
  const wrong = (what: string): string => `${what} does not fit the secrets of stack dev: they were encrypted with a different passphrase. Nothing was changed.`;
  const none = (what: string): string => `The secrets of stack dev need a passphrase, and ${what}. Nothing was changed.`;
  const inFile = 'export PULUMI_CONFIG_PASSPHRASE_FILE=/path/of/the/passphrase/that/fits';
  const give = "export PULUMI_CONFIG_PASSPHRASE='the passphrase that fits'";

  test.each<[string, string, Record<string, string>, Record<string, string>, string, string]>([
    ['generated here', incorrect, { PULUMI_CONFIG_PASSPHRASE_FILE: '/state/passphrase' }, {}, wrong('/state/passphrase'), inFile],
    ['in a file of the environment', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE_FILE: '/etc/p' }, wrong('/etc/p'), inFile],
    ['in the environment', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE: 'x' }, wrong('PULUMI_CONFIG_PASSPHRASE'), give],
    ['in both, of which the CLI takes the first', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE: 'x', PULUMI_CONFIG_PASSPHRASE_FILE: '/etc/p' }, wrong('PULUMI_CONFIG_PASSPHRASE'), give],
    ['empty', incorrect, {}, { PULUMI_CONFIG_PASSPHRASE: '' }, wrong('PULUMI_CONFIG_PASSPHRASE'), give],
    ['not there', missing, {}, {}, none('none is given'), give],
    ['in a file that is gone', unreadable, {}, { PULUMI_CONFIG_PASSPHRASE_FILE: '/gone' }, none('/gone cannot be read'), inFile],
  ])('%s', async (_, stderr, tools, env, message, mend) => {
    setEnvironment(env);
    await expect(answering({ stderr, code: 255 }, tools).pulumi.must(['config'], 'reading')).rejects.toThrow(new Failure(message, [mend]));
  });

  test('is told from what a deployment prints, too; anything else is not', () => {
    const { pulumi } = answering({}, { PULUMI_CONFIG_PASSPHRASE_FILE: '/p' });
    const run = (stdout: string, stderr = ''): Pick<Result, 'stdout' | 'stderr'> => ({ stdout, stderr });
    expect(pulumi.known(run('    error: Incorrect passphrase'))?.message).toBe(`${wrong('/p')}\n    ${inFile}`);
    expect(pulumi.known(run('', 'error: update failed'))).toBeUndefined();
  });
});
