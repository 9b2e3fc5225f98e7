/**
 * What a killed deployment leaves on the Docker host: containers and networks that Docker has and the
 * state does not. The next deployment would fail on their names.
 */
import { stackLabel } from '../../components/catalog';
import { engineGet, engineMessage, engineRequest } from '../../components/engine';
import type { StackState } from './pulumi';
import { Failure, say } from './say';

interface Labelled {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly Name?: string;
}

/**
 * Removes them. Volumes stay: they hold data, and a volume that exists is simply taken.
 * @param owner `project/stack`, the value of the label
 */
export async function removeLeftovers(host: string, owner: string, state: StackState | undefined): Promise<void> {
  const known = new Set((state?.resources ?? []).map(({ id }) => id));
  const filter = encodeURIComponent(JSON.stringify({ label: [`${stackLabel}=${owner}`] }));
  const [containers, networks] = await Promise.all([
    engineGet<Labelled[]>(host, `/containers/json?all=1&filters=${filter}`),
    engineGet<Labelled[]>(host, `/networks?filters=${filter}`),
  ]);
  // Containers first: a network with one in it cannot go.
  for (const [kind, found] of [['containers', containers], ['networks', networks]] as const) {
    for (const { Id, Names, Name } of found.filter(({ Id }) => !known.has(Id))) {
      const name = Names?.[0]?.replace(/^\//, '') ?? Name ?? Id;
      say(`Removing ${kind === 'containers' ? 'container' : 'network'} ${name}: an earlier run was cut off while making it`);
      if (kind === 'containers') {
        await engineRequest(host, 'POST', `/containers/${Id}/stop?t=20`);
      }
      const answer = await engineRequest(host, 'DELETE', `/${kind}/${Id}${kind === 'containers' ? '?force=1' : ''}`);
      if (answer.status >= 400 && answer.status !== 404) {
        throw new Failure(`${name} could not be removed: ${engineMessage(answer)}.`, [`docker rm -f ${name}`]);
      }
    }
  }
}
