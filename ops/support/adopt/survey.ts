/**
 * Everything that is inspected before anything is changed: what would be taken over, and what prevents it.
 */
import { images } from '../../../components/catalog';
import type { Engine } from '../../../engine';
import type { Problem } from '../../../settings/problem';
import { readSettings } from '../../../settings/settings';
import type { Settings } from '../../../settings/keys';
import { compareVersions, versionOf } from '../../../components/image-reference';
import { from } from '../../../provider/container-reach';
import { npmRun, projectName } from '../project';
import type { StackState } from '../stack-state';
import { dataVolumes, hasVolume } from '../volumes';
import { configOf, handsTo, receiversOf } from './alloy-config';
import { oldContainers } from './old-container';
import { Data, type Measured } from './data';
import { loginOf, toldOf, type Told } from './login';
import { notesOn } from './notes';
import { adoptCommand, isAlone, oldSetup, portOf, type Named, type OldSetup } from './old-setup';
import { hostProblems, portsOf } from './takeover';

/** What will be taken over. */
export interface Plan {
  readonly setup: OldSetup;
  readonly data: Data;
  readonly measured: Measured;
  /** Version of the old Phoenix. */
  readonly version: string;
  /** Settings to add to the stack: the ports and the login of the old setup, except those that it already has. */
  readonly config: Readonly<Record<string, string>>;
  /** The same for secret settings. */
  readonly secrets: Readonly<Record<string, string>>;
  /** All settings of the stack. */
  readonly settings: Settings;
  /** What will be different, and what a person has to do about it. */
  readonly notes: readonly string[];
}

export interface Question {
  readonly engine: Engine;
  readonly stack: string;
  readonly state: StackState | undefined;
  /** Settings of the stack, as they are set. */
  readonly config: Readonly<Record<string, string>>;
  /** Reads the secret ones. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly named: Named;
}

/** Room for the copy while the database grows, as a multiple of its current size. */
const room = 1.2;

/** @returns a plan, or every problem that prevents the takeover */
export async function survey(question: Question): Promise<{ plan?: Plan; problems: readonly Problem[] }> {
  const { engine, stack, config, named } = question;
  const owner = `${projectName}/${stack}`;
  const found = oldSetup(await oldContainers(engine), named, stack);
  const problems = [...(await problemsOfStack(question)), ...found.problems];
  if (!found.setup) {
    return { problems };
  }
  const alloyConfig = isAlone(found.setup) ? undefined : await configOf(engine, found.setup.alloy);
  const { told, problems: untold } = await toldIn(engine, found.setup);
  const phoenix = { ...found.setup.phoenix, env: { ...found.setup.phoenix.env, ...told?.env } };
  const setup: OldSetup = { ...found.setup, ...(isAlone(found.setup) ? { alloy: phoenix } : {}), phoenix, ...(alloyConfig === undefined ? {} : { receivers: receiversOf(alloyConfig) }) };
  const login = told && loginOf(told, phoenix.name, phoenix.composeUp ?? `docker inspect ${phoenix.name}`, config, await question.secrets());
  const { settings: before } = readSettings(config, projectName);
  const ports = portsOf(setup, config, before);
  const taken = { ...ports.config, ...login?.config };
  const { settings } = readSettings({ ...config, ...taken }, projectName);
  const version = await versionRunning(engine, setup);
  problems.push(
    ...anotherAlloy(setup, stack, named, alloyConfig),
    ...cannotBeClosed(setup),
    ...ports.problems,
    ...untold,
    ...(login?.problems ?? []),
    ...(await hostProblems(setup, settings, owner)),
    ...(typeof version === 'string' ? tooNew(version, settings['phoenix:image']) : [version]),
    ...(await volumeMissing(engine, setup)),
  );
  if (problems.length > 0 || typeof version !== 'string') {
    return { problems };
  }
  const data = new Data(engine, stack, { image: setup.phoenix.imageId, mount: setup.mount, directory: setup.directory, ...(setup.database === undefined ? {} : { database: setup.database }) });
  const measured = await data.measureOld();
  const tooLittle = tooLittleRoom(measured, setup);
  return tooLittle.length > 0
    ? { problems: tooLittle }
    : { plan: { setup, data, measured, version, config: taken, secrets: login?.secrets ?? {}, settings, notes: await notesOn({ engine, setup, settings, config: alloyConfig, login, measured }) }, problems };
}

/** Problems of the stack itself that prevent the takeover. */
export async function problemsOfStack({ engine, stack, state, config }: Omit<Question, 'named' | 'secrets'>): Promise<Problem[]> {
  const elsewhere = npmRun('adopt', 'OTHER_NAME');
  const deployed = (state?.resources ?? []).some(({ type }) => type !== 'pulumi:pulumi:Stack') || (state?.pending.length ?? 0) > 0;
  const volumes = (await Promise.all(dataVolumes(stack).map(async (name) => ((await hasVolume(engine, name)) ? [name] : [])))).flat();
  return [
    ...(deployed || volumes.length > 0
      ? [{
          key: 'stack',
          value: stack,
          rule: deployed ? 'it is deployed already, and a stack takes over before it has its own data' : `it has data already (${volumes.join(', ')}), and nothing is copied over them`,
          mend: [elsewhere, `${npmRun('down', stack, '--purge')}   # deletes its data`],
        }]
      : []),
    ...(config['edge:central'] === undefined
      ? []
      : [{ key: 'edge:central', value: config['edge:central'], rule: 'a stack at the edge has no Phoenix that could take over', mend: [elsewhere] }]),
    ...(config['phoenix:database'] === undefined
      ? []
      : [{ key: 'phoenix:database', rule: 'only a SQLite database is taken over, and this stack stores in PostgreSQL', mend: ['pulumi config rm phoenix:database', elsewhere] }]),
  ];
}

/** The login configuration of the old Phoenix; none if it requires no login, whatever its environment says in any spelling. */
async function toldIn(engine: Engine, setup: OldSetup): Promise<{ told?: Told; problems: Problem[] }> {
  const { name } = setup.phoenix;
  const reach = from(engine, name);
  const question = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{ __typename }"}' };
  const { status } = await reach.ask(`http://127.0.0.1:${portOf(setup.phoenix)}/graphql`, question).finally(() => reach.close());
  try {
    return { ...(status === 401 ? { told: await toldOf(engine, setup) } : {}), problems: [] };
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1);
    return { problems: [{ key: 'Phoenix', value: name, rule: `people log in, and its environment and its API keys could not be read (${reason})`, mend: [`docker logs --tail 30 ${name}`] }] };
  }
}

