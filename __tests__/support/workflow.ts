/**
 * Runs the steps of a workflow file as GitHub's runner does: the same shell, the files through which steps speak to
 * each other, and the few expressions that the files use. What an action does is the test's to say.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as yaml from 'js-yaml';
import { tempDir } from './temp';

type Values = Readonly<Record<string, string | number | boolean>>;

export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  /** An action, `owner/name@commit`. */
  readonly uses?: string;
  readonly with?: Values;
  readonly env?: Values;
  readonly run?: string;
}

export interface Job {
  readonly 'runs-on'?: string;
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: object;
  readonly env?: Values;
  /** A workflow that is called. */
  readonly uses?: string;
  readonly with?: Values;
  readonly secrets?: string;
  readonly steps?: readonly Step[];
}

export interface Workflow {
  readonly name: string;
  readonly on: string | Readonly<Record<string, object | null>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly defaults?: { readonly run: { readonly shell: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

export const folder = path.join('.github', 'workflows');

/** @param dir checkout that it is read from; default: this one */
export function workflow(file: string, dir = '.'): Workflow {
  return yaml.load(fs.readFileSync(path.join(dir, folder, file), 'utf8')) as Workflow;
}

/** Where a job runs. */
export interface Place {
  /** Checkout in which its steps run. */
  readonly dir: string;
  /** What its expressions read, such as `github.token`. A secret, a variable and an input that are not here are empty, as on GitHub. */
  readonly contexts: Readonly<Record<string, object>>;
  /** Variables besides those of this process and of every runner. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands for each action, by its name without the commit; gets its inputs. */
  readonly actions: Readonly<Record<string, (inputs: Readonly<Record<string, string>>) => void>>;
}

export interface Done {
  readonly ok: boolean;
  /** Names of the steps that ran, an action's where a step has none. */
  readonly ran: readonly string[];
  /** Everything that they printed. */
  readonly log: string;
  /** What they wrote for the page of the run. */
  readonly summary: string;
  /** The job's outputs; empty where no step has set one. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs a job of a workflow file, which is read from the checkout. Like GitHub, goes on after a failure only where a step says so. */
export async function runJob(file: string, name: string, place: Place): Promise<Done> {
  const { defaults, jobs } = workflow(file, place.dir);
  if (defaults?.run.shell !== 'bash') {
    throw new Error(`${file} does not name bash as its shell: GitHub would run its steps without pipefail`);
  }
  const job = jobs[name];
  if (!job?.steps) {
    throw new Error(`${file} has no job ${name} with steps`);
  }
  const temp = tempDir();
  const files = { GITHUB_ENV: path.join(temp, 'env'), GITHUB_OUTPUT: path.join(temp, 'output'), GITHUB_STEP_SUMMARY: path.join(temp, 'summary') };
  Object.values(files).forEach((each) => fs.writeFileSync(each, ''));
  const steps: Record<string, { outputs: Record<string, string> }> = {};
  const contexts = { secrets: {}, vars: {}, inputs: {}, runner: { temp }, steps, ...place.contexts };
  const filled = (values: Values = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, evaluated(String(value), contexts)]));

  let ok = true;
  let log = '';
  const ran: string[] = [];
  for (const [number, step] of job.steps.entries()) {
    if (!runs(step, ok)) {
      continue;
    }
    const [action = ''] = (step.uses ?? '').split('@');
    ran.push(step.name ?? action);
    try {
      if (step.uses !== undefined) {
        const standIn = place.actions[action];
        if (!standIn) {
          throw new Error(`the test does not say what ${action} does`);
        }
        standIn(filled(step.with));
        continue;
      }
      const script = path.join(temp, `${number}.sh`);
      fs.writeFileSync(script, step.run ?? '');
      const { code, output } = await bash(script, place.dir, {
        ...surroundings(),
        CI: 'true',
        GITHUB_ACTIONS: 'true',
        RUNNER_TEMP: temp,
        ...files,
        ...place.env,
        ...written(files.GITHUB_ENV),
        ...filled(job.env),
        ...filled(step.env),
      });
      log += output;
      ok = ok && code === 0;
      if (step.id !== undefined) {
        steps[step.id] = { outputs: written(files.GITHUB_OUTPUT) };
      }
      fs.writeFileSync(files.GITHUB_OUTPUT, '');
    } catch (error) {
      throw new Error(`step ${number + 1} of ${name} in ${file}: ${(error as Error).message}\n${log}`);
    }
  }
  return { ok, ran, log, summary: fs.readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'), outputs: filled(job.outputs) };
}

function runs({ if: condition }: Step, ok: boolean): boolean {
  switch (condition) {
    case undefined:
      return ok;
    case '${{ !cancelled() }}':
      return true;
    default:
      throw new Error(`'${condition}' is no condition that is known here`);
  }
}

/** A text with its `${{ … }}` filled in. @throws Error for one that is more than a name, or names what is not there */
function evaluated(text: string, contexts: Readonly<Record<string, object>>): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => {
    const [context = '', ...names] = expression.trim().split('.');
    const value = names.reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], contexts[context]);
    if (typeof value === 'string') {
      return value;
    }
    const mayBeUnset = (['secrets', 'vars', 'inputs'].includes(context) && names.length === 1) || /^steps\.[\w-]+\.outputs\.[\w-]+$/.test(expression.trim());
    if (value === undefined && mayBeUnset) {
      return '';
    }
    throw new Error(`\${{${expression}}} is not there`);
  });
}

/** This process's variables, without what npm, jest or a CI would have the steps take for their own, and without credentials. */
function surroundings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|JEST_|NODE_ENV$|GITHUB_|RUNNER_|CLOUDFLARE_|PULUMI_(?!HOME$))/.test(name)));
}

/** What steps have written into one of these files: variables for later steps, or outputs. */
function written(file: string): Record<string, string> {
  return Object.fromEntries(fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** As the runner starts a shell that a workflow names. Not synchronous: what it asks may be answered by this process. */
function bash(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
