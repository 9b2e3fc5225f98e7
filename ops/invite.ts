/**
 * `npm run invite`: writes to a file what a stack at the edge needs from this one, for the person who deploys that stack. It
 * only gives access to a receiver for other hosts; the state of this stack would give access to everything.
 */
import * as fs from 'node:fs';
import type { EdgeAccess } from '../settings/edge-access';
import { shellQuoted } from '../settings/setting';
import { invite } from './commands';
import { main } from './support/command-line';
import type { Outputs } from './support/outputs';
import { npmRun } from './support/project';
import { Pulumi } from './support/pulumi';
import { Failure, say } from './support/say';
import { findToolchain } from './support/toolchain';

main(invite.action(async ({ stack, token, file = `${token}.access.json` }) => {
  const { endpoints, remote, remoteAccess } = await new Pulumi(await findToolchain(), stack).outputs<Partial<Outputs>>();
  if (!endpoints) {
    throw new Failure(`Stack ${stack} is not deployed.`, [npmRun('up', stack)]);
  }
  const names = Object.keys(remote?.tokens ?? {});
  const [known, access] = [remote?.tokens[token], remoteAccess?.[token]];
  if (!remote || names.length === 0) {
    throw new Failure(`Stack ${stack} publishes no receiver for other hosts.`, [`npm run pulumi -- config set tunnel:otlpHostname otlp.example.com --stack ${stack}`, npmRun('up', stack)]);
  }
  if (!known || !access) {
    throw new Failure(`Stack ${stack} has no service token ${token}, only ${names.join(', ')}.`, [`npm run pulumi -- config set tunnel:serviceTokens ${[...names, token].join(',')} --stack ${stack}`, npmRun('up', stack)]);
  }
  const other = `npm run invite -- --stack ${stack} --token ${token} --file OTHER.access.json`;
  if (file === '-') {
    throw new Failure('The file contains secrets and is not written to standard output.', [other]);
  }
  const given: EdgeAccess = { stack, remote: { ...remote, tokens: { [token]: known } }, remoteAccess: { [token]: access } };
  try {
    fs.writeFileSync(file, `${JSON.stringify(given, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Failure(`${file} already exists and was not changed.`, [...(fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? [`rm ${shellQuoted(file)}`] : []), other]);
    }
    throw new Failure(`${file} cannot be written: ${(error as Error).message}.`, [other]);
  }
  const [end = ''] = [known.expiresAt, ...(remote.auth && known.keyExpiresAt ? [known.keyExpiresAt] : [])].sort();
  say(`${file} opens the receivers of the stack ${stack} until ${end.slice(0, 10)}. Copy it to the other host over a secure channel, set it there, and delete both copies:`);
  say(`    npm run pulumi -- config set --stack edge --secret edge:access < ${shellQuoted(file)}`);
  say(`    npm run up -- --stack edge -c edge:central=${stack}${token === 'edge' ? '' : ` -c edge:token=${token}`}`);
}));
