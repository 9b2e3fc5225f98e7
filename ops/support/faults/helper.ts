import { engineGet, engineMessage, engineRequest, type Engine } from '../../../engine';

/** Label of everything that is created beside a stack, with the stack's name as its value. */
export const helperLabel = 'llm-observability.faults';

export interface HelperOptions {
  /** Volumes by their mount path. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Whether it sees the processes of the host. */
  readonly pids?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Starts a Python script as root in a separate container. @returns ID of the container */
export async function begin(engine: Engine, image: string, script: string, args: readonly string[], { volumes = {}, pids = false, labels = {} }: HelperOptions): Promise<string> {
  const { Id } = JSON.parse(await must(engine, 'POST', '/containers/create', {
    Image: image,
    User: '0:0',
    Entrypoint: ['python3', '-c', script],
    Cmd: args,
    Labels: labels,
    HostConfig: { NetworkMode: 'none', Binds: Object.entries(volumes).map(([path, volume]) => `${volume}:${path}`), ...(pids ? { PidMode: 'host' } : {}) },
  })) as { Id: string };
  await must(engine, 'POST', `/containers/${Id}/start`);
  return Id;
}

/** The same, and waits for its end. @throws Error with its output when it fails */
export async function once(engine: Engine, image: string, script: string, args: readonly string[] = [], options: HelperOptions = {}): Promise<void> {
  const id = await begin(engine, image, script, args, options);
  try {
    const { StatusCode } = JSON.parse(await must(engine, 'POST', `/containers/${id}/wait`)) as { StatusCode: number };
    if (StatusCode !== 0) {
      const logs = await engineRequest(engine, 'GET', `/containers/${id}/logs?stdout=1&stderr=1`);
      throw new Error(`a helper ended with ${StatusCode}: ${logs.body.toString().slice(-500)}`);
    }
  } finally {
    await engineRequest(engine, 'DELETE', `/containers/${id}?force=1`);
  }
}

/** Removes every container, network and volume with this label. */
export async function removeLabelled(engine: Engine, label: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
  for (const { Id } of await engineGet<{ Id: string }[]>(engine, `/containers/json?all=1&filters=${filters}`)) {
    await engineRequest(engine, 'DELETE', `/containers/${Id}?force=1&v=1`);
  }
  for (const { Id } of await engineGet<{ Id: string }[]>(engine, `/networks?filters=${filters}`)) {
    await engineRequest(engine, 'DELETE', `/networks/${Id}`);
  }
  for (const { Name } of (await engineGet<{ Volumes: { Name: string }[] | null }>(engine, `/volumes?filters=${filters}`)).Volumes ?? []) {
    await engineRequest(engine, 'DELETE', `/volumes/${Name}`);
  }
}

/** @throws Error with the engine's words */
export async function must(engine: Engine, method: string, path: string, body?: object): Promise<string> {
  const answer = await engineRequest(engine, method, path, body ? { body } : {});
  if (answer.status >= 400) {
    throw new Error(engineMessage(answer));
  }
  return answer.body.toString();
}
