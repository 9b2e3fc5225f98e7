import { debianImage } from './debian-image';

/** The nginx image for gates, of Debian bookworm's nginx. */
export const gate = debianImage('nginx', '1.22.1', 'gate.Dockerfile', { minutes: 0.4, engine: 20 });
