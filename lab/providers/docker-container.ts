import * as fs from 'node:fs';
import * as tar from 'tar-stream';
import { definition, known, restartPolicy, rows, sizes, throttles } from './docker-container-definition';
import { containerFields } from './docker-container-fields';
import { found, type Inspected } from './docker-container-state';
import type { Engine } from './docker-engine';
import { findImage } from './docker-image';
import { said } from './docker-props';
import { isEmpty, type Props } from './fields';
import { Halfway, type Resource } from './resource';

/** docker:index/container:Container: the requests to the engine, and their order, follow the published provider. */
export function container(engine: Engine): Resource {
  const read = (id: string) => engine.find<Inspected>(`/containers/${id}/json`);

  return {
    shape: containerFields,
    meta: '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,"update":1200000000000},"schema_version":"2"}',
    autoname: true,
    deleteBeforeReplace: true,

    async create(planned) {
      await findImage(engine, planned['image'] as string).catch((error: Error) => {
        throw new Error(`Unable to create container with image ${planned['image'] as string}: ${error.message}`);
      });
      const query = new URLSearchParams({ name: planned['name'] as string, ...(known(planned['platform']) ? { platform: planned['platform'] as string } : {}) });
      const { Id: id } = await said('Unable to create container', engine.call<{ Id: string }>('POST', `/containers/create?${query}`, definition(planned)));
      try {
        await connect(engine, id, planned);
        for (const upload of rows(planned['uploads'])) {
          await said('Unable to upload volume content', engine.raw('PUT', `/containers/${id}/archive?path=%2F`, await archive(upload)));
        }
        if (planned['start'] === true) {
          await said('Unable to start container', engine.raw('POST', `/containers/${id}/start`));
          if (planned['wait'] === true) {
            await healthy(engine, id, planned['waitTimeout'] as number);
          }
        }
        const logs = planned['attach'] === true ? await finished(engine, id, planned) : undefined;
        const inspected = await read(id);
        if (!inspected) {
          throw new Error('expected the container to be there after its creation');
        }
        return { id, state: { ...found(inspected, planned), ...(logs === undefined ? {} : { containerLogs: logs }) } };
      } catch (error) {
        throw new Halfway(error instanceof Error ? error.message : String(error), id);
      }
    },

    async read(id, state) {
      const inspected = await read(id);
      return inspected && { id: inspected.Id, state: found(inspected, state) };
    },

    async update(id, old, planned) {
      if (old['mustRun'] === false && planned['mustRun'] === true && planned['start'] === true) {
        await said('Unable to start container', engine.raw('POST', `/containers/${id}/start`));
      }
      // Nothing else can be changed in a running container; the published provider records the rest and does nothing.
      const live = ['restart', 'maxRetryCount', 'cpuShares', 'memory', 'memoryReservation', 'cpuSet', 'memorySwap', 'deviceReadBps', 'deviceReadIops', 'deviceWriteBps', 'deviceWriteIops'];
      if (live.some((key) => JSON.stringify(old[key] ?? null) !== JSON.stringify(planned[key] ?? null))) {
        await said('Unable to update a container', engine.raw('POST', `/containers/${id}/update`, {
          RestartPolicy: restartPolicy(planned),
          CpuShares: planned['cpuShares'] ?? 0,
          CpusetCpus: planned['cpuSet'] ?? '',
          ...sizes(planned),
          ...throttles(planned),
        }));
      }
      return {};
    },

    async delete(id, state) {
      const gone = (...messages: string[]) => (error: Error) => {
        if (!messages.some((message) => error.message.toLowerCase().includes(message.toLowerCase()))) {
          throw error;
        }
      };
      if (state['attach'] !== true) {
        // Without destroyGraceSeconds this is 0: SIGTERM and SIGKILL at once.
        const grace = Math.max(0, (state['destroyGraceSeconds'] as number | null) ?? 0);
        await said(`Error stopping container ${id}`, engine.raw('POST', `/containers/${id}/stop?t=${grace}`)).catch(gone('No such container'));
      }
      await said(`Error deleting container ${id}`, engine.raw('DELETE', `/containers/${id}?force=1&v=${state['removeVolumes'] === true ? 1 : 0}`))
        .catch(gone('No such container', 'is already in progress'));
      await said(`Error waiting for container removal '${id}'`, engine.raw('POST', `/containers/${id}/wait?condition=${state['rm'] === true ? 'removed' : 'not-running'}`))
        .catch(gone('No such container', 'is already in progress'));
    },
  };
}

