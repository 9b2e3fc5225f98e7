import { isDeepStrictEqual } from 'node:util';
import { report } from '../settings/problem';
import { cancel } from './cancellation';
import type { Kind } from './resource';
import type { Props, Provider } from './serve';
import { plain, secret, secretsIn, unknown } from './values';

type AnyKind = Kind<Props, Props>;

/** Serves kinds of resources, by type token, over the provider protocol. */
export function providing(kinds: Readonly<Record<string, object>>): Provider {
  return {
    version: '0.1.0',

    async check(urn, olds, news) {
      const inputs = plain<Props>(news);
      const kind = kindOf(kinds, urn);
      const before = plain<Props>(olds ?? {});
      const problems = await (isPlanned(inputs) ? kind.planned?.(inputs) : kind.check?.(inputs, Object.keys(before).length > 0 ? before : undefined));
      if (!problems) {
        return { inputs: news };
      }
      const stack = urn.split('::')[0]?.split(':').at(-1) ?? '';
      return { inputs: news, failures: problems.length > 0 ? [{ property: '', reason: report(stack, problems, [...secretsIn(olds), ...secretsIn(news)]) }] : [] };
    },

    async diff(_, urn, olds, news) {
      const kind = kindOf(kinds, urn);
      const [before, after] = [plain<Props>(olds), plain<Props>(news)];
      const same = !isPlanned(after) && (kind.same?.(before, after) ?? false);
      const changed = same ? [] : Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]));
      const replaces = changed.filter((name) => kind.identity?.includes(name));
      const drifted = changed.length === 0 && !isPlanned(after) && ((await kind.drifted?.(before)) ?? false);
      return { changes: changed.length > 0 || drifted, replaces };
    },

    async create(urn, inputs, preview) {
      const kind = kindOf(kinds, urn);
      const outs = preview ? await planned(kind, undefined, inputs) : marked(kind, inputs, await kind.create(plain(inputs)));
      return { id: nameOf(urn), outs };
    },

    async update(_, urn, olds, news, preview) {
      const kind = kindOf(kinds, urn);
      return { outs: preview ? await planned(kind, olds, news) : marked(kind, news, await kind.update(plain(olds), plain(news))) };
    },

    async read(id, urn, props) {
      const kind = kindOf(kinds, urn);
      const outputs = plain<Props>(props);
      return { id, props: kind.read ? marked(kind, props, await kind.read(outputs)) : props };
    },

    async delete(_, urn, props) {
      await kindOf(kinds, urn).delete?.(plain(props));
    },

    cancel,
  };
}

/** What is known of a resource before it is created or changed. The engine treats omitted outputs as unknown. */
const planned = async (kind: AnyKind, olds: Props | undefined, news: Props): Promise<Props> =>
  kind.preview ? marked(kind, news, await kind.preview(olds && plain(olds), plain(news))) : news;

/** Whether parts of it do not exist yet: then nothing can be queried. */
const isPlanned = (inputs: Props): boolean => JSON.stringify(inputs).includes(unknown);

/** Outputs as the engine takes them: inputs as they came, secrets with their mark. */
function marked(kind: AnyKind, given: Props, outputs: Props): Props {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, kind.secrets?.includes(name) ? secret(String(value)) : isDeepStrictEqual(plain(given[name]), value) ? given[name] : value]),
  );
}

function kindOf(kinds: Readonly<Record<string, object>>, urn: string): AnyKind {
  const type = urn.split('::')[2]?.split('$').at(-1) ?? '';
  const kind = kinds[type];
  if (!kind) {
    throw new Error(`the provider has no resource of type ${type}`);
  }
  return kind as AnyKind;
}

const nameOf = (urn: string): string => urn.split('::').at(-1) ?? '';
