import { debianImage } from './debian-image';

/** The image of Prometheus, of Debian bookworm's. */
export const prometheus = debianImage('prometheus', '2.42.0', 'prometheus.Dockerfile', { minutes: 0.4, engine: 355 });
