import { labels } from './docker-container-fields';
import type { Engine } from './docker-engine';
import { asLabels, fixed, given, pairs, removed, said } from './docker-props';
import type { Props } from './fields';
import type { Resource } from './resource';

interface Volume {
  Name: string;
  Labels: Record<string, string> | null;
  Driver: string;
  Options: Record<string, string> | null;
  Mountpoint: string;
}

/** docker:index/volume:Volume */
export function volume(engine: Engine): Resource {
  const read = (found: Volume) => ({
    id: found.Name,
    state: { name: found.Name, labels: asLabels(found.Labels), driver: found.Driver, driverOpts: found.Options, mountpoint: found.Mountpoint } satisfies Props,
  });
  return {
    shape: {
      // Swarm's cluster volumes: recorded, so that the state has the published provider's shape; refused in Check.
      cluster: { type: 'object', of: {} },
      driver: { type: 'string', computed: true, ...fixed },
      driverOpts: { type: 'map', ...fixed },
      labels,
      mountpoint: { type: 'string', output: true },
      name: { type: 'string', computed: true, ...fixed },
    },
    meta: '{"schema_version":"1"}',
    autoname: true,
    validate: (inputs) => (inputs['cluster'] ? { cluster: 'This needs the published docker provider; this stand-in of it makes local volumes' } : ({} as Record<string, string>)),
    async create(planned) {
      return read(await said('Unable to create volume', engine.call<Volume>('POST', '/volumes/create', {
        Name: given(planned, 'name') ?? '', Driver: given(planned, 'driver') ?? '', DriverOpts: planned['driverOpts'] ?? {}, Labels: pairs(planned['labels']),
      })));
    },
    async read(id) {
      const found = await said('Unable to inspect volume', engine.find<Volume>(`/volumes/${encodeURIComponent(id)}`));
      return found && read(found);
    },
    async delete(id) {
      await removed(engine, `/volumes/${encodeURIComponent(id)}?force=1`, 'in_use', 'volume is in use');
    },
  };
}