/** Networks in the inputs replace the default one. */
async function connect(engine: Engine, id: string, planned: Props): Promise<void> {
  const networks = rows(planned['networksAdvanced']);
  if (networks.length === 0) {
    return;
  }
  await said('Unable to disconnect the default network', engine.raw('POST', '/networks/bridge/disconnect', { Container: id, Force: false })).catch((error: Error) => {
    if (!error.message.includes('is not connected to the network bridge')) {
      throw error;
    }
  });
  for (const network of networks) {
    const options = ((network['driverOpts'] as string[] | null) ?? []).map((option) => /^([^=]*)=(.*)$/s.exec(option)).filter((match) => match !== null);
    await said(`Unable to connect to network '${String(network['name'])}'`, engine.raw('POST', `/networks/${encodeURIComponent(network['name'] as string)}/connect`, {
      Container: id,
      EndpointConfig: {
        Aliases: network['aliases'] ?? [],
        IPAMConfig: { IPv4Address: network['ipv4Address'] ?? '', IPv6Address: network['ipv6Address'] ?? '', LinkLocalIPs: network['linkLocalIps'] ?? [] },
        MacAddress: network['macAddress'] ?? '',
        DriverOpts: Object.fromEntries(options.map(([, key, value]) => [key, value])),
        GwPriority: network['gwPriority'] ?? 0,
      },
    }));
  }
}

/** A tar archive of one file, its name as given, unpacked at "/". */
async function archive(upload: Props): Promise<Buffer> {
  const given = ['content', 'contentBase64', 'source'].filter((key) => !isEmpty(upload[key]));
  if (given.length !== 1) {
    throw new Error(`error with upload content: ${given.length === 0 ? "one of 'content', 'content_base64', or 'source' must be set" : "only one of 'content', 'content_base64', or 'source' can be set"}`);
  }
  const value = upload[given[0] as string] as string;
  const content = given[0] === 'content' ? Buffer.from(value) : given[0] === 'contentBase64' ? Buffer.from(value, 'base64') : await said('could not read file', fs.promises.readFile(value));
  const mode = isEmpty(upload['permissions']) ? (upload['executable'] === true ? 0o744 : 0o644) : parseInt(upload['permissions'] as string, 8);
  const pack = tar.pack();
  pack.entry({ name: upload['file'] as string, mode, mtime: new Date() }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

async function healthy(engine: Engine, id: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const { State } = await said('error inspecting container state', engine.call<Inspected>('GET', `/containers/${id}/json`));
    if (!State.Health) {
      throw new Error("you have supplied a 'wait' argument, but the container does not have a healthcheck defined. Please remove the 'wait' argument or add a 'healthcheck' attribute");
    }
    if (State.Health.Status === 'healthy') {
      return;
    }
    if (Date.now() + 1000 > end) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, end - Date.now())));
      throw new Error('container failed to be in healthy state');
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Waits for the end of a one-shot container; its output, both streams in order, if logs are asked for. */
async function finished(engine: Engine, id: string, planned: Props): Promise<string | undefined> {
  await said('Unable to wait container end of execution', engine.raw('POST', `/containers/${id}/wait?condition=not-running`));
  if (planned['logs'] !== true) {
    return undefined;
  }
  const raw = await said('unable to read container logs', engine.raw('GET', `/containers/${id}/logs?stdout=1&stderr=1`));
  return planned['tty'] === true ? raw.toString() : frames(raw);
}

/** The engine sends eight bytes before each piece of output: the stream, three zeros, the length. */
function frames(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const length = raw.readUInt32BE(at + 4);
    pieces.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString();
}
