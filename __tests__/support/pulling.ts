/** A command that pulls an image from the engine whose port it is told. Each key that is typed lets that engine go on. */
import { at } from '../../engine';
import { pullImages } from '../../ops/support/pull';

const [port = ''] = process.argv.slice(2);

process.stdin.setRawMode(true).on('data', () => void fetch(`http://127.0.0.1:${port}/goes-on`));
void pullImages(at(`tcp://127.0.0.1:${port}`), [{ service: 'phoenix', reference: 'team/app:1.0.0', own: true }], { stack: 'dev', again: 'npm run up', logins: async () => ({}) as never })
  .finally(() => process.stdin.setRawMode(false).destroy());
