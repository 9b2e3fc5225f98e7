import { EngineError, type Engine } from './docker-engine';
import type { Props } from './fields';
import type { Resource } from './resource';

interface Image {
  Id: string;
  RepoDigests: string[] | null;
}

/** The image on the engine; pulled if it does not exist, so that a registry is queried only then. */
export async function findImage(engine: Engine, name: string, platform = ''): Promise<Image> {
  if (!name) {
    throw new Error('empty image name is not allowed');
  }
  const local = await localImage(engine, name);
  if (local) {
    return local;
  }
  try {
    await pull(engine, name, platform);
  } catch (error) {
    throw new Error(`unable to pull image ${name}: error pulling image ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const pulled = await localImage(engine, name);
  if (!pulled) {
    throw new Error(`unable to find or pull image ${name}`);
  }
  return pulled;
}

export function localImage(engine: Engine, name: string): Promise<Image | undefined> {
  return engine.find<Image>(`/images/${name.split('/').map(encodeURIComponent).join('/')}/json`);
}

/**
 * A 200 response can end in an error: then the last line of the progress says so. The name and its tag are sent separately, and
 * a digest takes the place of the tag, as in Docker's client: the image store of containerd keeps the image under the name that
 * it is given.
 */
async function pull(engine: Engine, name: string, platform: string): Promise<void> {
  const [, fromImage = name, tag = 'latest', digest = tag] = /^(.+?)(?::([^/:@]+))?(?:@(.+))?$/.exec(name) ?? [];
  const query = new URLSearchParams({ fromImage, tag: digest, ...(platform ? { platform } : {}) });
  const lines = (await engine.raw('POST', `/images/create?${query}`)).toString().trim().split('\n');
  const failed = lines.map((line) => (JSON.parse(line || '{}') as { error?: string }).error).find(Boolean);
  if (failed) {
    throw new Error(failed);
  }
}

/** The digest under this image's own name, else the first; an image that was never pulled or pushed has none. */
export function repoDigest(name: string, digests: string[] | null): string {
  return digests?.find((digest) => digests.length > 1 && digest.startsWith(name.split(':')[0] as string)) ?? digests?.[0] ?? '';
}

/** docker:index/remoteImage:RemoteImage, without `build`: this stand-in only finds and pulls. */
export function remoteImage(engine: Engine): Resource {
  const fixed = { replaces: true } as const;
  const state = (name: string, image: Image) => ({ id: image.Id + name, state: { imageId: image.Id, repoDigest: repoDigest(name, image.RepoDigests) } });
  const nameOf = (props: Props) => props['name'] as string;
  return {
    shape: {
      // Recorded, so that the state has the published provider's shape; refused in Check.
      build: { type: 'object', of: {} },
      forceRemove: { type: 'bool' },
      imageId: { type: 'string', output: true },
      keepLocally: { type: 'bool' },
      name: { type: 'string', required: true, ...fixed },
      platform: { type: 'string', ...fixed },
      pullTriggers: { type: 'set', ...fixed },
      repoDigest: { type: 'string', output: true },
      triggers: { type: 'map', ...fixed },
    },
    meta: '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,"update":1200000000000}}',
    validate: (inputs) => (inputs['build'] ? { build: 'This needs the published docker provider; this stand-in of it only finds and pulls images' } : ({} as Record<string, string>)),
    async create(planned) {
      const image = await findImage(engine, nameOf(planned), (planned['platform'] as string | null) ?? '').catch((error: Error) => {
        throw new Error(`Unable to read Docker image into resource: ${error.message}`);
      });
      return state(nameOf(planned), image);
    },
    async read(_id, props) {
      const image = await localImage(engine, nameOf(props));
      return image && state(nameOf(props), image);
    },
    async update(_id, _old, planned) {
      const image = await findImage(engine, nameOf(planned), (planned['platform'] as string | null) ?? '');
      return state(nameOf(planned), image).state;
    },
    async delete(_id, props) {
      if (props['keepLocally'] === true || !(await localImage(engine, nameOf(props)))) {
        return;
      }
      const path = `/images/${nameOf(props).split('/').map(encodeURIComponent).join('/')}`;
      await engine.raw('DELETE', `${path}?force=${props['forceRemove'] === true ? 1 : 0}`).catch((error: unknown) => {
        if (!(error instanceof EngineError && error.status === 404)) {
          throw new Error(`Unable to remove Docker image: ${error instanceof Error ? error.message : String(error)}`);
        }
      });
    },
  };
}
