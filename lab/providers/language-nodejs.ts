import * as grpc from '@grpc/grpc-js';
import { version } from '@pulumi/pulumi/package.json';
import { LanguageRuntimeService } from '@pulumi/pulumi/proto/language_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/language_pb';
import * as plugin from '@pulumi/pulumi/proto/plugin_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Children } from './child';
import { listen, unary } from './listen';
import { installed, manifest, plugins } from './node-packages';
import { command, locate, runtimeOptions, words } from './node-program';

/**
 * Stand-in for `pulumi-language-nodejs`, the process through which the Pulumi CLI runs a program of `runtime: nodejs`.
 * It starts Node on @pulumi/pulumi's own `cmd/run`, as the published one does; the program then talks to the engine.
 */

/** The program has reported what is wrong: nothing needs to be added. */
const toldAlready = 32;

/** The service; exported so that tests can call its methods. */
export function languageHost(): grpc.UntypedServiceImplementation {
  let engine = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? '';
  const children = new Children();

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
          const { done, stop } = children.start(process.execPath, args, { env: { ...process.env, ...env } }, { out: (data) => process.stdout.write(data), err: (data) => process.stderr.write(data) });
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
          const { done, stop } = children.start(
            process.execPath,
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
          const args = ['install', ...(manager === 'npm' ? ['--loglevel=error'] : []), ...(production ? [manager === 'npm' ? '--omit=dev' : '--production'] : [])];
          const cwd = call.request.getInfo()?.getProgramDirectory() || call.request.getDirectory();
          return children.start(manager, args, { cwd }, { out: (data) => send((r) => r.setStdout(data)), err: (data) => send((r) => r.setStderr(data)) }).done
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
      children.stop();
      return new Empty();
    }),
  };
}

if (require.main === module) {
  void listen(LanguageRuntimeService, languageHost());
}