/** Version of the old Phoenix, as it reports it. */
async function versionRunning(engine: Engine, { phoenix }: OldSetup): Promise<string | Problem> {
  const reach = from(engine, phoenix.name);
  const { status, text } = await reach.ask(`http://127.0.0.1:${portOf(phoenix)}/arize_phoenix_version`).finally(() => reach.close());
  const version = /^\d+\.\d+\.\d+/.exec(text.trim())?.[0];
  return status === 200 && version !== undefined
    ? version
    : { key: 'Phoenix', value: phoenix.name, rule: `it does not report its version (${status || text.trim()})`, mend: [`docker logs --tail 30 ${phoenix.name}`] };
}

/** A database that a newer Phoenix has migrated cannot be opened by an older one. */
function tooNew(version: string, image: string = images.phoenix): Problem[] {
  const ours = versionOf(image);
  return ours === undefined || compareVersions(version, ours) <= 0
    ? []
    : [{
        key: 'phoenix:image',
        value: image,
        rule: `the old Phoenix is ${version}, and an older one cannot open its database`,
        mend: [`pulumi config set phoenix:image arizephoenix/phoenix:version-${version}-nonroot`],
      }];
}

/** Unless it was named explicitly, an Alloy to which nobody sends is the wrong one, as is one that sends no traces to Phoenix. */
function anotherAlloy({ phoenix, alloy, receivers }: OldSetup, stack: string, named: Named, config: string | undefined): Problem[] {
  if (named.alloy !== undefined || receivers === undefined || config === undefined) {
    return [];
  }
  const takes = receivers.grpc.length + receivers.http.length > 0;
  if (takes && handsTo(phoenix, config)) {
    return [];
  }
  const again = (name: string, why: string): string => `${adoptCommand(stack, { ...named, alloy: name })}   # ${why}`;
  return [{
    key: 'Alloy',
    value: alloy.name,
    rule: takes ? `its configuration sends no traces to ${phoenix.name}` : 'its configuration has no otelcol.receiver.otlp, so no application sends to it',
    mend: [takes ? again(alloy.name, 'if applications send to it all the same') : again('NAME', 'the collector to which they send'), again(phoenix.name, 'if applications send to Phoenix itself')],
  }];
}

/** Applications send to it until it is stopped, and it may then lose what it has accepted. */
function cannotBeClosed(setup: OldSetup): Problem[] {
  const { phoenix } = setup;
  return isAlone(setup) && phoenix.onHostNetwork
    ? [{ key: 'Phoenix', value: phoenix.name, rule: 'it uses the network of the host, and Docker cannot disconnect it from that while it runs', mend: [`docker inspect ${phoenix.name}   # start it again with its ports published (-p) instead of --network host`] }]
    : [];
}

async function volumeMissing(engine: Engine, { phoenix, mount }: OldSetup): Promise<Problem[]> {
  if (mount.kind === 'bind' || (await hasVolume(engine, mount.source))) {
    return [];
  }
  return [{ key: `volume of ${phoenix.name}`, value: mount.source, rule: 'it no longer exists', mend: [phoenix.composeUp ?? `docker inspect ${phoenix.name}`] }];
}

function tooLittleRoom({ bytes, free }: Measured, { mount }: OldSetup): Problem[] {
  const needed = bytes * room;
  return free >= needed
    ? []
    : [{
        key: 'disk',
        value: `${mebibytes(free)} free`,
        rule: `a copy of the data takes ${mebibytes(needed)} where Docker keeps its volumes; the old ones in ${mount.source} stay as a backup`,
        mend: ['docker system df', 'docker image prune'],
      }];
}

export const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
