/**
 * The token that Alloy asks for on what is published beyond this machine. Whether it does is for whoever publishes it to
 * say: asked for unannounced, it would refuse those who send already, and not asked for, anybody can send.
 */
import type { Settings } from '../settings/keys';
import type { Findings } from '../settings/tls';
import { beyondThisMachine } from '../components/address';

/** Those of Alloy's addresses that other machines may reach. */
function others({ 'alloy:bind': chosen }: Settings, bridge: readonly string[]): readonly string[] {
  return chosen === 'auto' ? [] : beyondThisMachine(chosen, bridge);
}

/** Addresses on which Alloy asks for it. */
export const tokenOn = (settings: Settings, bridge: readonly string[]): readonly string[] =>
  settings['alloy:auth'] === true ? others(settings, bridge) : [];

/**
 * What is to be said of it.
 * @param bridge gateway of Docker's bridge, which is not beyond this machine
 * @param broken keys with a problem of their own: they are set, and stand at their default
 */
export function tokenFindings(settings: Settings, bridge: readonly string[], broken: ReadonlySet<string>): Findings {
  const addresses = others(settings, bridge);
  const asked = settings['alloy:auth'];
  if (addresses.length === 0) {
    return { problems: [], warnings: asked ? ['alloy:auth does nothing: Alloy is not published beyond this machine (alloy:bind)'] : [] };
  }
  const open = `alloy:bind publishes beyond this machine, on ${addresses.join(', ')}, and without a token whoever reaches it can send`;
  if (asked === undefined) {
    return {
      problems: broken.has('alloy:auth') ? [] : [{
        key: 'alloy:auth',
        rule: open,
        mend: ['pulumi config set alloy:auth true   # senders on other machines need the token, which the output otlpToken has', 'pulumi config set alloy:auth false   # without a token'],
      }],
      warnings: [],
    };
  }
  return { problems: [], warnings: asked ? [] : [`${open} (alloy:auth)`] };
}
