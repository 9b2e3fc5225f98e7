/**
 * The secrets with which Phoenix creates its database: generated, or your own.
 */
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { wrongInput } from './wrong-input';

/** Your own secrets; the rules are those of `phoenix:secret` and so on. Here they become secret. */
export interface OwnSecrets {
  /**
   * At least 32 characters, with a digit and a lower-case letter.
   * @default a generated one
   */
  readonly secret?: pulumi.Input<string> | undefined;
  /**
   * A bearer token with all rights; not the same as `secret`.
   * @default a generated one
   */
  readonly adminSecret?: pulumi.Input<string> | undefined;
  /**
   * First password of the first administrator.
   * @default a generated one
   */
  readonly firstPassword?: pulumi.Input<string> | undefined;
}

/** The secrets in use, and the generated one, which always exists and is the key of a label. */
export interface PhoenixSecrets extends Record<keyof OwnSecrets, pulumi.Output<string>> {
  readonly drawnSecret: pulumi.Output<string>;
}

/** At least 32 characters, a digit and a lower-case letter: REQUIREMENTS_FOR_PHOENIX_SECRET in Phoenix's auth.py. */
const phoenixSecret = { length: 48, special: false, minNumeric: 1, minLower: 1 };
/** Also valid for PHOENIX_ENABLE_STRONG_PASSWORD_POLICY, without characters that a shell or a form would interpret. */
const password = { length: 24, special: true, overrideSpecial: '-_.', minUpper: 1, minLower: 1, minNumeric: 1, minSpecial: 1 };

/**
 * Created whether auth is on or not: the first start creates the administrator and encrypts with the secret, and both
 * are then permanent in the database. With your own secrets they stay unused, because protected resources
 * cannot be removed: without PHOENIX_SECRET Phoenix's encrypted data is lost, without the first password the login.
 */
export function phoenixSecrets(name: string, own: OwnSecrets, child: pulumi.CustomResourceOptions): PhoenixSecrets {
  const drawn = (part: string, args: random.RandomPasswordArgs, opts: pulumi.CustomResourceOptions = {}): pulumi.Output<string> =>
    pulumi.secret(new random.RandomPassword(`${name}-${part}`, args, { ...child, ...opts }).result);
  const given = (mine: pulumi.Input<string> | undefined, generated: pulumi.Output<string>): pulumi.Output<string> => (mine === undefined ? generated : pulumi.secret(mine));
  const drawnSecret = drawn('secret', phoenixSecret, { protect: true });
  return {
    drawnSecret,
    secret: given(own.secret, drawnSecret),
    adminSecret: given(own.adminSecret, drawn('admin-secret', phoenixSecret)),
    firstPassword: given(own.firstPassword, drawn('first-password', password, { protect: true })),
  };
}

/** The file that Phoenix reads, as JSON: the secret part of its environment, with further variables. */
export const secretEnvironment = ({ secret, adminSecret, firstPassword }: PhoenixSecrets, more: Readonly<Record<string, pulumi.Input<string>>>): pulumi.Output<string> =>
  pulumi.secret(pulumi.jsonStringify({ PHOENIX_SECRET: secret, PHOENIX_ADMIN_SECRET: adminSecret, PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: firstPassword, ...more }));

/** @throws InputPropertyError if the admin secret equals the secret, as far as both are known: Phoenix would not start */
export function checkOwn({ secret, adminSecret }: OwnSecrets): void {
  if (secret !== undefined && secret === adminSecret) {
    throw wrongInput('own.adminSecret', 'it is the same as own.secret, and the two must differ');
  }
}
