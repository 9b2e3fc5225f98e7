import { debianImage } from './debian-image';

/** The image of a PostgreSQL server for tests, of Debian bookworm's. Debian keeps no minor version for long, so there is none here. */
export const postgresql = debianImage('postgresql', '15', 'postgresql.Dockerfile', { minutes: 0.4, engine: 290 });
