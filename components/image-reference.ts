/**
 * Parses image references the way Docker does (the grammar of distribution/reference).
 */

export interface ImageReference {
  /** Its registry, with a port if it has one; `docker.io` if none is given. */
  readonly registry: string;
  /** The part before tag and digest: `grafana/alloy`, `registry.example.com:5000/team/alloy`. */
  readonly name: string;
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest?: string;
}

const dockerHub = 'docker.io';

const component = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const host = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const tagged = /^(.*?)(?::(\w[\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;

/** The parts of a reference; undefined for an invalid one. */
export function imageReference(text: string): ImageReference | undefined {
  const [, name = '', tag, digest] = tagged.exec(text) ?? [];
  const [first = '', ...rest] = name.split('/');
  // Docker takes the first part for a registry if it cannot be part of a name on Docker Hub.
  const named = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const path = named ? rest : [first, ...rest];
  if (!path.every((part) => component.test(part)) || (named && !host.test(first))) {
    return undefined;
  }
  return { registry: named ? first : dockerHub, name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/**
 * A tag with a full version and a suffix: `1.30.6`, `v1.18.1`, `version-20.26.1-nonroot`, `1.30.6-alpine3.24`.
 * `1.30` moves as `stable` does, only slower.
 */
const versioned = /^(?:version-)?v?(\d+\.\d+\.\d+)(?:[.+_-]([\w.+-]*))?$/;

/** The version in a tag, and the words after it; undefined for a tag without one. */
export function versionIn(tag: string): { readonly version: string; readonly variant: readonly string[] } | undefined {
  const [, version, rest = ''] = versioned.exec(tag) ?? [];
  return version === undefined ? undefined : { version, variant: rest.split(/[.+_-]/).filter(Boolean) };
}

/** Version of an image (`version-20.26.1-nonroot`, `v1.18.1`), or undefined if its tag has none. */
export function versionOf(image: string): string | undefined {
  return versionIn(imageReference(image)?.tag ?? '')?.version;
}

/** Negative, zero or positive if `a` is older than, equal to or newer than `b`; both `x.y.z` or `x.y`. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
