/** Parsers for how much of something there may be: days, projects, memory, room on a disk, CPUs. */
import { BrokenRule } from './broken-rule';
import * as meant from './meant';

/** Days, a whole number; 0 keeps everything. */
export function days(raw: string): number {
  if (!/^\d{1,5}$/.test(raw)) {
    throw new BrokenRule('days are a whole number, and 0 keeps everything forever', meant.days(raw));
  }
  return Number(raw);
}

/** Days, a whole number from 1 to 36500, a hundred years. */
export function limitedDays(raw: string): number {
  const count = Number(raw);
  if (!/^\d{1,5}$/.test(raw) || count < 1 || count > 36_500) {
    throw new BrokenRule('it is a whole number of days, at least 1 and at most 36500');
  }
  return count;
}

/** How many projects, a whole number. */
export function projects(raw: string): number {
  const count = Number(raw);
  if (!/^\d{1,6}$/.test(raw) || count < 1 || count > 100_000) {
    throw new BrokenRule('it is a whole number from 1 to 100000');
  }
  return count;
}

/**
 * Memory as MiB.
 * @param least smallest amount the service starts with, in MiB
 */
export function memory(least: number): (raw: string) => number {
  return size('memory', least, `the service does not start with less than ${least}MiB`);
}

/**
 * Room on a disk as MiB.
 * @param what needs at least so much
 */
export function disk(least: number, what: string): (raw: string) => number {
  return size('room on disk', least, `${what} needs at least ${least}MiB`);
}

/**
 * @param what it is the size of, as the beginning of a rule
 * @param tooLittle the rule that less than `least` breaks
 */
function size(what: string, least: number, tooLittle: string): (raw: string) => number {
  return (raw) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(MiB|GiB)$/.exec(raw) ?? [];
    if (amount === undefined) {
      throw new BrokenRule(`${what} is a number with the unit MiB or GiB, such as 512MiB or 2GiB`, meant.memory(raw));
    }
    const mebibytes = Number(amount) * (unit === 'GiB' ? 1024 : 1);
    if (!Number.isInteger(mebibytes)) {
      throw new BrokenRule(`${what} comes in whole MiB`, meant.memory(raw));
    }
    if (mebibytes < least) {
      throw new BrokenRule(tooLittle, `${least}MiB`);
    }
    return mebibytes;
  };
}

/**
 * CPUs in the text form in which the docker provider reads them back ("1.0", "0.5", but "10."): any
 * other spelling of the same number shows as a change in every preview after a refresh.
 * The provider prints nine decimals; with exactly nine zeros in the text it prints one decimal
 * instead, else it cuts off the zeros at the end (nanoInt64ToDecimalString in its helpers.go).
 */
export function cpus(raw: string): string {
  const value = Number(raw);
  if (!/^\d+(\.\d{1,2})?$/.test(raw) || value < 0.1 || value > 99) {
    throw new BrokenRule('CPUs are a number from 0.1 to 99 with at most two decimals, such as 0.5 or 2', meant.cpus(raw));
  }
  if (/^[1-9]0\.0[1-9]$/.test(value.toFixed(2))) {
    throw new BrokenRule('the docker provider rounds that number to one decimal and would always show a change; write it with one decimal');
  }
  if (!Number.isInteger(value)) {
    return String(value);
  }
  return value % 10 === 0 ? `${value}.` : value.toFixed(1);
}
