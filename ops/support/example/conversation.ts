/** Conversations with the AI service of a stack (`example:enabled`), and what came of them. */
import type { Reach } from '../../../provider/reach';

/** What a model was asked for, as its API reports it. */
export interface Used {
  readonly calls: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

/** A message and the answer of the service. */
export interface Turn {
  readonly session: string;
  readonly message: string;
  /** Milliseconds until the answer. */
  readonly ms: number;
  /** ID of its trace; empty if the service did not answer. */
  readonly trace: string;
  /** Why there is no answer: the error in the service, or why that did not respond. */
  readonly error?: string;
  /** By model. */
  readonly models: Readonly<Record<string, Used>>;
}

/** What people write, a message each. The archive is slow, and Atlantis has no weather: the tool fails. */
export const conversations: Readonly<Record<'usual' | 'slow' | 'failing', readonly (readonly string[])[]>> = {
  usual: [
    ['What should I pack for a weekend in Lisbon?', 'And for a walk in Kyoto?', 'Which bag do I need?'],
    ['What is the weather like in Oslo?', 'What should I pack?'],
  ],
  slow: [['Search the archive for quiet walks in Kyoto.']],
  failing: [['What should I pack for a weekend in Atlantis?']],
};

/** Milliseconds that an answer may take: a model of somebody else's may be slow. */
const patienceMs = 60_000;

/**
 * Has one conversation. Never throws; ends early if the service does not respond.
 * @param url base URL of the service, as seen from `reach`
 */
export async function talk(reach: Reach, url: string, session: string, messages: readonly string[]): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (const message of messages) {
    const started = performance.now();
    const { status, text } = await reach.ask(`${url}/chat`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ session, message }), patienceMs,
    });
    const said = status === 200 || status === 502 ? parsed(text) : undefined;
    const turn = { session, message, ms: Math.round(performance.now() - started) };
    if (said?.trace === undefined) {
      turns.push({ ...turn, trace: '', error: status === 0 ? text : `it answers ${status}`, models: {} });
      break;
    }
    turns.push({ ...turn, trace: said.trace, ...(said.error === undefined ? {} : { error: said.error }), models: said.models ?? {} });
  }
  return turns;
}

function parsed(text: string): { readonly trace?: string; readonly error?: string; readonly models?: Turn['models'] } | undefined {
  try {
    return JSON.parse(text) as ReturnType<typeof parsed>;
  } catch {
    return undefined;
  }
}

/** The sum of some turns. */
export interface Sum extends Used {
  readonly messages: number;
  readonly sessions: number;
  /** Messages that ended with an error in the service. */
  readonly failed: number;
  /** Messages to which the service did not respond. */
  readonly unanswered: number;
  readonly models: Readonly<Record<string, Used>>;
}

export function sumOf(turns: readonly Turn[]): Sum {
  const models: Record<string, Used> = {};
  for (const [name, used] of turns.flatMap((turn) => Object.entries(turn.models))) {
    models[name] = plus(models[name] ?? none, used);
  }
  return {
    messages: turns.length,
    sessions: new Set(turns.map(({ session }) => session)).size,
    failed: turns.filter(({ error, trace }) => error !== undefined && trace !== '').length,
    unanswered: turns.filter(({ trace }) => trace === '').length,
    ...Object.values(models).reduce(plus, none),
    models,
  };
}

const none: Used = { calls: 0, prompt_tokens: 0, completion_tokens: 0 };

const plus = (a: Used, b: Used): Used =>
  ({ calls: a.calls + b.calls, prompt_tokens: a.prompt_tokens + b.prompt_tokens, completion_tokens: a.completion_tokens + b.completion_tokens });

/** `6 messages in 3 sessions, 1 failed: 9 calls of a model, 1,204 tokens in, 180 out` */
export function inWords({ messages, sessions, failed, unanswered, calls, prompt_tokens: into, completion_tokens: out }: Sum): string {
  const counted = (count: number, what: string): string => `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
  return [
    `${counted(messages, 'message')} in ${counted(sessions, 'session')}`,
    ...(failed > 0 ? [`, ${failed} failed`] : []),
    ...(unanswered > 0 ? [`, ${unanswered} without an answer`] : []),
    `: ${counted(calls, 'model call')}, ${counted(into, 'token')} in, ${out.toLocaleString('en-US')} out`,
  ].join('');
}
