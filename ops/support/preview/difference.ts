/**
 * The difference between the inputs of a resource before and after, in words that require no knowledge of Pulumi.
 */
import { createTwoFilesPatch } from 'diff';
import { secretValue, unknownValue } from './digest';

/** Properties whose name differs from the usual one; an empty one repeats what another property says. */
const called: Readonly<Record<string, string>> = { envs: 'environment', memory: 'memory (MiB)', memorySwap: '', cpus: 'CPUs', networksAdvanced: 'networks', uploads: 'files' };

/** One property, or a file. Of a list only the entries that differ; of a text of several lines the changed ones. */
export interface Difference {
  /** `memory`, `ports`, `config.alloy`. */
  readonly name: string;
  /** What is removed; one entry for a plain value, none for what is new. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Changed lines with three lines of context, each beginning with `+`, `-`, ` ` or `@`, instead of the two. */
  readonly lines?: readonly string[];
}

type Inputs = Readonly<Record<string, unknown>>;

/**
 * Differences by property, in the order of the names.
 * @param reasons properties that the engine reports as different: for a secret there is no other sign
 */
export function differences(before: Inputs, after: Inputs, reasons: readonly string[] = []): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => name !== '__defaults' && called[name] !== '').sort();
  return names.flatMap((name): Difference[] => {
    const [old, now] = [before[name], after[name]];
    const shown = called[name] ?? name;
    const found = name === 'uploads' && ![old, now].includes(secretValue) ? uploads(old, now) : compared(name, shown, old, now);
    return found.length === 0 && reasons.includes(name) && hasSecret(old) && hasSecret(now) ? [another(shown)] : found;
  });
}

/** All that may be shown of a changed secret. */
const another = (name: string): Difference => ({ name, before: [secretValue], after: [secretValue] });

const hasSecret = (value: unknown): boolean => JSON.stringify(value ?? '').includes(JSON.stringify(secretValue));

/** @param name in the program. @param shown to people */
function compared(name: string, shown: string, old: unknown, now: unknown): Difference[] {
  const differing = (was: unknown, is: unknown): [string[], string[]] => {
    const [before, after] = [entries(name, was), entries(name, is)];
    return [without(before, after), without(after, before)];
  };
  if (differing(old, now).every(({ length }) => length === 0)) {
    return [];
  }
  const [was, is] = [beside(old, now), beside(now, old)];
  const [gone, come] = differing(was, is);
  if (gone.length + come.length === 0) {
    return [another(shown)];
  }
  return [...gone, ...come].some((entry) => entry.includes('\n'))
    ? [changedLines(shown, entries(name, was).join('\n'), entries(name, is).join('\n'))]
    : [{ name: shown, before: gone, after: come }];
}

/** A value as it may be shown beside the other one: what is secret in one was, or will be, plain text in the other. */
function beside(value: unknown, other: unknown): unknown {
  if (!hasSecret(other)) {
    return value;
  }
  if (Array.isArray(value) && Array.isArray(other)) {
    // Entries move: any unmatched entry here may be the one that is secret there.
    const there = other.map((entry) => JSON.stringify(entry));
    return value.map((entry) => (there.includes(JSON.stringify(entry)) ? entry : masked(entry)));
  }
  if (isMap(value) && isMap(other)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, beside(inner, key in other ? other[key] : secretValue)]));
  }
  return masked(value);
}

const isMap = (value: unknown): value is Inputs => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value beside a secret one: only whether there is one may be shown. */
const masked = (value: unknown): unknown => (value === undefined || value === null || value === '' || value === unknownValue ? value : secretValue);

/** Files that a container carries into a volume: each by its name, with its changed lines. */
function uploads(old: unknown, now: unknown): Difference[] {
  const [before, after] = [files(old), files(now)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((file) => {
    const [was, is] = [before.get(file) ?? '', after.get(file) ?? ''];
    const name = file.split('/').at(-1) ?? file;
    if (was === is) {
      return [];
    }
    return [was, is].some((text) => text === secretValue || text === unknownValue) ? compared(name, name, was, is) : [changedLines(name, was, is)];
  });
}

function files(value: unknown): Map<string, string> {
  const list = Array.isArray(value) ? (value as { file?: string; content?: string }[]) : [];
  return new Map(list.map(({ file = '', content = '' }) => [file, content]));
}

function changedLines(name: string, before: string, after: string): Difference {
  const lines = createTwoFilesPatch('', '', before, after, '', '', { context: 3 })
    .split('\n')
    // The names of the files are shown elsewhere, and there is nothing after the last line.
    .slice(4)
    .filter((line) => line !== '' && !line.startsWith('\\'));
  return { name, before: [], after: [], lines };
}

/** A value as lines that a person compares: a list by its entries, a map by its keys. */
function entries(name: string, value: unknown): string[] {
  if (value === undefined || value === null || value === '') {
    return [];
  }
  if (Array.isArray(value)) {
    // A value that is secret or not known yet has no parts.
    return value.map((entry) => (isMap(entry) ? (formats[name] ?? written)(entry) : written(entry)));
  }
  return [written(value)];
}

/** Entries of a container's lists, in the notation of Docker's own command line. */
const formats: Readonly<Record<string, (entry: unknown) => string>> = {
  ports(entry) {
    const { ip = '0.0.0.0', external, internal } = entry as { ip?: string; external?: number; internal?: number };
    return `${ip.includes(':') ? `[${ip}]` : ip}:${String(external)}:${String(internal)}`;
  },
  volumes(entry) {
    const { volumeName, containerPath, readOnly } = entry as { volumeName?: string; containerPath?: string; readOnly?: boolean };
    return `${written(volumeName)}:${String(containerPath)}${readOnly ? ':ro' : ''}`;
  },
  labels(entry) {
    const { label, value } = entry as { label?: string; value?: unknown };
    return `${String(label)}=${written(value)}`;
  },
};

/** A value on one line, without the internal keys of providers. */
function written(value: unknown): string {
  if (value === unknownValue) {
    return '(known once deployed)';
  }
  if (typeof value !== 'object' || value === null) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return value.map(written).join(' ');
  }
  return Object.entries(value).filter(([key]) => key !== '__defaults').map(([key, inner]) => `${key}=${written(inner)}`).join(' ');
}

/** The entries of a list that the other does not have, counting duplicates. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const rest = [...other];
  return list.filter((entry) => {
    const index = rest.indexOf(entry);
    if (index < 0) {
      return true;
    }
    rest.splice(index, 1);
    return false;
  });
}
