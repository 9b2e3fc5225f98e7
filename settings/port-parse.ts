/** Parsers for ports, and for what is added to them. */
import { BrokenRule } from './broken-rule';
import * as meant from './meant';

/** Highest TCP port. */
export const lastPort = 65535;

/** TCP port, 1 to 65535. */
export function port(raw: string): number {
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < 1 || value > lastPort) {
    throw new BrokenRule('a port is a whole number from 1 to 65535', meant.port(raw));
  }
  return value;
}

/** TCP port of another server. A function of its own: what `port` parses are host ports, which must not clash. */
export function remotePort(raw: string): number {
  return port(raw);
}

/** Most that is added to ports. What a message offers for a taken one lies a little above 16006, and has room even then. */
export const highestOffset = 40_000;

/** What is added to ports, 0 to 40000. */
export function offset(raw: string): number {
  if (!/^\d{1,5}$/.test(raw) || Number(raw) > highestOffset) {
    throw new BrokenRule(`it is a whole number from 0, which leaves the ports where they are, to ${highestOffset}`, /^\+\d+$/.test(raw) ? raw.slice(1) : undefined);
  }
  return Number(raw);
}
