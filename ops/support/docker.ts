import * as fs from 'node:fs';
import * as os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultSocket, engineGet, remedies, type Choice, type Engine } from '../../engine';
import { shellQuoted } from '../../settings/setting';
import { agreed, type Consent } from './ask';
import { hasDaemon, install, isDebian, start, type Step } from './engine-starter';
import { otherEngines } from './other-engines';
import { Failure, say } from './say';

/** Long enough for an engine that is starting on a busy machine. */
const startupMs = 90_000;
/** Milliseconds between the creation of a socket and its being usable by members of its group. */
const handOverMs = 2_000;

/**
 * Makes sure that the engine of a stack responds. If it is the usual one of this machine, is not installed or not running, and
 * no other is in use, it is installed (on Debian and Ubuntu) or started, after confirmation.
 * @param consent 'never' for commands for which an empty engine is no use
 * @param again the command to run again, once a person has done by hand what is left to do
 * @throws Failure with the one command that helps
 */
export async function ensureEngine(choice: Choice, consent: Consent, again: string): Promise<void> {
  const engine = engineOf(choice);
  const { source } = choice;
  const reason = await whyNoEngine(engine);
  if (reason === undefined) {
    return;
  }
  if (engine.host !== `unix://${defaultSocket}`) {
    // Its owner decides who may use it.
    throw new Failure(`The Docker Engine at ${engine.host} (${source}) does not answer: ${reason}.`, remedies(engine, reason));
  }
  if (isForbidden(reason)) {
    throw forbidden(engine, reason, again);
  }
  const others = hasDaemon() ? [] : otherEngines(process.env, os.homedir());
  if (others.length > 0) {
    throw new Failure(`No Docker Engine answers at ${engine.host} (${reason}). ${others.map(({ name }) => name).join(' and ')} ${others.length > 1 ? 'are' : 'is'} set up here; start one, or name the one to use.`, [
      ...others.map(({ command }) => command),
      'export DOCKER_HOST=unix:///path/of/docker.sock',
    ]);
  }
  if (process.platform !== 'linux') {
    throw new Failure(`No Docker Engine answers at ${engine.host} (${reason}).`, ['open https://docs.docker.com/desktop/setup/install/mac-install/']);
  }
  if (!hasDaemon() && !isDebian()) {
    throw new Failure(`No Docker Engine answers at ${engine.host} (${reason}), and none is installed.`, ['curl -fsSL https://get.docker.com | sudo sh', again]);
  }
  const step = hasDaemon() ? start() : install();
  await begun(step, engine, reason, consent, again);
}

/** The engine of a choice. @throws Failure if it is ambiguous */
export function engineOf({ engine, problems: [problem] }: Choice): Engine {
  if (problem) {
    throw new Failure(`${problem.key}${problem.value === undefined ? '' : ` is '${problem.value}'`}: ${problem.rule}.`, problem.mend);
  }
  return engine;
}

/** Runs the step after confirmation, and waits for the engine. */
async function begun(step: Step, engine: Engine, reason: string, consent: Consent, again: string): Promise<void> {
  const found = `No Docker Engine answers at ${engine.host} (${reason}).`;
  if (consent === 'never') {
    throw new Failure(found, [...step.commands, again]);
  }
  say(`${found} This ${step.about}:`);
  step.commands.forEach((command) => say(`    ${command}`));
  if (consent === 'ask' && !(await agreed('Do that now? [y/N] '))) {
    throw new Failure('Nothing was installed or started.', [...step.commands, again]);
  }
  const started = await step.run();
  const more = started.log === undefined ? [again] : [started.log, again];
  let now = await whyNoEngine(engine);
  let forbiddenSince = Infinity;
  for (const deadline = Date.now() + startupMs; now !== undefined && Date.now() < deadline; now = await whyNoEngine(engine)) {
    // A daemon creates its socket first and then gives it to the group.
    forbiddenSince = isForbidden(now) ? Math.min(forbiddenSince, Date.now()) : Infinity;
    if (Date.now() - forbiddenSince > handOverMs) {
      throw forbidden(engine, now, again);
    }
    const ended = started.ended();
    if (ended !== undefined) {
      throw new Failure(`The Docker Engine could not be installed or started: ${ended}.`, more);
    }
    await pause(200);
  }
  if (now !== undefined) {
    throw new Failure(`The Docker Engine was started but does not answer at ${engine.host} (${now}).`, more);
  }
}

/** Whether a user is in the group docker, according to the machine's files, not to the groups of this process. */
function isMember(username: string): boolean {
  const [, members = ''] = /^docker:[^:]*:\d+:(.*)$/m.exec(fs.existsSync('/etc/group') ? fs.readFileSync('/etc/group', 'utf8') : '') ?? [];
  return members.split(',').includes(username);
}

/** The engine runs, but this user may not use its socket. */
export const isForbidden = (reason: string): boolean => /\bEACCES\b/.test(reason);

function forbidden({ host }: Engine, reason: string, again: string): Failure {
  const { username } = os.userInfo();
  // A new group counts from the next login; `sg` needs none.
  const inGroup = `sg docker -c ${shellQuoted(again)}`;
  return isMember(username)
    ? new Failure(`This shell may not use the Docker Engine (${host}: ${reason}) yet: ${username} becomes a member of the group docker at the next login.`, [inGroup])
    : new Failure(`This user may not use the Docker Engine (${host}: ${reason}). Members of the group docker may, which gives them the rights of root.`, [
        `sudo usermod -aG docker ${username} && ${inGroup}`,
      ]);
}

/** Why no engine responds, or undefined if one does. */
export async function whyNoEngine(engine: Engine): Promise<string | undefined> {
  try {
    await engineGet(engine, '/version', 10_000);
    return undefined;
  } catch (error) {
    return (error as Error).message || (error as NodeJS.ErrnoException).code || 'no reason given';
  }
}
