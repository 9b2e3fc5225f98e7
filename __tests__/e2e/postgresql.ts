/** A PostgreSQL with TLS as somebody else runs it, for Phoenix to store in. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Authority, postgresql } from '../../lab';
import { docker } from './checkout';

/** The name by which a stack's containers reach it, on the Docker host. */
const host = 'host.docker.internal';

const isPublished = process.env['E2E_PUBLISHED'] === 'true';
const published = 'postgres:17';

export class Postgresql {
  private constructor(private readonly container: string, private readonly port: number, /** PEM text. */ readonly authority: string) {}

  /**
   * A server with an empty database `phoenix` of a user with the same name.
   * @param folder for its certificates; must not exist yet
   * @param address of this machine that containers reach
   */
  static async start(container: string, folder: string, address: string, port: number): Promise<Postgresql> {
    const [image, authority] = await Promise.all([isPublished ? published : postgresql.image(), Authority.create(folder)]);
    const server = await authority.server('postgresql', [host, 'localhost']);
    const first = [
      'initdb --encoding UTF8 --auth-host scram-sha-256 --auth-local trust /tmp/data',
      `echo "${['ssl = on', "ssl_cert_file = '/tmp/cert.pem'", "ssl_key_file = '/tmp/key.pem'", "listen_addresses = '*'", "unix_socket_directories = '/tmp'"].join('\n')}" >> /tmp/data/postgresql.conf`,
      'echo "hostssl all all all scram-sha-256" >> /tmp/data/pg_hba.conf',
    ];
    await docker('create', '--name', container, '--user', 'postgres', '--publish', `${address}:${port}:5432`, image, 'sh', '-ec', `[ -d /tmp/data ] || { ${first.join(' && ')}; cat /tmp/files/key.pem > /tmp/key.pem; chmod 600 /tmp/key.pem; cp /tmp/files/cert.pem /tmp/cert.pem; }; exec postgres -D /tmp/data`);
    fs.chmodSync(path.join(server, 'key.pem'), 0o644);
    await docker('cp', `${server}/.`, `${container}:/tmp/files`);
    const one = new Postgresql(container, port, fs.readFileSync(path.join(server, 'ca.pem'), 'utf8'));
    await one.restart();
    await one.sql("CREATE ROLE phoenix LOGIN PASSWORD 'chosen-pässword/1'", 'postgres');
    await one.sql('CREATE DATABASE phoenix OWNER phoenix', 'postgres');
    return one;
  }

  /** Its address in the settings. */
  url(password = 'chosen-pässword/1'): string {
    return `postgresql://phoenix:${encodeURIComponent(password)}@${host}:${this.port}/phoenix`;
  }

  /** Stopped and started again. Waits until it answers. */
  async restart(): Promise<void> {
    await docker('restart', '--time', '10', this.container);
    await docker('exec', this.container, 'sh', '-c', 'until psql -h /tmp -U postgres -c "" postgres 2>/dev/null >&2; do sleep 0.2; done');
  }

  /** @returns the rows, one a line */
  sql(query: string, database = 'phoenix'): Promise<string> {
    return docker('exec', this.container, 'psql', '-h', '/tmp', '-U', database === 'postgres' ? 'postgres' : 'phoenix', '-At', '-c', query, database);
  }

  async remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.container);
  }
}
