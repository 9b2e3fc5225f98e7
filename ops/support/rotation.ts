import type { StackState } from './stack-state';
import { npmRun } from './project';
import { Failure } from './say';

/** Secrets that are not API keys, by the name a person uses: PHOENIX_SECRET and PHOENIX_ADMIN_SECRET. */
const secrets: Readonly<Record<string, string>> = { secret: 'phoenix-secret', 'admin-secret': 'phoenix-admin-secret' };
/** Settings that take precedence over them. */
const settings: Readonly<Record<string, string>> = { secret: 'phoenix:secret', 'admin-secret': 'phoenix:adminSecret' };

/** The result of `npm run up -- --rotate NAME`. */
export interface Rotation {
  /** URNs of the resources to recreate. */
  readonly replace: readonly string[];
  /** Those of them that are protected: the protection is removed only for this, and the deployment restores it. */
  readonly unprotect: readonly string[];
}

/**
 * @param names `secret`, `admin-secret`, names of API keys (`alloy`, and those of `phoenix:apiKeys`), `token:` and the name
 * of a service token
 * @param set keys of the settings of the stack
 * @throws Failure listing the valid names, for any other, and naming the setting, for a secret that a setting determines
 */
export function rotation(names: readonly string[], state: StackState | undefined, stack: string, set: readonly string[]): Rotation {
  const urns = (state?.resources ?? []).map(({ urn }) => urn);
  const prefixes = { 'phoenix-key-': '', 'tunnel-token-': 'token:' };
  const known = new Map([
    ...Object.entries(secrets).map(([name, resource]) => [name, urns.find((urn) => urn.endsWith(`::${resource}`))] as const),
    ...urns.flatMap((urn) => {
      const resource = urn.split('::').at(-1) ?? '';
      return Object.entries(prefixes).flatMap(([prefix, as]) => (resource.startsWith(prefix) ? [[`${as}${resource.slice(prefix.length)}`, urn] as const] : []));
    }),
  ]);
  const replace = names.map((name) => {
    const urn = known.get(name);
    if (!urn) {
      const there = [...known].filter(([, found]) => found).map(([one]) => one);
      throw new Failure(
        `--rotate ${name}: ${there.length > 0 ? `there is ${there.join(', ')}` : `stack ${stack} is not deployed, so there is nothing to rotate`}.`,
        [npmRun('up', stack, ...(there[0] ? ['--rotate', there.at(-1) ?? ''] : []))],
      );
    }
    const setting = settings[name];
    if (setting !== undefined && set.includes(setting)) {
      throw new Failure(`--rotate ${name}: the stack uses ${setting}, which only you can change. Without it the stack generates one.`, [
        `npm run pulumi -- config rm ${setting} --stack ${stack} && ${npmRun('up', stack)}`, `npm run pulumi -- config set --secret ${setting} --stack ${stack}   # your own`,
      ]);
    }
    return urn;
  });
  return { replace, unprotect: replace.filter((urn) => urn.endsWith(`::${secrets['secret']}`)) };
}
