import { isDeepStrictEqual } from 'node:util';
import type { Provider } from '@pulumi/pulumi/provider';
import { report } from '../components/problem';
import type { Kind } from './resource';
import { plain, secret, secretsIn, unknown } from './values';

type Props = Record<string, unknown>;
type AnyKind = Kind<Props, Props>;

/** Serves kinds of resources, by type token, over the provider protocol. */
export function providing(kinds: Readonly<Record<string, object>>): Provider {
  // The check of a resource that is replaced is told of the one before it, but not with `--replace`: a refresh reads it.
  const known = new Set<string>();

  return {
    version: '0.1.0',

    async check(urn, olds, news) {
      if (Object.keys((olds ?? {}) as Props).length > 0) {
        known.add(urn);
      }
      const inputs = plain<Props>(news);
      const kind = kindOf(kinds, urn);
      const before = plain<Props>(olds ?? {});
      const problems = await (isPlanned(inputs) ? kind.planned?.(inputs) : kind.check?.(inputs, Object.keys(before).length > 0 ? before : undefined));
      if (!problems) {
        return { inputs: news };
      }
      const stack = urn.split('::')[0]?.split(':').at(-1) ?? '';
      return { inputs: news, failures: problems.length > 0 ? [{ property: '', reason: report(stack, problems, secretsIn(news)) }] : [] };
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

    async create(urn, inputs) {
      const kind = kindOf(kinds, urn);
      const outs = await kind.create(plain(inputs), known.has(urn));
      return { id: nameOf(urn), outs: marked(kind, inputs, outs) };
    },

    async update(_, urn, olds, news) {
      const kind = kindOf(kinds, urn);
      return { outs: marked(kind, news, await kind.update(plain(olds), plain(news))) };
    },

    async read(id, urn, props) {
      known.add(urn);
      const kind = kindOf(kinds, urn);
      const outputs = plain<Props>(props);
      return { id, props: kind.read ? marked(kind, props as Props, await kind.read(outputs)) : props };
    },

    async delete(_, urn, props) {
      known.delete(urn);
      await kindOf(kinds, urn).delete?.(plain(props));
    },
  };
}

/** Whether parts of it are not there yet: then nobody can be asked about it. */
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
