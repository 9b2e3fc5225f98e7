/**
 * The secrets with which Phoenix makes its database: drawn, or your own.
 */
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { wrongInput } from './wrong-input';

/** Your own secrets; the rules are those of `phoenix:secret` and so on. They are secret from here on. */
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

/** The secrets in use, and the one that is drawn in any case, which is the key of a label. */
export interface PhoenixSecrets extends Record<keyof OwnSecrets, pulumi.Output<string>> {
  readonly drawnSecret: pulumi.Output<string>;
}

/** At least 32 characters, a digit and a lower-case letter: REQUIREMENTS_FOR_PHOENIX_SECRET in Phoenix's auth.py. */
const phoenixSecret = { length: 48, special: false, minNumeric: 1, minLower: 1 };
/** Also good for PHOENIX_ENABLE_STRONG_PASSWORD_POLICY, and nothing in it that a shell or a form would take apart. */
const password = { length: 24, special: true, overrideSpecial: '-_.', minUpper: 1, minLower: 1, minNumeric: 1, minSpecial: 1 };

/**
 * Made whether auth is on or not: the first boot makes the administrator and encrypts with the secret, and both
 * are then in the database for good. With secrets of your own they stay unused, because what is protected
 * cannot go: without PHOENIX_SECRET what Phoenix has encrypted is lost, without the first password the way in.
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

/** What Phoenix reads from a file, as JSON: its environment that is secret, with further variables. */
export const secretEnvironment = ({ secret, adminSecret, firstPassword }: PhoenixSecrets, more: Readonly<Record<string, pulumi.Input<string>>>): pulumi.Output<string> =>
  pulumi.secret(pulumi.jsonStringify({ PHOENIX_SECRET: secret, PHOENIX_ADMIN_SECRET: adminSecret, PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD: firstPassword, ...more }));

/** @throws InputPropertyError for an admin secret that is the secret, as far as that can be seen: Phoenix would not start */
export function checkOwn({ secret, adminSecret }: OwnSecrets): void {
  if (secret !== undefined && secret === adminSecret) {
    throw wrongInput('own.adminSecret', 'it is the same as own.secret, and the two must differ');
  }
}
