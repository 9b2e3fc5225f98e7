/** Parser for the images of services. */
import { oldest, type ServiceName } from '../components/catalog';
import { compareVersions, imageReference, versionIn } from '../components/image-reference';
import { BrokenRule } from './broken-rule';
import * as meant from './meant';

/** What an image lacks in some of its variants, by a word of their tags: the container would start and never be healthy. */
const unfit: Partial<Record<ServiceName, { readonly variant: RegExp; readonly rule: string }>> = {
  gate: { variant: /^(alpine.*|slim|distroless)$/, rule: 'that variant has no bash, which the health check needs; use the one on Debian, whose tag is only the version' },
  prometheus: { variant: /^distroless$/, rule: 'that variant has no chown, which gives its volume the right owner; use the one whose tag is only the version' },
  alloy: { variant: /^(windowsservercore|nanoserver|alpine.*)$/, rule: 'that variant is not the one on Linux with bash, which the health check needs; use the one whose tag is only the version' },
  victorialogs: { variant: /^enterprise$/, rule: 'that variant starts only with a license; use the one whose tag is only the version' },
  grafana: { variant: /^(distroless|ubuntu)$/, rule: 'that variant has no wget, which the health check needs; use the one on Alpine, whose tag is only the version' },
};

/** Image reference that names a full version or a digest, not older than what is supported, of a variant that fits. */
export function image(service: ServiceName): (raw: string) => string {
  return (raw) => {
    const reference = imageReference(raw);
    if (!reference) {
      throw new BrokenRule('it is not an image reference; write repository:tag or repository:tag@sha256:digest', meant.image(raw));
    }
    const { tag, digest } = reference;
    if (tag === undefined && digest === undefined) {
      throw new BrokenRule('an image without a tag is latest, which changes without notice; name a version');
    }
    const named = versionIn(tag ?? '');
    if (!named && digest === undefined) {
      throw new BrokenRule('its tag names no full version, such as 1.2.3, so the image changes without notice; name one, or add the digest');
    }
    const { variant, rule = '' } = unfit[service] ?? {};
    if (variant && (tag ?? '').split(/[.+_-]/).some((word) => variant.test(word))) {
      throw new BrokenRule(rule);
    }
    if (named && compareVersions(named.version, oldest[service]) < 0) {
      throw new BrokenRule(`that version is older than ${oldest[service]}, the oldest that is supported`);
    }
    return raw;
  };
}
