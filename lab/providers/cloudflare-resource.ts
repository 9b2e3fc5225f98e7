import type { Cloudflare } from './cloudflare-client';
import { afterwards, fromAnswer, refreshed, snake, toBody, type ApiField, type ApiShape } from './cloudflare-json';
import { unknown, type Props, type Value } from './fields';
import { frameworkPlan } from './framework';
import type { Resource } from './resource';

export const given: ApiField = { type: 'string' };
export const required: ApiField = { type: 'string', required: true };
export const flag: ApiField = { type: 'bool' };
export const says: ApiField = { type: 'string', output: true };
export const time: ApiField = { ...says, time: true };
export const id: ApiField = { type: 'string', output: true, stays: true };
/** Part of the address: the ID of the account or zone. */
export const owner: ApiField = { type: 'string', required: true, address: true, replaces: true };

/** The allowed values of a property; Terraform ignores their case. */
export const choices = (of: Readonly<Record<string, readonly string[]>>) => (inputs: Props): Record<string, string> =>
  Object.fromEntries(Object.entries(of).flatMap(([name, values]): [string, string][] => {
    const value = inputs[name] ?? null;
    const wrong = typeof value === 'string' && value !== unknown && !values.some((one) => one.toLowerCase() === value.toLowerCase());
    const listed = values.map((one) => JSON.stringify(one)).join(' ');
    return wrong ? [[name, `Invalid Attribute Value Match. Attribute ${snake(name)} value must be one of: [${listed}], got: ${JSON.stringify(value)}`]] : [];
  }));

export interface Kind {
  readonly shape: ApiShape;
  /** The path of the collection. */
  readonly place: (props: Props) => string;
  /** The format of an import, `<account_id>/<tunnel_id>`: properties of the address, by name, and the ID last. */
  readonly imported: { readonly format: string; readonly address: readonly string[] };
  readonly change: 'PUT' | 'PATCH';
  readonly validate?: (inputs: Props) => Record<string, string>;
  /** What the published provider turns the inputs into before it plans. */
  readonly plain?: (inputs: Props, prior: Props | null) => Props;
  /** And what it turns the plan into. */
  readonly plan?: (planned: Props, prior: Props | null) => Props;
  /**
   * @param fresh whether it is created
   * @throws Error for anything that is not even sent
   */
  readonly send?: (planned: Props, fresh: boolean) => Props;
  /** What it records, from the response and from what was planned or recorded before. */
  readonly record?: (told: Props, before: Props) => Props;
}

/** A resource that exists many times: created with POST, and addressed by its ID from then on. */
export function resource(api: Cloudflare, kind: Kind): Resource {
  const { shape, place, change, record = (told: Props) => told, send = (planned: Props) => planned } = kind;
  const made = (planned: Props, answer: Props) => afterwards(shape, planned, fromAnswer(shape, answer));
  const at = (thing: string, props: Props) => `${place(props)}/${thing}`;
  return {
    ...shared(kind),
    create: async (planned) => {
      const state = record(made(planned, await failing(api.ask('POST', place(planned), toBody(shape, send(planned, true), {})))), planned);
      return { id: state['id'] as string, state };
    },
    read: (thing, state) => reading(kind, thing, state, (which, props) => api.find(at(which, props)), record),
    update: async (thing, old, planned) => record(made(planned, await failing(api.ask(change, at(thing, planned), toBody(shape, send(planned, false), old, change === 'PATCH')))), planned),
    // Deleting something that no longer exists is an error, which a refresh fixes: so it is with the published one.
    delete: async (thing, state) => {
      await failing(api.ask('DELETE', at(thing, state)));
    },
  };
}

/** What they all have in common. */
export function shared({ shape, validate, plain = (inputs) => inputs, plan = (planned) => planned }: Omit<Kind, 'place' | 'change'>): Pick<Resource, 'shape' | 'framework' | 'meta' | 'validate' | 'plan'> {
  return {
    shape,
    framework: true,
    meta: '{"schema_version":"500"}',
    ...(validate ? { validate } : {}),
    plan: (prior, inputs) => plan(frameworkPlan(shape, prior, plain(inputs, prior)), prior),
  };
}

/** A refresh; or, with nothing recorded, an import. */
export async function reading(
  { shape, imported: { format, address } }: Pick<Kind, 'shape' | 'imported'>, thing: string, state: Props,
  find: (id: string, props: Props) => Promise<Props | undefined>, record: NonNullable<Kind['record']>,
): Promise<{ id: string; state: Props } | undefined> {
  const fresh = Object.keys(state).length === 0;
  const parts = thing.split('/');
  if (fresh && parts.length !== format.split('/').length) {
    throw new Error(`invalid ID: expected urlencoded segments ${JSON.stringify(format)}, got ${JSON.stringify(thing)}`);
  }
  const known: Props = fresh ? Object.fromEntries(address.map((key, i): [string, Value] => [key, parts.at(i - address.length - 1) ?? ''])) : state;
  const answer = await failing(find(fresh ? parts.at(-1) as string : thing, known));
  if (!answer) {
    return undefined;
  }
  const next = record(refreshed(shape, known, fromAnswer(shape, answer)), fresh ? {} : state);
  return { id: next['id'] as string, state: next };
}

export async function failing<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw new Error(`failed to make http request: ${error.message}`);
  });
}
