import { isAtLeast } from './go-version';

/** A program in a Go module, as `lab/go.ts` builds it. */
export interface GoProgram {
  module: string;
  /** With its v: "v1.11.0". */
  version: string;
  /** The main package. Default: the module's root. */
  package?: string;
  /**
   * Versions for modules of the same source repository, which the upstream go.mod takes from a directory next to it
   * (`replace … => ../sdk`): such a directory is not in the module's zip.
   */
  siblings?: Readonly<Record<string, string>>;
  /** More arguments of `go build`: linker flags. */
  flags?: readonly string[];
  /** Replacements of the module's own files: text by path in the module. The module is then built from a copy. */
  files?: Readonly<Record<string, string>>;
}

interface Replacement {
  /** "path" or "path version". */
  from: string;
  to: string;
}

/**
 * The go.mod of a separate module that requires `program` and builds it as its authors do.
 *
 * Go applies `replace` and `exclude` only in the main module, so both are copied here; a replacement by a
 * directory becomes a requirement of the version given in `siblings`. Equal inputs give equal text.
 *
 * @param others text of the go.mod of other modules that it requires. One of them may require a newer Go than the module
 * itself; Go reads that only in the main module.
 * @param copy where the copy of the module is, if it is built from one; as a path that Go takes for a directory
 * @throws Error naming the module when a replacement by a directory has no version in `siblings`
 */
export function wrapGoMod(upstream: string, program: GoProgram, others: readonly string[] = [], copy?: string): string {
  const lines = directives(upstream);
  const goVersion = argumentsOf(lines, 'go')[0];
  const newest = others.flatMap((text) => argumentsOf(directives(text), 'go')).reduce((most, version) => (isAtLeast(most, version) ? most : version), goVersion ?? '0');
  const replacements = argumentsOf(lines, 'replace').map(parseReplacement);
  const isDirectory = (replacement: Replacement): boolean => /^(\.{0,2}\/|\.\.?$)/.test(replacement.to);

  const siblings = program.siblings ?? {};
  const missing = replacements.filter(isDirectory).map(moduleOf).filter((module) => !(module in siblings));
  if (missing.length > 0) {
    throw new Error(
      `${program.module} ${program.version} takes ${missing.join(', ')} from a directory of its repository, ` +
        'which the module proxy does not carry: add a released version to `siblings`.',
    );
  }
  const requirements = { [program.module]: program.version, ...siblings };

  return [
    'module lab',
    '',
    ...(goVersion ? [`go ${goVersion}`, ''] : []),
    ...(newest !== (goVersion ?? '0') ? [`toolchain go${newest}`, ''] : []),
    ...Object.entries(requirements).map(([module, version]) => `require ${module} ${version}`),
    '',
    ...replacements.filter((replacement) => !isDirectory(replacement)).map(({ from, to }) => `replace ${from} => ${to}`),
    ...(copy === undefined ? [] : [`replace ${program.module} ${program.version} => ${copy}`]),
    '',
    ...argumentsOf(lines, 'exclude').map((excluded) => `exclude ${excluded}`),
    '',
  ].join('\n');
}

/** Every directive on its own line, without comments: `replace ( a => b )` as `replace a => b`. */
function directives(goMod: string): string[] {
  const flat: string[] = [];
  let block = '';
  for (const raw of goMod.split('\n')) {
    const line = raw.replace(/\/\/.*$/, '').trim().replace(/\s+/g, ' ');
    if (line === '') continue;
    if (line === ')') block = '';
    else if (/^\w+ ?\($/.test(line)) block = line.replace(/ ?\($/, '');
    else flat.push(block ? `${block} ${line}` : line);
  }
  return flat;
}

function argumentsOf(lines: readonly string[], directive: string): string[] {
  return lines.filter((line) => line.startsWith(`${directive} `)).map((line) => line.slice(directive.length + 1));
}

function parseReplacement(text: string): Replacement {
  const [from, to] = text.split(' => ');
  return { from, to };
}

function moduleOf(replacement: Replacement): string {
  return replacement.from.split(' ')[0];
}
