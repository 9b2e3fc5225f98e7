/**
 * `npm run example`: adds an AI service to a stack, talks to it, and says where to see what it has sent. With `--load` it goes on
 * talking until it is stopped.
 */
import { isLocal } from '../engine';
import { from } from '../provider/container-reach';
import { here, type Reach } from '../provider/reach';
import { ports } from '../components/catalog';
import { example } from './commands';
import { main } from './support/command-line';
import { missing, project } from './support/example/arrival';
import { conversations, inWords, sumOf, talk, type Turn } from './support/example/conversation';
import { deploy } from './support/example/deployment';
import { underLoad } from './support/example/load';
import { isEdge, type EdgeOutputs, type Outputs } from './support/outputs';
import { npmRun, typedName } from './support/project';
import { Pulumi } from './support/pulumi';
import { routeOf } from './support/route';
import { Failure, say } from './support/say';
import { findToolchain } from './support/toolchain';

const enabling = ['-c', 'example:enabled=true'];

main(example.action(async ({ stack, load, yes, json }) => {
  const pulumi = new Pulumi(await findToolchain(), stack);
  const read = async (): Promise<Partial<Outputs | EdgeOutputs>> => ((await pulumi.state()) === undefined ? {} : pulumi.outputs<Partial<Outputs | EdgeOutputs>>());
  let outputs = await read();
  if (outputs.endpoints && isEdge(outputs as Outputs | EdgeOutputs)) {
    throw new Failure(`Stack ${stack} sends to another one and has no Phoenix: the service runs beside the stack with Phoenix.`, ['npm run example -- --stack prod']);
  }
  if ((outputs as Partial<Outputs>).endpoints?.example === undefined) {
    const command = npmRun('up', stack, ...enabling);
    say(`Stack ${stack} has no AI service yet. Deploying it with one: ${command}`);
    const code = await deploy(['--stack', typedName(stack), ...enabling, ...(yes ? ['--yes'] : [])]);
    if (code !== 0) {
      // It has said why.
      process.exitCode = code;
      return;
    }
    outputs = await read();
  }
  const all = outputs as Outputs;
  const { containers: { example: container = '' }, endpoints: { example: published = '' } } = all;
  const route = routeOf(all, npmRun('up', stack));
  const local = isLocal(route.engine);
  const open = (): Reach => (local ? here : from(route.engine, container));
  const url = local ? published : `http://127.0.0.1:${ports.example.http}`;
  const session = `example-${Date.now().toString(36)}`;
  const page = (all.login?.url ?? all.tunnel?.page ?? all.endpoints.phoenixUi).replace(/\/$/, '');

  if (load !== undefined) {
    say(`${load} conversations a second, until Ctrl-C. ${page}/redirects/projects/${project}`);
    const turns = await untilStopped((stop) => underLoad({ open, url, session, rate: load, stop, report: say }));
    route.inside.close();
    say(`In all: ${inWords(sumOf(turns))}`);
    return;
  }

  const turns: Turn[] = [];
  for (const [index, messages] of [...conversations.usual, ...conversations.slow, ...conversations.failing].entries()) {
    const reach = open();
    const some = await talk(reach, url, `${session}-${index + 1}`, messages);
    reach.close();
    some.forEach(({ message, ms, error }) => say(`  ${error === undefined ? 'ok    ' : 'failed'} ${message}  ${error === undefined ? `${ms} ms` : error}`));
    turns.push(...some);
  }
  const sum = sumOf(turns);
  const lost = await missing(route, turns.flatMap(({ trace }) => (trace === '' ? [] : [trace])), 60_000).finally(() => route.inside.close());
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: sum.unanswered === 0 && lost.length === 0, project, ...sum, missing: lost, turns })}\n`);
  }
  if (sum.unanswered > 0) {
    throw new Failure(`The AI service does not answer ${sum.unanswered} of ${sum.messages} messages.`, [`docker logs ${container}`, npmRun('up', stack)]);
  }
  if (lost.length > 0) {
    throw new Failure(`${lost.length} of ${sum.messages} traces of the AI service are not in Phoenix after a minute.`, [npmRun('verify', stack), `docker logs ${container}`]);
  }
  say(`${inWords(sum)}.`);
  Object.entries(sum.models).forEach(([model, used]) => say(`  ${model}: ${used.calls} calls, ${used.prompt_tokens} tokens in, ${used.completion_tokens} out`));
  say(`\nIn Phoenix:\n  all of them        ${page}/redirects/projects/${project}`);
  const slowest = [...turns].sort((a, b) => b.ms - a.ms)[0];
  const failed = turns.find(({ error }) => error !== undefined);
  ([['the slowest', slowest], ['the one that fails', failed]] as const).forEach(([what, turn]) => turn && say(`  ${what.padEnd(18)} ${page}/redirects/traces/${turn.trace}`));
  say(`\nNext:\n  ${npmRun('example', stack, '--load', '2')}   keep talking to it, 2 conversations per second\n  ${npmRun('up', stack, '-c', 'example:enabled=false')}   remove the service`);
}));

/** Does work that ends by itself when the command is told to stop. */
async function untilStopped<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const asked = new AbortController();
  const hear = (): void => asked.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, hear));
  try {
    return await work(asked.signal);
  } finally {
    signals.forEach((signal) => process.off(signal, hear));
  }
}
