/**
 * What stands on a terminal after a command: status lines are rewritten in place (ops/support/status-lines.ts), and colours are left out.
 * @param seen everything that was written to it
 * @returns its lines, from the first that ever stood there
 */
export function screen(seen: string): string[] {
  const lines = [''];
  for (const part of seen.replace(/\u001b\[[\d;]*m/g, '').split(/(\r?\n|\r|\u001b\[\d+A\u001b\[J)/)) {
    const up = /^\u001b\[(\d+)A/.exec(part)?.[1];
    if (up !== undefined) {
      lines.splice(Math.max(0, lines.length - 1 - Number(up)), Infinity, '');
    } else if (part.endsWith('\n')) {
      lines.push('');
    } else if (part === '\r') {
      lines[lines.length - 1] = '';
    } else {
      lines[lines.length - 1] += part;
    }
  }
  return lines;
}
