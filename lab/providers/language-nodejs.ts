import * as grpc from '@grpc/grpc-js';
import { version } from '@pulumi/pulumi/package.json';
import { LanguageRuntimeService } from '@pulumi/pulumi/proto/language_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/language_pb';
import * as plugin from '@pulumi/pulumi/proto/plugin_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { installed, manifest, plugins } from './node-packages';
import { endWithParent } from '../../provider/parent';

/**
 * Stand-in for `pulumi-language-nodejs`, the process through which the Pulumi CLI runs a program of `runtime: nodejs`.
 * It starts Node on @pulumi/pulumi's own `cmd/run`, as the published one does; the program then talks to the engine.
 */

/** The program has told the person what is wrong: nothing is to be added. */
const toldAlready = 32;

interface Options {
  readonly typescript: boolean;
  readonly tsconfig: string;
  readonly nodeargs: string;
  readonly packagemanager: string;
  readonly production: boolean;
}

/** `runtime.options` of Pulumi.yaml. @throws Error for a value of the wrong type */
export function runtimeOptions(info: proto.ProgramInfo | undefined): Options {
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
export function command(request: proto.RunRequest, engine: string, runPath: string): { args: string[]; env: Record<string, string> } {
  const info = request.getInfo();
  const options = runtimeOptions(info);
  const flag = (name: string, value: string | undefined) => (value ? [`--${name}`, value] : []);
  const config = Object.fromEntries(request.getConfigMap().toArray().map(([key, value]: [string, string]) => {
    // The SDK takes keys in the old form, namespace:config:name, too; the published host sends only that.
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

function locate(module: string, directory: string): string {
  try {
    return createRequire(path.join(directory, 'package.json')).resolve(module);
  } catch {
    throw new Error('It looks like the Pulumi SDK has not been installed. Have you run pulumi install?');
  }
}

/** The service; exported so that tests can call its methods. */
export function languageHost(): grpc.UntypedServiceImplementation {
  let engine = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? '';
  const running = new Set<ChildProcess>();

  const start = (args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string }, say: { out(data: Buffer): void; err(data: Buffer): void }) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    return followed(child, say, running);
  };

  return {
    handshake: unary((request: proto.LanguageHandshakeRequest) => {
      engine = request.getEngineAddress();
      return new proto.LanguageHandshakeResponse();
    }),
    getPluginInfo: unary(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getRequiredPackages: unary((request: proto.GetRequiredPackagesRequest) => {
      const response = new proto.GetRequiredPackagesResponse();
      response.setPackagesList(plugins(installed(request.getInfo()?.getProgramDirectory() ?? '.')).map((found) => {
        const dependency = new plugin.PackageDependency();
        dependency.setName(found.name);
        dependency.setKind('resource');
        dependency.setVersion(found.version);
        dependency.setServer(found.server);
        if (found.parameterization) {
          const parameters = new plugin.PackageParameterization();
          parameters.setName(found.parameterization.name);
          parameters.setVersion(found.parameterization.version);
          parameters.setValue(found.parameterization.value);
          dependency.setParameterization(parameters);
        }
        return dependency;
      }));
      return response;
    }),
    run: (call: grpc.ServerUnaryCall<proto.RunRequest, proto.RunResponse>, callback: grpc.sendUnaryData<proto.RunResponse>) => {
      const response = new proto.RunResponse();
      Promise.resolve()
        .then(() => {
          const directory = call.request.getInfo()?.getProgramDirectory() ?? '.';
          const { args, env } = command(call.request, engine, process.env['PULUMI_LANGUAGE_NODEJS_RUN_PATH'] || locate('@pulumi/pulumi/cmd/run', directory));
          const { done, stop } = start(args, { env: { ...process.env, ...env } }, { out: (data) => process.stdout.write(data), err: (data) => process.stderr.write(data) });
          call.on('cancelled', stop);
          return done;
        })
        .then((code) => {
          if (code === toldAlready) {
            response.setBail(true);
          } else if (code !== 0) {
            response.setError(`Program exited with non-zero exit code: ${code}`);
          }
        })
        .catch((error: Error) => response.setError(error.message))
        .finally(() => callback(null, response));
    },
    runPlugin: (call: grpc.ServerWritableStream<proto.RunPluginRequest, proto.RunPluginResponse>) => {
      const send = (set: (response: proto.RunPluginResponse) => void) => {
        const response = new proto.RunPluginResponse();
        set(response);
        call.write(response);
      };
      Promise.resolve()
        .then(() => {
          const { request } = call;
          const directory = request.getInfo()?.getProgramDirectory() ?? '.';
          const policies = request.getKind() === 'analyzer';
          const options = runtimeOptions(request.getInfo());
          const main = locate(`@pulumi/pulumi/cmd/${policies ? 'run-policy-pack' : 'run-plugin'}`, directory);
          const rest = policies ? [...request.getArgsList(), directory] : [directory, ...request.getArgsList()];
          const env = Object.fromEntries(request.getEnvList().map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
          const { done, stop } = start(
            [main, ...words(options.nodeargs), ...rest],
            { cwd: policies ? directory : request.getPwd(), env: { ...env, ...(options.typescript ? { PULUMI_NODEJS_TYPESCRIPT: 'true' } : {}) } },
            { out: (data) => send((r) => r.setStdout(data)), err: (data) => send((r) => r.setStderr(data)) },
          );
          call.on('cancelled', stop);
          return done;
        })
        .then((code) => (code === 0 ? call.end() : call.destroy(new Error(`Program exited with non-zero exit code: ${code}`))))
        .catch((error: Error) => call.destroy(error));
    },
    installDependencies: (call: grpc.ServerWritableStream<proto.InstallDependenciesRequest, proto.InstallDependenciesResponse>) => {
      const send = (set: (response: proto.InstallDependenciesResponse) => void) => {
        const response = new proto.InstallDependenciesResponse();
        set(response);
        call.write(response);
      };
      Promise.resolve()
        .then(() => {
          const { packagemanager, production } = runtimeOptions(call.request.getInfo());
          const manager = packagemanager === 'auto' ? 'npm' : packagemanager;
          send((r) => r.setStdout(Buffer.from('Installing dependencies...\n\n')));
          const child = spawn(manager, ['install', ...(manager === 'npm' ? ['--loglevel=error'] : []), ...(production ? [manager === 'npm' ? '--omit=dev' : '--production'] : [])], {
            cwd: call.request.getInfo()?.getProgramDirectory() || call.request.getDirectory(),
            stdio: ['ignore', 'pipe', 'pipe'],
          });
          return followed(child, { out: (data) => send((r) => r.setStdout(data)), err: (data) => send((r) => r.setStderr(data)) }, running).done
            .then((code) => {
              if (code !== 0) {
                throw new Error(`${manager} install failed with exit code ${code}`);
              }
            });
        })
        .then(() => {
          send((r) => r.setStdout(Buffer.from('Finished installing dependencies\n\n')));
          call.end();
        })
        .catch((error: Error) => call.destroy(error));
    },
    getProgramDependencies: unary((request: proto.GetProgramDependenciesRequest) => {
      const directory = request.getInfo()?.getProgramDirectory() ?? '.';
      const own = manifest(directory);
      const direct = new Set(Object.keys({ ...own?.dependencies, ...own?.devDependencies }));
      const response = new proto.GetProgramDependenciesResponse();
      response.setDependenciesList(installed(directory).filter(({ name = '' }) => request.getTransitivedependencies() || direct.has(name)).map(({ name = '', version = '' }) => {
        const dependency = new proto.DependencyInfo();
        dependency.setName(name);
        dependency.setVersion(version);
        return dependency;
      }));
      return response;
    }),
    about: unary(() => {
      const response = new proto.AboutResponse();
      response.setExecutable(process.execPath);
      response.setVersion(process.version);
      return response;
    }),
    runtimeOptionsPrompts: unary(() => new proto.RuntimeOptionsResponse()),
    cancel: unary(() => {
      running.forEach(stopped);
      return new Empty();
    }),
  };
}

function unary<Q, A>(handler: (request: Q) => A): grpc.handleUnaryCall<Q, A> {
  return (call, callback) => {
    try {
      callback(null, handler(call.request));
    } catch (error) {
      callback({ code: grpc.status.UNKNOWN, details: (error as Error).message });
    }
  };
}

/** A child's output passed on, its exit code once both streams have ended. */
function followed(child: ChildProcess, say: { out(data: Buffer): void; err(data: Buffer): void }, running: Set<ChildProcess>): { done: Promise<number>; stop: () => void } {
  running.add(child);
  child.stdout?.on('data', say.out);
  child.stderr?.on('data', say.err);
  const done = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`Problem executing program (could not run language executor): ${error.message}`)));
    child.on('close', (code, signal) => (signal ? reject(new Error(`Program exited unexpectedly: signal: ${signal}`)) : resolve(code ?? 1)));
  }).finally(() => running.delete(child));
  return { done, stop: () => stopped(child) };
}

/** Asked first; five seconds later made to. */
function stopped(child: ChildProcess): void {
  child.kill('SIGINT');
  setTimeout(() => child.kill('SIGKILL'), 5000).unref();
}

/** Prints the port it listens on, as the CLI expects. */
export function main(): void {
  endWithParent();
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(LanguageRuntimeService as unknown as grpc.ServiceDefinition, languageHost());
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) {
      throw error;
    }
    process.stdout.write(`${port}\n`);
  });
}

if (require.main === module) {
  main();
}
