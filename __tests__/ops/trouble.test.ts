import { helpFor, wordsOf } from '../../ops/support/trouble';
import { rows } from '../support/rows';

/** As each program says it. */
rows<[string, RegExp]>([
  ['tar: pulumi/pulumi: Cannot write: No space left on device', /^df -h \/home\/me\/\.pulumi$/],
  ['curl: (23) Failure writing output to destination', /^df -h/],
  ["ENOSPC: no space left on device, mkdir '/home/me'", /^df -h/],
  ["EROFS: read-only file system, mkdir '/home/me/.pulumi'", /^export PULUMI_HOME=/],
  ["EACCES: permission denied, mkdir '/home/me/.pulumi'", /^export PULUMI_HOME=/],
  ['error: installing [resource plugin docker-5.2.0] from : creating plugin root: mkdir /home/me/.pulumi/plugins: permission denied', /^export PULUMI_HOME=/],
  ['curl: (60) SSL certificate problem: unable to get local issuer certificate', /^export NODE_EXTRA_CA_CERTS=/],
  ['Get "https://github.com/": tls: failed to verify certificate: x509: certificate signed by unknown authority', /^export NODE_EXTRA_CA_CERTS=/],
  ['self-signed certificate in certificate chain, SELF_SIGNED_CERT_IN_CHAIN', /^export NODE_EXTRA_CA_CERTS=/],
  ['curl: (56) CONNECT tunnel failed, response 407', /^export HTTPS_PROXY=/],
  ['Get "https://github.com/": Proxy Authentication Required', /^export HTTPS_PROXY=/],
  ['curl: (22) The requested URL returned error: 429', /^export GITHUB_TOKEN=/],
  ['error: GitHub rate limit exceeded for https://api.github.com/', /^export GITHUB_TOKEN=/],
  ['/tmp/x: 1: curl: not found', /^sudo apt-get install curl tar/],
  ['/bin/sh: line 5: tar: command not found', /^sudo apt-get install curl tar/],
])('%s', (words, help) => {
  expect(helpFor(words, '/home/me/.pulumi')[0]).toMatch(help);
});

rows(['curl: (22) The requested URL returned error: 503', 'it answers 503 Service Unavailable', 'it answers 429 Too Many Requests'])('nothing but patience helps with %s', (words) => {
  expect(helpFor(words)).toEqual([]);
});

test('words are lines without colours, meters and repetitions', () => {
  expect(
    wordsOf(
      [
        '\u001b[34;1m=== Installing ===\u001b[0m',
        '  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current',
        '                                 Dload  Upload   Total   Spent    Left  Speed',
        '\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r 12  100M   12 12.3M    0     0  4000k      0  0:00:25  0:00:03  0:00:22 4000k',
        'curl: (22) The requested URL returned error: 503',
        '\u001b[31;1m\u001b[0m',
        'curl: (22) The requested URL returned error: 503',
      ].join('\n'),
    ),
  ).toEqual(['=== Installing ===', 'curl: (22) The requested URL returned error: 503']);
});
