/**
 * Labels that replace a container when what it reads at its start changes.
 */
import { createHash, createHmac } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';
import { stackLabel } from './names';

/** A label that is another when the configuration is: the service reads it once, so another one is another container. */
export function configLabel(config: pulumi.Output<string>): Record<string, pulumi.Output<string>> {
  return { [`${stackLabel}.config`]: config.apply((text) => createHash('sha256').update(text).digest('hex')) };
}

/**
 * The same for secrets. It is made with a key that nobody can guess, or a short password could be found by trying. So the
 * label is no secret.
 */
export function secretLabel(secrets: pulumi.Output<string>, key: pulumi.Output<string>): Record<string, pulumi.Output<string>> {
  const made = pulumi.all([secrets, key]).apply(([text, by]) => createHmac('sha256', by).update(text).digest('hex'));
  return { [`${stackLabel}.secrets`]: pulumi.unsecret(made) };
}
