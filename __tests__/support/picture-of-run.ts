import * as fs from 'node:fs';
import * as path from 'node:path';
import { picture } from '../../ops/support/preview/picture';
import { updating } from './golden';

/** Digits, IDs and the width of columns differ from run to run, and the engine makes things in another order. */
const shape = (line: string): string => line.replace(/\b[0-9a-f]{32}\b/g, 'ID').replace(/\d+(\.\d+)?/g, '#').replace(/\s+/g, ' ').trim();
const shapes = (lines: readonly string[]): string[] => [...new Set(lines.map(shape).filter(Boolean))].sort();

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const linesOf = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, text = '']) => text.replace(/<[^>]+>/g, '').replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole));

/**
 * Holds a picture of a terminal in docs/ against what stood there in this run. `-u` makes it of this run.
 * @param file below docs/
 */
export function expectPictureOfRun(file: string, lines: readonly string[]): void {
  const at = path.join(__dirname, '..', '..', 'docs', file);
  if (updating()) {
    fs.mkdirSync(path.dirname(at), { recursive: true });
    fs.writeFileSync(at, picture(lines.join('\n')));
  }
  expect(shapes(lines)).toEqual(shapes(linesOf(fs.readFileSync(at, 'utf8'))));
}
