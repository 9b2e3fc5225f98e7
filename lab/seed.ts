import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ask } from './command';
import { aptInstall } from './debian';
import { claimLabel } from './label-claims';

const run = promisify(execFile);

export interface SeedServices {
  readonly images: { readonly phoenix: string; readonly alloy: string };
  /** On the host. Alloy's own page is on 12345 in its container. */
  readonly ports: Readonly<Record<'phoenixUi' | 'phoenixOtlpGrpc' | 'phoenixOtlpHttp' | 'otlpGrpc' | 'otlpHttp' | 'alloyUi', number>>;
}

/** The lines that enable login in Phoenix's environment. */
export interface SeedLogin {
  readonly secret: string;
  readonly adminSecret: string;
  /** API key that Alloy sends. Default: none. */
  readonly key?: string;
}

/**
 * Phoenix and Alloy as docker-compose runs them for people who wrote the files by hand: the baseline of measurements of `npm
 * run up`, and what `npm run adopt` takes over from. The folder, whose name is the project's, is temporary.
 */
export class Seed {
  private readonly dir = mkdtempSync(join(tmpdir(), 'seed-'));

  private constructor(private readonly program: readonly [string, ...string[]], private readonly services: SeedServices) {}

  static async make(services: SeedServices): Promise<Seed> {
    const seed = new Seed(await composeProgram(), services);
    await claimLabel(`com.docker.compose.project=${basename(seed.dir).toLowerCase()}`);
    // Alloy reads its config as its own user.
    chmodSync(seed.dir, 0o755);
    seed.write();
    return seed;
  }

  /** Writes the files again, with login; nothing is restarted. */
  write(login?: SeedLogin): void {
    writeFileSync(join(this.dir, 'docker-compose.yml'), composeFile(this.services, login));
    writeFileSync(join(this.dir, 'config.alloy'), alloyConfig(login?.key));
  }

  async compose(...args: string[]): Promise<string> {
    const [program, ...first] = this.program;
    return (await run(program, [...first, ...args], { cwd: this.dir })).stdout.trim();
  }

  /** Name of a service's container, running or not. */
  async container(service: 'phoenix' | 'alloy'): Promise<string> {
    const ids = await this.compose('ps', ...(this.program.length > 1 ? ['--all'] : []), '--quiet', service);
    return (await run('docker', ['inspect', '--format', '{{.Name}}', ids])).stdout.trim().slice(1);
  }

  /** Removes its containers and volumes, and the folder. */
  async remove(): Promise<void> {
    await this.compose('down', '--volumes');
    rmSync(this.dir, { recursive: true });
  }
}

async function composeProgram(): Promise<[string, ...string[]]> {
  if ((await ask('docker', ['compose', 'version'])) !== undefined) {
    return ['docker', 'compose'];
  }
  if ((await ask('docker-compose', ['version'])) === undefined) {
    await aptInstall(['docker-compose']);
  }
  return ['docker-compose'];
}

const composeFile = ({ images, ports }: SeedServices, login?: SeedLogin): string => `version: "3.8"
services:
  phoenix:
    image: ${images.phoenix}
    user: "0:0"
    restart: unless-stopped
    ports:
      - "${ports.phoenixUi}:6006"
      - "${ports.phoenixOtlpGrpc}:4317"
      - "${ports.phoenixOtlpHttp}:4318"
    volumes:
      - phoenix_data:/phoenix_storage
    environment:
      PHOENIX_WORKING_DIR: /phoenix_storage${login ? `
      PHOENIX_ENABLE_AUTH: "True"
      PHOENIX_SECRET: ${login.secret}
      PHOENIX_ADMIN_SECRET: ${login.adminSecret}` : ''}
  alloy:
    image: ${images.alloy}
    restart: unless-stopped
    ports:
      - "${ports.otlpGrpc}:4317"
      - "${ports.otlpHttp}:4318"
      - "${ports.alloyUi}:12345"
    volumes:
      - ./config.alloy:/etc/alloy/config.alloy:ro
    command: run /etc/alloy/config.alloy --storage.path=/var/lib/alloy/data --server.http.listen-addr=0.0.0.0:12345
volumes:
  phoenix_data:
`;

/** Phoenix's address on one host, as there is no tunnel here. */
const alloyConfig = (key?: string): string => `otelcol.receiver.otlp "default" {
	grpc {
		endpoint = "0.0.0.0:4317"
	}

	http {
		endpoint = "0.0.0.0:4318"
	}

	output {
		traces = [otelcol.exporter.otlphttp.phoenix.input]
	}
}

otelcol.exporter.otlphttp "phoenix" {
	client {
		endpoint = "http://phoenix:6006"${key === undefined ? '' : `
		headers  = { "authorization" = "Bearer ${key}" }`}
	}
}
`;
