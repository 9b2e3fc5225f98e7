import { images, type ServiceName } from '../../components/catalog';
import { chooseEngine } from '../../engine';
import { surveyImages } from '../../ops/support/image-survey';
import { imagesOfRun } from '../../ops/support/images';
import { pullImages } from '../../ops/support/pull';
import { loginsOf } from '../../ops/support/registry-login';

/** The images that a stack without settings uses on this machine, by service; they are on its engine then. */
export async function usedImages(): Promise<Readonly<Record<ServiceName, string>>> {
  const { engine } = chooseEngine({});
  const run = { stack: 'e2e', again: 'npm run e2e', logins: loginsOf({}) };
  const { images: chosen, pull } = await imagesOfRun(engine, await surveyImages(engine, {}), {}, { ...run, consent: 'yes' });
  await pullImages(engine, pull, run);
  return { ...images, ...chosen };
}
