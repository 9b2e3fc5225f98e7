/**
 * Warnings about a stack in which traces arrive.
 */
import { aliases, beyondLimit, gateAside, otlpSignals, ports, sendAgainFile, storagePercent } from '../components/catalog';
import { pause } from './cancellation';
import { containerState, logsOf } from './container-report';
import { valueIn } from './metrics';
import type { Route } from './route';

/** The journal's own status, as seen from `inside`. */
export const journalStatus = `http://${aliases.journal}:${ports.journal.otlpHttp}/status`;

/** What an operator should know about the journal although spans arrive. */
export async function journalWarnings({ inside, containers: { journal } }: Route): Promise<string[]> {
  if (journal === undefined) {
    return [];
  }
  const { status, text } = await inside.ask(journalStatus);
  if (status !== 200) {
    return [`The journal in front of Phoenix does not report its state (${text}): ${logsOf(journal)}`];
  }
  const { aside } = JSON.parse(text) as { aside: number };
  const [it, whose] = aside === 1 ? ['it', 'its'] : ['them', 'their'];
  return aside === 0 ? [] : [
    `Phoenix refuses ${requests(aside)} because of ${whose} content, and the journal has put ${it} aside: docker exec ${journal} ls -l /journal/aside lists ${it}, docker kill --signal HUP ${journal} has ${it} sent again.`,
  ];
}

/** The same for the gate of an edge stack. */
export async function asideWarnings({ inside, central, containers: { gate } }: Route): Promise<string[]> {
  if (central === undefined) {
    return [];
  }
  const listed = await Promise.all(otlpSignals.map((signal) => inside.ask(`http://127.0.0.1:${ports.gate.health}${gateAside}/${signal}/`)));
  // A gate of an older version has no such folder.
  const aside = listed.reduce((sum, { status, text }) => sum + (status === 200 ? (JSON.parse(text) as unknown[]).length : 0), 0);
  const it = aside === 1 ? 'it' : 'them';
  return aside === 0 ? [] : [
    `${central.hostname} refuses ${requests(aside)} because of ${aside === 1 ? 'its' : 'their'} content, and the gate has put ${it} aside: docker exec ${gate} ls -lR ${gateAside} lists ${it}, docker exec ${gate} bash ${sendAgainFile} has ${it} sent again.`,
  ];
}

/** The same for the proxy through which Phoenix connects to servers, if it may reach any. */
export async function egressWarnings(route: Route): Promise<string[]> {
  const { containers: { egress, database }, redeploy } = route;
  const ailing = async (name: string | undefined, what: string): Promise<string[]> => {
    const state = name === undefined ? 'running' : await containerState(route, name);
    return /^running(, (healthy|starting))?$/.test(state) ? [] : [`Phoenix reaches ${what}: container ${name} is ${state}: docker logs --tail 30 ${name}; ${redeploy}`];
  };
  return [...await ailing(egress, `none of its servers (${database === undefined ? '' : 'phoenix:database, '}phoenix:egress, login, mail)`), ...await ailing(database, 'no database (phoenix:database)')];
}

/** The same for Phoenix's database, if it has a limit. */
export async function storageWarnings({ inside, metrics }: Route): Promise<string[]> {
  const { text } = metrics === undefined ? { text: '' } : await inside.ask(metrics);
  const used = Math.floor(100 * valueIn(text, 'database_disk_usage_ratio'));
  return used < storagePercent.warned ? [] : [`Phoenix's database has used ${used} % of phoenix:storage; from ${storagePercent.blocked} % on spans wait in Alloy's queue. A larger phoenix:storage, or phoenix:retentionDays, makes room.`];
}

/**
 * The same for the projects in Phoenix: whether senders create too many, and, while Phoenix is behind, which one it is busy
 * with.
 * @param betweenMs milliseconds between two reads of what it stores
 */
export async function projectWarnings({ inside, metrics }: Route, betweenMs = 5_000): Promise<string[]> {
  const look = async (): Promise<string> => (metrics === undefined ? '' : (await inside.ask(metrics)).text);
  const before = await look();
  const elsewhere = valueIn(before, 'observability_spans_elsewhere_total');
  const warnings = elsewhere === 0 ? [] : [
    `Senders name more projects than phoenix:projects allows: ${elsewhere} span${elsewhere === 1 ? '' : 's'} of others went to the project ${beyondLimit} since Phoenix was started. Delete projects, or set a larger phoenix:projects.`,
  ];
  if (valueIn(before, 'phoenix_span_queue_size') < behind) {
    return warnings;
  }
  await pause(betweenMs);
  const counted = storedByProject(before);
  const grown = [...storedByProject(await look())].map(([project, count]) => [project, count - (counted.get(project) ?? 0)] as const);
  const [project, most] = grown.reduce((largest, one) => (one[1] > largest[1] ? one : largest), ['', 0] as const);
  const share = most / grown.reduce((sum, [, count]) => sum + count, 0);
  return share > 0.5 ? [...warnings, `Phoenix is behind, and ${Math.floor(100 * share)} % of what it stores now is of the project ${project}: the spans of others wait with them.`] : warnings;
}

/** Number of spans in Phoenix's memory above which it is behind: more than it stores in one transaction. */
const behind = 200;

const storedByProject = (text: string): Map<string, number> =>
  new Map([...text.matchAll(/^observability_spans_total\{project="((?:[^"\\]|\\.)*)"\} (\S+)$/gm)].map(([, project = '', count]) => [project, Number(count)]));

export const requests = (count: number): string => (count === 1 ? '1 request' : `${count} requests`);

