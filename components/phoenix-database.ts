/**
 * A PostgreSQL that somebody else runs as Phoenix's database: what Phoenix reads of it, and the check before Phoenix is replaced.
 */
import type * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { users } from './catalog';
import { secretLabel } from './config-label';
import { databaseLabel, hostName } from './names';
import { secretsDir, secretsFile } from './phoenix-start';
import { renderFile } from './template';
import * as workload from './workload';

export interface PhoenixDatabase {
  /** Names it without its secrets, as in `db.example.com:5432/phoenix`. */
  readonly name: string;
  /**
   * As Phoenix reads it, with `sslmode` and without `sslrootcert`: `postgresql://user:password@host:port/name?sslmode=verify-full`.
   * It becomes secret. The host has to be reachable from Phoenix's network.
   */
  readonly url: pulumi.Input<string>;
  /**
   * PEM text: the authority of its certificate.
   * @default those that everybody knows
   */
  readonly certificate?: pulumi.Input<string> | undefined;
  /**
   * Whether spans on Phoenix's volume are left behind there; otherwise a volume with spans is refused.
   * @default false
   */
  readonly leavesSpans?: boolean;
}

/** Oldest version of PostgreSQL that Phoenix supports. */
export const oldestPostgresql = 14;

const certificateFile = `${secretsDir}/database-certificate.pem`;
const variable = 'PHOENIX_SQL_DATABASE_URL';

/** The secret part of Phoenix's environment that is about the database. */
export const databaseEnvironment = (database: PhoenixDatabase | undefined): Readonly<Record<string, pulumi.Input<string>>> =>
  (database === undefined ? {} : { [variable]: database.certificate === undefined ? database.url : pulumi.interpolate`${database.url}&sslrootcert=${certificateFile}` });

/** What Phoenix reads beside its secrets. */
export const databaseFiles = (database: PhoenixDatabase | undefined): Readonly<Record<string, pulumi.Input<string>>> =>
  (database?.certificate === undefined ? {} : { [certificateFile]: database.certificate });

/**
 * Labels of Phoenix's container: one changes with its secrets, which it reads only once, and one names the database.
 * @param secrets its secret environment
 * @param key that cannot be guessed
 */
export function secretLabels(secrets: pulumi.Output<string>, key: pulumi.Output<string>, database: PhoenixDatabase | undefined): Record<string, pulumi.Input<string>> {
  const files = databaseFiles(database)[certificateFile];
  return {
    ...secretLabel(files === undefined ? secrets : pulumi.secret(pulumi.interpolate`${secrets}${files}`), key),
    ...(database === undefined ? {} : { [databaseLabel]: database.name }),
  };
}

/** The program of the check, in Python. */
export const databaseCheck = (egress: string, changes: { readonly secretsFile?: string; readonly patience?: number } = {}): string =>
  renderFile('phoenix/database-check.py.mustache', { secretsFile, variable, oldest: oldestPostgresql, patience: 60, egress, ...changes });

export interface CheckArgs {
  /** Stack name, part of every name on the Docker host. */
  readonly stack: string;
  /** Image of the next Phoenix, which knows its own revisions of the database. */
  readonly image: docker.RemoteImage;
  /** One of them changes with Phoenix's secrets. */
  readonly labels: workload.JobArgs['labels'];
  /** Phoenix's secrets. */
  readonly secrets: workload.Mount;
  /** Phoenix's network. */
  readonly network: docker.Network;
}

/**
 * A job that fails if Phoenix could not use its database.
 * @returns what must have succeeded before Phoenix is replaced
 */
export function checkedDatabase(name: string, { stack, image, labels, secrets, network }: CheckArgs, opts: pulumi.CustomResourceOptions): pulumi.Output<docker.Container> {
  const job = workload.job(`${name}-database-check`, {
    containerName: hostName('phoenix', stack, 'database-check'),
    image,
    user: users.phoenix,
    labels,
    mounts: [secrets],
    network,
    env: { HOME: '/tmp' },
    entrypoint: ['python3', '-c'],
    command: [databaseCheck(hostName('phoenix', stack, 'egress'))],
  }, opts);
  return workload.mustSucceed(job, 'Phoenix cannot use the database of phoenix:database');
}
