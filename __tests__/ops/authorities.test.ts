import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tls from 'node:tls';
import { authorities } from '../../ops/support/authorities';
import { authority } from '../support/way-in/authority';
import { tempDir } from '../support/temp';

const company = authority(['get.pulumi.com']).file;
const certificate = fs.readFileSync(company, 'utf8').trim();
const none = path.join(tempDir(), 'none');

test("Node's own are always there, and the machine's, each once", () => {
  const found = authorities({});
  expect(found).toEqual(expect.arrayContaining([...tls.rootCertificates]));
  expect(new Set(found).size).toBe(found.length);
  expect(found).not.toContain(certificate);
});

test.each<[string, () => NodeJS.ProcessEnv]>([
  ['NODE_EXTRA_CA_CERTS', () => ({ NODE_EXTRA_CA_CERTS: company })],
  ['SSL_CERT_FILE', () => ({ SSL_CERT_FILE: company })],
  ['SSL_CERT_DIR', () => ({ SSL_CERT_DIR: `${none}:${path.dirname(company)}` })],
])('%s adds to them', (_, env) => {
  expect(authorities(env())).toEqual(expect.arrayContaining([certificate, tls.rootCertificates[0]]));
});

test('a file with the line ends of Windows and words around, among others that are none', () => {
  const file = path.join(tempDir(), 'company.pem');
  fs.writeFileSync(file, `subject=Example\r\n${certificate.replace(/\n/g, '\r\n')}\r\n-----BEGIN PRIVATE KEY-----\r\nAAAA\r\n-----END PRIVATE KEY-----\r\n`);
  expect(authorities({ NODE_EXTRA_CA_CERTS: file })).toContain(certificate);
  expect(authorities({ NODE_EXTRA_CA_CERTS: file }).join('')).not.toContain('PRIVATE KEY');
});

test.each([none, path.dirname(company)])('a file that cannot be read is passed over', (file) => {
  expect(authorities({ NODE_EXTRA_CA_CERTS: file, SSL_CERT_FILE: file })).toEqual(expect.arrayContaining([...tls.rootCertificates]));
});
