import * as docker from '@pulumi/docker';
import { dockerKeys } from '../../settings/docker';
import type { Key } from '../../settings/setting';
import { report } from '../../settings/problem';
import { readSettings } from '../../settings/settings';

const read = (config: Record<string, string>, isSecret = true): ReturnType<typeof readSettings> => readSettings(config, 'llm-observability', () => isSecret);
const pem = (what: string): string => `-----BEGIN ${what}-----\nMIIB\n-----END ${what}-----`;

test('every setting that the docker provider has, and no other', () => {
  expect(Object.keys(dockerKeys).sort()).toEqual(Object.keys(docker.config).map((name) => `docker:${name}`).sort());
});

test('right values, as the program gets them', () => {
  const [certificate, key, auth] = [pem('CERTIFICATE'), pem('EC PRIVATE KEY'), '[{"address":"ghcr.io","username":"me","password":"s3cret"}]'];
  expect(read({
    'docker:host': 'ssh://me@example.com', 'docker:context': 'colima', 'docker:certPath': '/etc/docker/client',
    'docker:caMaterial': certificate, 'docker:certMaterial': certificate, 'docker:keyMaterial': key,
    'docker:sshOpts': '["-i","/a key"]', 'docker:registryAuth': auth, 'docker:disableDockerDaemonCheck': 'true',
  })).toMatchObject({
    problems: [],
    settings: {
      'docker:host': 'ssh://me@example.com', 'docker:context': 'colima', 'docker:certPath': '/etc/docker/client',
      'docker:caMaterial': certificate, 'docker:certMaterial': certificate, 'docker:keyMaterial': key,
      'docker:sshOpts': ['-i', '/a key'], 'docker:registryAuth': auth, 'docker:disableDockerDaemonCheck': true,
    },
  });
});

const address = 'write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host';
const folder = 'the program and the provider run in different folders, so write a path from the root: /path/of/the/folder';
const text = 'it is not PEM text, which begins with -----BEGIN';
const list = 'it is a JSON array with one text for each argument of ssh';

test.each([
  ['docker:host', '/var/run/docker.sock', address],
  ['docker:host', 'localhost:2375', address],
  ['docker:certPath', 'certs', folder],
  ['docker:certPath', '~/certs', folder],
  ['docker:caMaterial', '/etc/docker/ca.pem', text],
  ['docker:certMaterial', '"$(cat cert.pem)"', text],
  ['docker:sshOpts', '-i /key', list],
  ['docker:sshOpts', '["-p",22]', list],
  ['docker:sshOpts', '{"i":"/key"}', list],
])('%s %s', (key, value, rule) => {
  expect(read({ [key]: value }).problems).toMatchObject([{ key, value, rule }]);
});

test.each([
  ['docker:keyMaterial', 's3cret', text],
  ['docker:registryAuth', 's3cret', 'it is a JSON array of objects, each with an address'],
  ['docker:registryAuth', '{"address":"s3cret"}', 'it is a JSON array of objects, each with an address'],
  ['docker:registryAuth', '[{"username":"s3cret"}]', 'it is a JSON array of objects, each with an address'],
  ['docker:registryAuth', '["s3cret"]', 'it is a JSON array of objects, each with an address'],
  ['docker:registryAuth', '[null]', 'it is a JSON array of objects, each with an address'],
])('%s, which no message holds', (key, value, rule) => {
  const { problems } = read({ [key]: value });
  expect(problems).toMatchObject([{ key, rule }]);
  expect(JSON.stringify(problems)).not.toContain('s3cret');
});

test('a password in an address is shown nowhere, misspelt or not', () => {
  const message = report('dev', read({ 'docker:host': 'ssh://me:s3cret@host', 'docker:hosts': 'ssh://me:s3cret@host' }).problems);
  expect(message).not.toContain('s3cret');
  expect(message).toContain("docker:host is 'ssh://me:[secret]@host': a password does not belong in the address; ssh uses a key.");
});

describe('a value of several lines is set from a file', () => {
  const files = Object.entries(dockerKeys as Record<string, Key<unknown>>).flatMap(([name, { file }]) => (file ? [[name, file] as const] : []));

  test('these', () => {
    expect(files).toEqual([['docker:caMaterial', 'ca.pem'], ['docker:certMaterial', 'cert.pem'], ['docker:keyMaterial', 'key.pem']]);
  });

  test.each(files)('%s, wherever it is told', (name, file) => {
    const flag = name === 'docker:keyMaterial' ? '--secret ' : '';
    const command = `pulumi config set ${flag}${name} < ${file}`;
    expect(read({ [name]: 'x' }).problems.flatMap(({ mend }) => mend)).toEqual([command]);
    expect(read({ [`${name}s`]: 'x' }).problems.flatMap(({ mend }) => mend)).toEqual([`pulumi config rm ${name}s`, command]);
    expect(report('dev', read({ [name]: 'x' }).problems)).toContain(`      ${command} --stack dev`);
  });

  test('the key in plain text', () => {
    expect(read({ 'docker:keyMaterial': pem('PRIVATE KEY') }, false).problems).toEqual([
      { key: 'docker:keyMaterial', rule: 'it is a secret, and the stack file has it in plain text', mend: ['pulumi config set --secret docker:keyMaterial < key.pem'] },
    ]);
  });
});
