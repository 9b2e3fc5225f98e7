/**
 * A Docker Engine that keeps containers and volumes, as far as a command sees them that moves them about. What runs in a
 * container is not there: a job's output is given.
 */
import * as http from 'node:http';
import * as path from 'node:path';
import { at, type Engine } from '../../engine';
import { current } from './fake-engine';
import { tempDir } from './temp';
import { endsWithTests } from './web';

export interface FakeContainer {
  readonly Id: string;
  Name: string;
  readonly Image: string;
  readonly Args: readonly string[];
  readonly State: { Status: string; Running: boolean };
  readonly Config: { readonly Image: string; readonly Env: readonly string[]; readonly Labels: Readonly<Record<string, string>>; readonly Cmd?: readonly string[]; readonly Hostname?: string };
  readonly HostConfig: { RestartPolicy: { Name: string }; readonly NetworkMode: string; readonly PortBindings: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[]>>; readonly [other: string]: unknown };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Source: string; readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly Aliases: readonly string[] }>>; readonly Ports: Readonly<Record<string, null>> };
}

export interface FakeDocker {
  /** Address as `docker:host` takes it. */
  readonly host: string;
  readonly engine: Engine;
  /** By name. */
  readonly containers: Map<string, FakeContainer>;
  /** Labels by name. */
  readonly volumes: Map<string, Record<string, string>>;
  /** What was changed, in order, as `METHOD path body`. */
  readonly changes: string[];
  /** Answers to requests instead of the usual ones, by `METHOD path`; a function is asked each time. */
  readonly answers: Record<string, object | Buffer | ((query: URLSearchParams, body: string) => object | Buffer)>;
}

interface Shape {
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Host port by port of the container. */
  readonly ports?: Readonly<Record<number, number>>;
  readonly address?: string;
  readonly mounts?: FakeContainer['Mounts'];
  readonly network?: string;
  readonly restart?: string;
  /** `docker run --rm`. */
  readonly rm?: boolean;
  readonly status?: string;
}

/** A container as an inspection shows it. */
export function fakeContainer(name: string, shape: Shape = {}): FakeContainer {
  const { image = 'some/image:1', env = {}, labels = {}, ports = {}, address = '', mounts = [], network = 'seed_default', restart = 'unless-stopped', rm = false, status = 'running' } = shape;
  return {
    Id: `${name}-id-0123456789`,
    Name: `/${name}`,
    Image: `sha256:${name}`,
    Args: [],
    State: { Status: status, Running: status === 'running' },
    Config: { Image: image, Env: Object.entries(env).map(([key, value]) => `${key}=${value}`), Labels: labels, Hostname: `${name}-id-0123456789`.slice(0, 12) },
    HostConfig: {
      NetworkMode: network,
      RestartPolicy: { Name: restart },
      AutoRemove: rm,
      PortBindings: Object.fromEntries(Object.entries(ports).map(([internal, external]) => [`${internal}/tcp`, [{ HostIp: address, HostPort: String(external) }]])),
    },
    Mounts: mounts,
    NetworkSettings: { Networks: { [network]: { Aliases: [name.replace(/-.*/, ''), `${name}-id-0123456789`.slice(0, 12)] } }, Ports: {} },
  };
}

/** The labels of docker-compose. */
export const composed = (project: string, service: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'com.docker.compose.project': project,
  'com.docker.compose.service': service,
  'com.docker.compose.oneoff': 'False',
  'com.docker.compose.version': '2.39.1',
  'com.docker.compose.project.working_dir': `/srv/${project}`,
  'com.docker.compose.project.config_files': `/srv/${project}/docker-compose.yml`,
  ...more,
});

export async function fakeDocker(containers: readonly FakeContainer[], volumes: Readonly<Record<string, Record<string, string>>> = {}): Promise<FakeDocker> {
  const fake: Omit<FakeDocker, 'host' | 'engine'> = {
    containers: new Map(containers.map((one) => [one.Name.slice(1), one])),
    volumes: new Map(Object.entries(volumes)),
    changes: [],
    answers: {},
  };
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '' } = request;
      if (request.url === '/_ping') {
        response.writeHead(200, { 'api-version': '1.51' }).end('OK');
        return;
      }
      const url = (request.url ?? '').replace(/^\/v\d+\.\d+(?=\/)/, '');
      const body = Buffer.concat(chunks).toString();
      if (method !== 'GET') {
        fake.changes.push([method, url, body].filter(Boolean).join(' '));
      }
      const answer = answerTo(fake, method, new URL(url, 'http://docker'), body);
      const { status = 200, ...said } = Buffer.isBuffer(answer) ? {} : (answer as { status?: number });
      response.writeHead(status === 204 ? 204 : status).end(Buffer.isBuffer(answer) ? answer : JSON.stringify(Array.isArray(answer) ? answer : said));
    });
  });
  const socket = path.join(tempDir(), 'docker.sock');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  endsWithTests(server);
  const host = `unix://${socket}`;
  return { host, engine: at(host), ...fake };
}

