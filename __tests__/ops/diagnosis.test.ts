import { at } from '../../engine';
import { lastWords } from '../../ops/support/diagnosis';
import { fakeEngine, type Answer } from '../support/fake-engine';

const owner = 'llm-observability/dev';
const listed = (name: string, State: string, Status: string): object => ({ Id: `${name}-id`, Names: [`/${name}`], State, Status });

/** Lines as the engine frames them in a log. */
function framed(...lines: string[]): Answer {
  const frames = lines.map((line) => {
    const header = Buffer.alloc(8);
    header[0] = 2;
    header.writeUInt32BE(line.length + 1, 4);
    return `${header.toString('latin1')}${line}\n`;
  });
  return { status: 200, body: frames.join('') };
}

test('only containers that are not well, with their last lines', async () => {
  const engine = await fakeEngine({
    '/containers/json': [
      listed('phoenix-dev', 'restarting', 'Restarting (1) 3 seconds ago'),
      listed('alloy-dev', 'running', 'Up 2 minutes (healthy)'),
      listed('phoenix-dev-gate', 'running', 'Up 3 seconds (unhealthy)'),
      listed('starting', 'running', 'Up 3 seconds (health: starting)'),
      listed('failed', 'exited', 'Exited (137) 4 minutes ago'),
      listed('done', 'exited', 'Exited (0) 4 minutes ago'),
      listed('never', 'created', 'Created'),
    ],
    '/containers/phoenix-dev-id/logs': framed('Traceback', 'ValueError: PHOENIX_SECRET is too short'),
    '/containers/phoenix-dev-gate-id/logs': framed(''),
  });
  expect(await lastWords(engine.engine, owner)).toEqual([
    'Container phoenix-dev (Restarting (1) 3 seconds ago) logged last:\n    Traceback\n    ValueError: PHOENIX_SECRET is too short',
    'Container phoenix-dev-gate (Up 3 seconds (unhealthy)) has logged nothing.',
    'Container starting (Up 3 seconds (health: starting)) has logged nothing.',
    'Container failed (Exited (137) 4 minutes ago) has logged nothing.',
  ]);
  expect(decodeURIComponent(engine.requests[0]?.url ?? '')).toBe('/containers/json?all=1&filters={"label":["llm-observability.stack=llm-observability/dev"]}');
});

test('an engine that does not answer has nothing to add', async () => {
  expect(await lastWords(at('unix:///nowhere/docker.sock'), owner)).toEqual([]);
});
