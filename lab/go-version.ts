import { coerce, gte } from 'semver';

/** Whether a Go, "1.23.5", is as new as "1.21"; what follows a pre-release letter does not count. */
export const isAtLeast = (version: string, least: string): boolean => gte(coerce(version) ?? '0.0.0', coerce(least) ?? '0.0.0');
