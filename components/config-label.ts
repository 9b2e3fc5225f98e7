/**
 * Labels that replace a container when the configuration it reads at startup changes.
 */
import { createHash, createHmac } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';
import { stackLabel } from './names';

/** A label that changes with the configuration: the service reads it only once, so a change replaces the container. */
export function configLabel(config: pulumi.Output<string>): Record<string, pulumi.Output<string>> {
  return { [`${stackLabel}.config`]: config.apply((text) => createHash('sha256').update(text).digest('hex')) };
}

/**
 * The same for secrets. The key cannot be guessed; without it a short password could be found by trial. So the label is not a
 * secret.
 */
export function secretLabel(secrets: pulumi.Output<string>, key: pulumi.Output<string>): Record<string, pulumi.Output<string>> {
  const made = pulumi.all([secrets, key]).apply(([text, by]) => createHmac('sha256', by).update(text).digest('hex'));
  return { [`${stackLabel}.secrets`]: pulumi.unsecret(made) };
}
