import { images, type ServiceName } from '../../components/catalog';
import { engineHost, engineRequest } from '../../components/engine';
import { alloyImage, phoenixImage } from '../../lab/images';
import { registryAnswers } from '../../lab/probe';
import { say } from './say';

const builders: Readonly<Record<ServiceName, () => Promise<string>>> = { phoenix: phoenixImage, alloy: alloyImage };

/**
 * Images for a machine that reaches no image registry: builds what is missing from package registries.
 * @param settings settings of the stack; an image that is set is nobody else's to choose, unless it is one of lab/
 * @returns settings to store, so that every later run takes the same images; empty where all is to be had the normal way
 */
export async function imageSettings(settings: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const host = engineHost(settings['docker:host']);
  const chosen: Record<string, string> = {};
  for (const service of Object.keys(builders) as ServiceName[]) {
    const key = `${service}:image`;
    const reference = settings[key] ?? images[service];
    const ours = reference.startsWith('lab/');
    if (!ours && (settings[key] || (await isLocal(host, reference)) || !host.startsWith('unix:') || (await registryAnswers(reference)))) {
      continue;
    }
    const built = await builders[service]();
    if (reference !== built) {
      say(`Image of ${service}: the registry of ${reference} does not answer; using ${built} (setting ${key})`);
      chosen[key] = built;
    }
  }
  return chosen;
}

async function isLocal(host: string, reference: string): Promise<boolean> {
  return (await engineRequest(host, 'GET', `/images/${reference}/json`)).status === 200;
}
