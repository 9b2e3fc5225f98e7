/**
 * The token that Alloy requires on addresses published beyond this machine. The person who publishes it must decide: if it
 * were required silently, existing senders would be refused; if not, anybody could send.
 */
import type { Settings } from '../settings/keys';
import type { Findings } from '../settings/tls';
import { beyondThisMachine } from '../components/address';

/** The addresses of Alloy that other machines may reach. */
function others({ 'alloy:bind': chosen }: Settings, bridge: readonly string[]): readonly string[] {
  return chosen === 'auto' ? [] : beyondThisMachine(chosen, bridge);
}

/** Addresses on which Alloy requires it. */
export const tokenOn = (settings: Settings, bridge: readonly string[]): readonly string[] =>
  settings['alloy:auth'] === true ? others(settings, bridge) : [];

/**
 * Problems and warnings about it.
 * @param bridge gateway of Docker's bridge, which is not beyond this machine
 * @param broken keys with their own problem: they are set, but have their default
 */
export function tokenFindings(settings: Settings, bridge: readonly string[], broken: ReadonlySet<string>): Findings {
  const addresses = others(settings, bridge);
  const asked = settings['alloy:auth'];
  if (addresses.length === 0) {
    return { problems: [], warnings: asked ? ['alloy:auth does nothing: Alloy is not published beyond this machine (alloy:bind)'] : [] };
  }
  const open = `alloy:bind publishes beyond this machine, on ${addresses.join(', ')}, and without a token anyone who reaches it can send`;
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
