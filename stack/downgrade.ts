import { compareVersions, versionOf } from '../components/image-reference';
import { hostName, shortName } from '../components/names';
import type { Problem } from '../settings/problem';
import type { Settings } from '../settings/keys';
import { containerName, type Inspected } from './engine-answers';

/**
 * Phoenix cannot downgrade its database. Only a running Phoenix is compared: it has opened the database. Whether an
 * older version can still open it is known only to its image, which the deployment asks before it stops anything (own-volume.py).
 */
export function olderPhoenix(settings: Settings, owner: string, own: readonly Inspected[]): Problem[] {
  const name = hostName('phoenix', shortName(owner));
  const running = own.find((one) => containerName(one) === name && one.State?.Status === 'running')?.Config?.Image ?? '';
  const wanted = settings['phoenix:image'];
  const [is, was] = [versionOf(wanted), versionOf(running)];
  return is === undefined || was === undefined || compareVersions(is, was) >= 0
    ? []
    : [{
        key: 'phoenix:image',
        value: wanted,
        rule: `Phoenix ${was} runs on the database of this stack, and Phoenix has no downgrade of its database; docs/upgrade.md says how to go back`,
        mend: [`pulumi config set phoenix:image ${running}`],
      }];
}
