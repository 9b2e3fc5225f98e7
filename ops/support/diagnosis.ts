import { stackLabel } from '../../components/names';
import { engineGet, engineRequest, type Engine } from '../../engine';

interface Container {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  /** In words: "Up 3 seconds (unhealthy)", "Exited (1) 2 minutes ago". */
  readonly Status: string;
}

const lines = 8;

/**
 * The last log lines of the unhealthy containers of a stack: if a deployment stops at a container, the CLI only says
 * that it did not become healthy.
 * @param owner `project/stack`, the value of the label
 * @returns a paragraph for each; none if the engine does not respond
 */
export async function lastWords(engine: Engine, owner: string): Promise<string[]> {
  const filter = encodeURIComponent(JSON.stringify({ label: [`${stackLabel}=${owner}`] }));
  const containers = await engineGet<Container[]>(engine, `/containers/json?all=1&filters=${filter}`, 10_000).catch(() => []);
  return Promise.all(containers.filter(unwell).map(async ({ Id, Names, Status }) => {
    const name = Names[0]?.replace(/^\//, '') ?? Id;
    const log = await engineRequest(engine, 'GET', `/containers/${Id}/logs?stdout=1&stderr=1&tail=${lines}`, { timeoutMs: 10_000 }).catch(() => undefined);
    const said = log?.status === 200 ? textOf(log.body).trim().split('\n').slice(-lines) : [];
    return [`Container ${name} (${Status})${said.some(Boolean) ? ' logged last:' : ' has logged nothing.'}`, ...said.filter(Boolean).map((line) => `    ${line}`)].join('\n');
  }));
}

function unwell({ State, Status }: Container): boolean {
  return ['restarting', 'dead'].includes(State) || /\((unhealthy|health: starting)\)/.test(Status) || /^Exited \((?!0\))/.test(Status);
}

/** The engine frames a log: kind, three zeros, length, bytes. */
function textOf(framed: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= framed.length; at += 8 + framed.readUInt32BE(at + 4)) {
    text += framed.subarray(at + 8, at + 8 + framed.readUInt32BE(at + 4)).toString();
  }
  return text;
}
