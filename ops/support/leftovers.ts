/**
 * What a killed deployment leaves on the Docker host: containers and networks that Docker has and the
 * state does not. The next deployment would fail on their names.
 */
import { stackLabel } from '../../components/names';
import { engineGet, engineMessage, engineRequest, type Engine } from '../../engine';
import type { StackState } from './stack-state';
import { Failure, say } from './say';

interface Labelled {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly Name?: string;
}

/**
 * Looks for containers and networks of a stack that its state does not contain, and removes them if the state shows that a run
 * was interrupted. Volumes stay: they hold data, and an existing volume is simply used.
 * @param owner `project/stack`, the value of the label
 * @throws Failure if they were created from a different state, such as another checkout's: they are not ours to remove
 */
export async function removeLeftovers(engine: Engine, owner: string, state: StackState | undefined): Promise<void> {
  const known = new Set((state?.resources ?? []).map(({ id }) => id));
  const filter = encodeURIComponent(JSON.stringify({ label: [`${stackLabel}=${owner}`] }));
  const [containers, networks] = await Promise.all([
    engineGet<Labelled[]>(engine, `/containers/json?all=1&filters=${filter}`),
    engineGet<Labelled[]>(engine, `/networks?filters=${filter}`),
  ]);
  // Containers first: a network with a container cannot be removed.
  const unknown = [...containers.map((one) => ({ kind: 'container', ...one })), ...networks.map((one) => ({ kind: 'network', ...one }))]
    .filter(({ Id }) => !known.has(Id))
    .map(({ kind, Id, Names, Name }) => ({ kind, id: Id, name: Names?.[0]?.replace(/^\//, '') ?? Name ?? Id }));
  if (unknown.length > 0 && !state?.pending.length) {
    const names = unknown.map(({ name }) => name).join(', ');
    throw new Failure(
      `${names} on this Docker host belong to a stack ${owner} whose state is not here: another checkout created them, or the state was lost. Nothing was changed.`,
      [
        'npm run up -- --stack OTHER_NAME                       # beside it',
        ...unknown.map(({ kind, name }) => (kind === 'container' ? `docker rm -f ${name}` : `docker network rm ${name}`)),
      ],
    );
  }
  for (const { kind, id, name } of unknown) {
    say(`Removing ${kind} ${name}: an earlier run was interrupted while it created it`);
    if (kind === 'container') {
      await engineRequest(engine, 'POST', `/containers/${id}/stop?t=20`);
    }
    const answer = await engineRequest(engine, 'DELETE', kind === 'container' ? `/containers/${id}?force=1` : `/networks/${id}`);
    if (answer.status >= 400 && answer.status !== 404) {
      throw new Failure(`${name} could not be removed: ${engineMessage(answer)}.`, [`docker ${kind === 'container' ? 'rm -f' : 'network rm'} ${name}`]);
    }
  }
}
