import type { ProgramInfo, RunRequest } from '@pulumi/pulumi/proto/language_pb';
import { createRequire } from 'node:module';
import * as path from 'node:path';

/** How a program of `runtime: nodejs` is started. */
interface Options {
  readonly typescript: boolean;
  readonly tsconfig: string;
  readonly nodeargs: string;
  readonly packagemanager: string;
  readonly production: boolean;
}

/** `runtime.options` of Pulumi.yaml. @throws Error for a value of the wrong type */
export function runtimeOptions(info: ProgramInfo | undefined): Options {
  const given = (info?.getOptions()?.toJavaScript() ?? {}) as Record<string, unknown>;
  const read = <T>(key: string, type: string, fallback: T): T => {
    if (given[key] !== undefined && typeof given[key] !== type) {
      throw new Error(`${key} option must be a ${type}`);
    }
    return (given[key] as T | undefined) ?? fallback;
  };
  const packagemanager = read('packagemanager', 'string', 'auto');
  if (!['auto', 'npm', 'yarn', 'pnpm', 'bun'].includes(packagemanager)) {
    throw new Error(`packagemanager option must be one of auto, npm, yarn, pnpm or bun, got "${packagemanager}"`);
  }
  return {
    typescript: read('typescript', 'boolean', true),
    tsconfig: read('tsconfig', 'string', ''),
    nodeargs: read('nodeargs', 'string', ''),
    packagemanager,
    production: read('production', 'boolean', false),
  };
}

/** Words as a shell would split them, with quotes and without expansion. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:"((?:\\.|[^"])*)"|'([^']*)'|((?:\\.|[^\s"'])+))+/g)].map(([word]) =>
    word.replace(/"((?:\\.|[^"])*)"|'([^']*)'|\\(.)/g, (_, double: string | undefined, single: string | undefined, escaped: string | undefined) =>
      double?.replace(/\\(["\\])/g, '$1') ?? single ?? escaped ?? ''));
}

/** What `cmd/run` is started with, and in which environment. */
export function command(request: RunRequest, engine: string, runPath: string): { args: string[]; env: Record<string, string> } {
  const info = request.getInfo();
  const options = runtimeOptions(info);
  const flag = (name: string, value: string | undefined) => (value ? [`--${name}`, value] : []);
  const config = Object.fromEntries(request.getConfigMap().toArray().map(([key, value]: [string, string]) => {
    // The SDK also accepts keys in the old form, namespace:config:name; the published host sends only that.
    const [namespace, ...name] = key.split(':');
    return [`${namespace}:config:${name.at(-1)}`, value];
  }));
  return {
    args: [
      ...words(options.nodeargs),
      runPath,
      ...flag('monitor', request.getMonitorAddress()),
      ...flag('engine', engine),
      ...flag('organization', request.getOrganization()),
      ...flag('project', request.getProject()),
      ...flag('root-directory', info?.getRootDirectory()),
      ...flag('stack', request.getStack()),
      ...flag('pwd', info?.getProgramDirectory()),
      ...(request.getDryrun() ? ['--dry-run'] : []),
      ...flag('parallel', String(request.getParallel())),
      info?.getEntryPoint() || '.',
      ...request.getArgsList(),
    ],
    env: {
      PULUMI_CONFIG: JSON.stringify(config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: 'true' } : {}),
      ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
    },
  };
}

/** Path of a module of the program's SDK. @throws Error if it has none */
export function locate(module: string, directory: string): string {
  try {
    return createRequire(path.join(directory, 'package.json')).resolve(module);
  } catch {
    throw new Error('It looks like the Pulumi SDK has not been installed. Have you run pulumi install?');
  }
}
