/**
 * A page as a picture of a terminal, for documents: SVG that needs no specific font and is the same on every machine.
 */

/** Pixels. The widest of the usual fonts takes 0.618 of its size for a letter. */
const fontSize = 14;
const letter = fontSize * 0.62;
const lineHeight = 21;
const margin = 24;
const titleBar = 40;

const colours = { window: '#0d1117', frame: '#30363d', plain: '#c9d1d9', bright: '#ffffff', dim: '#8b949e', red: '#ff7b72', amber: '#e3b341', green: '#7ee787', blue: '#79c0ff' } as const;

type Colour = keyof typeof colours;

/** By the beginning of a line; the first that matches. */
const byBeginning: readonly (readonly [RegExp, Colour])[] = [
  [/^\S/, 'bright'],
  [/^ {2}(Note|Not known):/, 'dim'],
  [/^ {4,6}-/, 'red'],
  [/^ {4,6}\+/, 'green'],
  [/^ {6}@/, 'blue'],
  [/^ {4}~/, 'amber'],
];

const ofKind: Readonly<Record<string, Colour>> = { remove: 'red', replace: 'amber', change: 'blue', create: 'green' };

/** @param page the output of `asText` */
export function picture(page: string): string {
  const lines = page.trimEnd().split('\n').map((line) => printable(line.trimEnd()));
  const width = Math.ceil(2 * margin + letter * Math.max(...lines.map((line) => [...line].length)));
  const height = titleBar + lineHeight * lines.length + margin;
  const buttons = [colours.red, colours.amber, colours.green].map((fill, index) => `<circle cx="${margin + 20 * index}" cy="20" r="6" fill="${fill}"/>`);
  let isAlert = false;
  const texts = lines.flatMap((line, index) => {
    // It continues on the next line, indented further.
    isAlert = /^ {2}!/.test(line) || (isAlert && /^ {4}/.test(line));
    const colour = isAlert ? 'amber' : byBeginning.find(([begin]) => begin.test(line))?.[1] ?? 'plain';
    // Browsers apply `xml:space` only at the text itself.
    return line === '' ? [] : [`<text xml:space="preserve" x="${margin}" y="${titleBar + lineHeight * index + fontSize}"${style(colour)}>${painted(line)}</text>`];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace" font-size="${fontSize}">`,
    `<title>${escaped(lines[0] ?? '')}</title>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="${colours.window}" stroke="${colours.frame}"/>`,
    ...buttons,
    ...texts,
    '</svg>\n',
  ].join('\n');
}

const style = (colour: Colour): string => ` fill="${colours[colour]}"${colour === 'bright' ? ' font-weight="bold"' : ''}`;

/** The line of a change has its first word in the color of its kind. */
function painted(line: string): string {
  return escaped(line).replace(/^ {2}(remove|replace|change|create)(?= )/, (_, kind: string) =>
    `  <tspan fill="${colours[ofKind[kind] ?? 'plain']}" font-weight="bold">${kind}</tspan>`);
}

/** With spaces instead of tabs, which SVG does not have, and without characters that XML does not allow. */
const printable = (line: string): string => line.replace(/\t/g, '    ').replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
