import * as fs from 'node:fs';
import * as path from 'node:path';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { aliases, dockerHost, ports, users } from './catalog';
import { configLabel } from './config-label';
import { fileVolume } from './file-volume';
import { hostName, stackLabel } from './names';
import { transforming, type Transforms } from './transform';
import * as workload from './workload';

export interface ExampleServiceArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** `project/stack`, the value of the label on every resource created here. */
  readonly owner: string;
  /** Network that Alloy is on, with access to the outside for a model there. */
  readonly network: docker.Network;
  /** Phoenix's image, which has Python and all packages of the service: no other image is needed. */
  readonly image: docker.RemoteImage;
  /** Base URL on that network that accepts OTLP over HTTP. */
  readonly otlpHttp: pulumi.Input<string>;
  /** Port on loopback of the Docker host. */
  readonly port: number;
  /**
   * A model behind an API like OpenAI's.
   * @default a stand-in in the same container
   */
  readonly model?: ExampleModel | undefined;
  /**
   * Port mappings that the engine lists for running containers.
   * @default nothing
   */
  readonly listed?: workload.ListedPorts;
  /**
   * What the engine's kernel can limit.
   * @default everything
   */
  readonly limits?: workload.Limits | undefined;
  /**
   * Overrides for each child.
   * @default none
   */
  readonly transform?: Transforms;
}

export interface ExampleModel {
  /** Base URL, to which `/chat/completions` is appended. */
  readonly url: string;
  readonly name: string;
  /**
   * Becomes a secret here.
   * @default none, for an API that asks for none
   */
  readonly key?: pulumi.Input<string> | undefined;
}

const programDir = '/srv/ai-service';
const secretsDir = '/etc/ai-service-secrets';
const keyFile = `${secretsDir}/model.key`;

/** The files of the service, by their path in the container. */
export function exampleProgram(): Record<string, string> {
  const source = path.join(__dirname, '..', 'examples', 'ai-service');
  const files = fs.readdirSync(source).filter((file) => file.endsWith('.py')).sort();
  return Object.fromEntries(files.map((file) => [`${programDir}/${file}`, fs.readFileSync(path.join(source, file), 'utf8')]));
}

/** An AI service to try a stack with: it answers `POST /chat`, and sends traces, metrics and logs; see docs/example.md. */
export class ExampleService extends pulumi.ComponentResource {
  /** Base URL on the Docker host. */
  readonly endpoint: string;
  /** Base URL in its container. */
  readonly internal = `http://127.0.0.1:${ports.example.http}`;
  /** Name of the container on the Docker host. */
  readonly containerName: pulumi.Output<string>;

  constructor(name: string, args: ExampleServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super('llm-observability:index:ExampleService', name, {}, transforming(args.transform, opts));
    const child = { parent: this };
    const { model } = args;
    const program = exampleProgram();
    const written = (volume: string, carrier: string, at: string, files: Readonly<Record<string, pulumi.Input<string>>>) => fileVolume(
      { volume: `${name}-${volume}`, files: `${name}-${carrier}` },
      { volumeName: hostName('example', args.stack, volume), containerName: hostName('example', args.stack, carrier), image: args.image, owner: args.owner, path: at, files },
      child,
    );
    const programFiles = written('program', 'program-files', programDir, program);
    const secrets = model?.key === undefined ? undefined : written('secrets', 'secret-files', secretsDir, { [keyFile]: pulumi.secret(model.key) });

    const container = workload.service(
      `${name}-server`,
      {
        containerName: hostName('example', args.stack),
        image: args.image,
        // Python reads its files only once, the key of the model too: other files replace the container.
        labels: { [stackLabel]: args.owner, ...configLabel(pulumi.interpolate`${JSON.stringify(program)}${secrets?.written.id ?? ''}`) },
        user: users.example,
        networks: [{ network: args.network, aliases: [aliases.example] }],
        reachesHost: model !== undefined && new URL(model.url).hostname === dockerHost,
        mounts: [programFiles.mount, ...(secrets ? [secrets.mount] : [])],
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: args.otlpHttp,
          PYTHONDONTWRITEBYTECODE: '1',
          ...(model ? { MODEL_BASE_URL: model.url, MODEL_NAME: model.name } : {}),
          ...(secrets ? { MODEL_KEY_FILE: keyFile } : {}),
        },
        entrypoint: ['python3'],
        command: [`${programDir}/start.py`],
        ports: [{ internal: ports.example.http, external: args.port, addresses: ['127.0.0.1'] }],
        listed: args.listed ?? {},
        healthCheck: {
          command: [
            'python3', '-ISc',
            `import socket;s=socket.create_connection(('127.0.0.1',${ports.example.http}),3);s.send(b'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n');assert b' 200 ' in s.recv(32)`,
          ],
          interval: '5s',
          timeout: '5s',
          startPeriod: '1m0s',
          retries: 15,
          waitSeconds: 120,
        },
        memoryMiB: 256,
        cpus: '1.0',
        limits: args.limits,
        // It sends what it has not sent yet.
        stopSeconds: 15,
      },
      { ...child, dependsOn: [programFiles.written, ...(secrets ? [secrets.written] : [])] },
    );

    this.endpoint = `http://127.0.0.1:${args.port}`;
    this.containerName = container.name;
    this.registerOutputs({ endpoint: this.endpoint, internal: this.internal, containerName: this.containerName });
  }
}