const missing = (what: string): object => ({ status: 404, message: `No such ${what}` });
const done = { status: 204 };

function answerTo(fake: Omit<FakeDocker, 'host' | 'engine'>, method: string, url: URL, body: string): object | Buffer {
  const { containers, volumes, answers } = fake;
  const given = answers[`${method} ${url.pathname}`];
  if (given !== undefined) {
    return typeof given === 'function' && !Buffer.isBuffer(given) ? given(url.searchParams, body) : given;
  }
  const labelled = (labels: Readonly<Record<string, string>>): boolean => {
    const { label = [] } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { label?: string[] };
    return label.every((one) => { const [key = '', value] = one.split(/=(.*)/s); return key in labels && (value === undefined || labels[key] === value); });
  };
  const [, kind = '', name = '', action = ''] = url.pathname.split('/');
  if (kind === 'volumes' && name === '') {
    return { Volumes: [...volumes].filter(([, labels]) => labelled(labels)).map(([Name, Labels]) => ({ Name, Labels })) };
  }
  if (url.pathname === '/volumes/create') {
    const { Name, Labels } = JSON.parse(body) as { Name: string; Labels: Record<string, string> };
    volumes.set(Name, volumes.get(Name) ?? Labels);
    return { status: 201, Name };
  }
  if (kind === 'volumes') {
    return !volumes.has(name) ? missing('volume') : method === 'DELETE' ? (volumes.delete(name), done) : { Name: name };
  }
  if (url.pathname === '/containers/json') {
    return [...containers.values()].filter(({ Config, State }) => labelled(Config.Labels) && (State.Running || url.searchParams.has('all')))
      .map(({ Id, Name, Config, State }) => ({ Id, Names: [Name], Labels: Config.Labels, State: State.Status, Ports: [] }));
  }
  if (url.pathname === '/containers/create') {
    const made = url.searchParams.get('name') ?? '';
    const { HostConfig, NetworkingConfig, ...Config } = JSON.parse(body);
    containers.set(made, { ...fakeContainer(made, { status: 'created' }), Config, HostConfig, ...(NetworkingConfig ? { NetworkSettings: { Networks: NetworkingConfig.EndpointsConfig, Ports: {} } } : {}) });
    return { status: 201, Id: made };
  }
  if (kind === 'containers') {
    const one = [...containers.values()].find(({ Id, Name }) => Id === name || Name === `/${name}`);
    return one ? (onContainer(fake, one, method, action, url, body) ?? missing('page')) : missing(`container: ${name}`);
  }
  if (kind === 'networks' && (action === 'connect' || action === 'disconnect')) {
    const { Container, EndpointConfig } = JSON.parse(body) as { Container: string; EndpointConfig?: { Aliases?: string[] } };
    const networks = containers.get(Container)?.NetworkSettings.Networks as Record<string, { Aliases: readonly string[] }> | undefined;
    if (!networks) {
      return missing(`container: ${Container}`);
    }
    if (action === 'connect') {
      networks[name] = { Aliases: EndpointConfig?.Aliases ?? [] };
    } else {
      delete networks[name];
    }
    return { status: 200 };
  }
  return (current as Record<string, object>)[url.pathname] ?? missing(`page ${url.pathname}`);
}

function onContainer({ containers }: Omit<FakeDocker, 'host' | 'engine'>, one: FakeContainer, method: string, action: string, url: URL, body: string): object | undefined {
  const own = one.Name.slice(1);
  const set = (status: string): object => {
    const already = one.State.Running === (status === 'running');
    Object.assign(one.State, { Status: status, Running: status === 'running' });
    return { status: already ? 304 : 204 };
  };
  switch (`${method} ${action}`) {
    case 'GET json':
      return one;
    case 'POST start':
      return set('running');
    case 'POST stop':
      return set('exited');
    case 'POST rename':
      containers.delete(own);
      one.Name = `/${url.searchParams.get('name')}`;
      containers.set(one.Name.slice(1), one);
      return done;
    case 'POST update':
      Object.assign(one.HostConfig, JSON.parse(body));
      return {};
    case 'DELETE ':
      containers.delete(own);
      return done;
    default:
      return undefined;
  }
}
