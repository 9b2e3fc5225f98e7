import * as fs from 'node:fs';
import * as path from 'node:path';

/** The part of a package.json that says which plugin a package needs. */
export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
    readonly parameterization?: { readonly name: string; readonly version: string; readonly value: string };
  };
}

export interface Plugin {
  readonly name: string;
  /** With a leading v. */
  readonly version: string;
  readonly server: string;
  readonly parameterization?: { readonly name: string; readonly version: string; readonly value: string };
}

export function manifest(directory: string): Manifest | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}

/** Every package installed below a directory, nested ones too; a package linked in twice is listed once. */
export function installed(directory: string, seen = new Set<string>()): Manifest[] {
  const modules = path.join(directory, 'node_modules');
  const names = (at: string) => (fs.existsSync(at) ? fs.readdirSync(at).filter((name) => !name.startsWith('.')) : []);
  const folders = names(modules).flatMap((name) =>
    name.startsWith('@') ? names(path.join(modules, name)).map((inner) => path.join(modules, name, inner)) : [path.join(modules, name)]);
  return folders.flatMap((folder) => {
    const real = fs.realpathSync(folder);
    const found = seen.has(real) ? undefined : manifest(folder);
    seen.add(real);
    return found ? [found, ...installed(folder, seen)] : [];
  });
}

/** The plugins that these packages require: name and version as in their `pulumi` field, else their own. */
export function plugins(manifests: readonly Manifest[]): Plugin[] {
  return manifests.filter(({ pulumi }) => pulumi?.resource).flatMap(({ name = '', version = '', pulumi = {} }) => {
    const plugin = pulumi.name ?? (name.startsWith('@pulumi/') ? name.slice('@pulumi/'.length) : undefined);
    const wanted = pulumi.version || version;
    return plugin && wanted
      ? [{ name: plugin, version: wanted.startsWith('v') ? wanted : `v${wanted}`, server: pulumi.server ?? '', ...(pulumi.parameterization ? { parameterization: pulumi.parameterization } : {}) }]
      : [];
  });
}
