/**
 * Containers created with docker-compose or `docker run`: what a takeover needs to know about them. Both versions of
 * docker-compose write the same labels; the names of containers are arbitrary.
 */
import { stackLabel } from '../../../components/names';
import { shellQuoted } from '../../../settings/setting';
import { engineGet, engineMessage, engineRequest, type Engine } from '../../../engine';
import { Failure } from '../say';

export interface Mount {
  readonly kind: 'volume' | 'bind';
  /** Name of the volume, or path on the Docker host. */
  readonly source: string;
  /** Path in the container. */
  readonly path: string;
}

/** A port of a container and its host port; an empty address means every address of the host. */
export interface Published {
  readonly internal: number;
  readonly external: number;
  readonly address: string;
}

export interface OldContainer {
  readonly name: string;
  /** 'running', 'exited', 'paused' and so on. */
  readonly status: string;
  /** Reference of the image as in the compose file, and the ID that it resolved to. */
  readonly image: string;
  readonly imageId: string;
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of the program. */
  readonly args: readonly string[];
  readonly mounts: readonly Mount[];
  /** Constant while the container runs. */
  readonly published: readonly Published[];
  /** Whether it uses the host's network: every port on which it listens is one of the host's. */
  readonly onHostNetwork: boolean;
  /** Names of its networks. */
  readonly networks: readonly string[];
  /** Whether Docker removes it, and its anonymous volumes, as soon as it stops (`docker run --rm`). */
  readonly removedAtStop: boolean;
  /** Command that recreates it from its compose file, with its whole project; undefined if it has none. */
  readonly composeUp: string | undefined;
}

interface Inspected {
  readonly Name: string;
  readonly Image: string;
  readonly Args: readonly string[];
  readonly State: { readonly Status: string };
  readonly Config: { readonly Image: string; readonly Env: readonly string[] | null; readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly AutoRemove?: boolean;
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> | null;
  };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Source: string; readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

const label = 'com.docker.compose';

/** Containers of the engine that belong to no stack of this project, running or not, by name. */
export async function oldContainers(engine: Engine): Promise<OldContainer[]> {
  const listed = await engineGet<{ Id: string; Labels: Readonly<Record<string, string>> }[]>(engine, '/containers/json?all=1');
  // Containers of `docker-compose run` are not part of their project.
  const parts = listed.filter(({ Labels }) => Labels[`${label}.oneoff`] !== 'True' && !(stackLabel in Labels));
  const inspected = await Promise.all(parts.map(async ({ Id }) => {
    const answer = await engineRequest(engine, 'GET', `/containers/${Id}/json`);
    // A container that stops may be removed by now.
    return answer.status === 404 ? [] : [JSON.parse(answer.status < 400 ? answer.body.toString() : failed(answer)) as Inspected];
  }));
  return inspected.flat().map(asOld).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function failed(answer: Awaited<ReturnType<typeof engineRequest>>): never {
  throw new Failure(`The containers of the engine could not be inspected: ${engineMessage(answer)}.`, ['docker ps --all']);
}

function asOld({ Name, Image, Args, State, Config, HostConfig, Mounts, NetworkSettings }: Inspected): OldContainer {
  return {
    name: Name.replace(/^\//, ''),
    status: State.Status,
    image: Config.Image,
    imageId: Image,
    env: Object.fromEntries((Config.Env ?? []).map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string])),
    args: Args,
    mounts: Mounts.filter(({ Type }) => Type !== 'tmpfs').map(({ Name: volume, Source, Destination }) =>
      (volume === undefined ? { kind: 'bind', source: Source, path: Destination } : { kind: 'volume', source: volume, path: Destination })),
    published: Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) =>
      // Without a number Docker chooses one at each start, and no application can know it.
      (bindings ?? []).filter(({ HostPort }) => /^[1-9]\d*$/.test(HostPort)).map(({ HostIp, HostPort }) => ({ internal: parseInt(port, 10), external: Number(HostPort), address: HostIp }))),
    onHostNetwork: HostConfig.NetworkMode === 'host',
    networks: Object.keys(NetworkSettings.Networks),
    removedAtStop: HostConfig.AutoRemove === true,
    composeUp: `${label}.project` in Config.Labels ? upCommand(Config.Labels) : undefined,
  };
}

/** The first version of docker-compose is a separate program, and its labels have the paths of the files as they were given. */
function upCommand(labels: Readonly<Record<string, string>>): string {
  const program = labels[`${label}.version`]?.startsWith('1.') ? 'docker-compose' : 'docker compose';
  const files = (labels[`${label}.project.config_files`] ?? '').split(',').filter(Boolean).flatMap((file) => ['-f', shellQuoted(file)]);
  const dir = labels[`${label}.project.working_dir`];
  return [...(dir ? [`cd ${shellQuoted(dir)} &&`] : []), program, '-p', labels[`${label}.project`], ...files, 'up -d'].join(' ');
}
