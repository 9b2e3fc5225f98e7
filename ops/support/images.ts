import { images, type ServiceName } from '../../components/catalog';
import { engineHost, engineRequest } from '../../components/engine';
import { alloyImage, gateImage, phoenixImage } from '../../lab/images';
import { askRegistry } from './registry';
import { say } from './say';

/** cloudflared is not among them: it leads to where only who reaches an image registry gets. */
const builders: Readonly<Record<Exclude<ServiceName, 'tunnel'>, (host: string) => Promise<string>>> = {
  phoenix: onEngine(phoenixImage),
  alloy: onEngine(alloyImage),
  gate: onEngine(gateImage),
};

/** The lab builds through the docker command line, which takes the engine from the environment. */
function onEngine(build: () => Promise<string>): (host: string) => Promise<string> {
  return (host) => {
    process.env['DOCKER_HOST'] = host;
    return build();
  };
}

/**
 * Images for a machine that reaches no image registry: builds what is missing from package registries.
 * @param settings settings of the stack; an image that is set is nobody else's to choose, unless it is one of lab/
 * @returns settings to store, so that every later run takes the same images; empty where all is to be had the normal way
 */
export async function imageSettings(settings: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const host = engineHost(settings['docker:host']);
  // One compiles and the others mostly wait for the network: side by side they take as long as the longest one.
  const services = settings['edge:central'] === undefined ? ['phoenix', 'alloy', 'gate'] as const : ['alloy', 'gate'] as const;
  const chosen = await Promise.all(services.map(async (service) => {
    const key = `${service}:image`;
    const reference = settings[key] ?? images[service];
    const ours = reference.startsWith('lab/');
    if (!ours && (settings[key] || (await isLocal(host, reference)) || !host.startsWith('unix:') || (await askRegistry(host, reference)).answers)) {
      return [];
    }
    const built = await builders[service](host);
    if (reference === built) {
      return [];
    }
    say(`Image of ${service}: the registry of ${reference} does not answer; using ${built} (setting ${key})`);
    return [[key, built]];
  }));
  return Object.fromEntries(chosen.flat()) as Record<string, string>;
}

async function isLocal(host: string, reference: string): Promise<boolean> {
  return (await engineRequest(host, 'GET', `/images/${reference}/json`)).status === 200;
}
