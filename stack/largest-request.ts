import { largestRequestMiB } from '../components/alloy-config';
import { largestToPhoenixMiB } from '../components/phoenix-room';
import type { Settings } from '../settings/keys';

/** The same if Phoenix is in the stack: it has to hold the request, too. */
export const largestRequestOf = (settings: Pick<Settings, 'alloy:memory' | 'phoenix:memory'>): number =>
  Math.min(largestRequestMiB(settings['alloy:memory']), largestToPhoenixMiB(settings['phoenix:memory']));
