/**
 * What stands on a terminal after a command: lines are rewritten in place (ops/support/status-lines.ts, and questions), and
 * colours are left out.
 * @param seen everything that was written to it
 * @returns its lines, from the first that ever stood there
 */
export function screen(seen: string): string[] {
  const lines = [''];
  for (const part of seen.replace(/\u001b\[[\d;]*m/g, '').split(/(\r*\n|\r|\u001b\[\d*[A-Z])/)) {
    const [, count = '', move] = /^\u001b\[(\d*)([A-Z])/.exec(part) ?? [];
    if (move === 'A') {
      // What is below is erased right after.
      lines.splice(Math.max(0, lines.length - 1 - Number(count)), Infinity, '');
    } else if (part.endsWith('\n')) {
      lines.push('');
    } else if (part === '\r' || (move === 'G' && count === '1')) {
      lines[lines.length - 1] = '';
    } else if (move === undefined) {
      lines[lines.length - 1] += part;
    }
  }
  return lines;
}
