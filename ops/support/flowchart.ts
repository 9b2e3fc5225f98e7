export type Shape = 'box' | 'pill' | 'cylinder';

interface Group {
  readonly title: string;
  readonly within: string | undefined;
}

interface Node {
  readonly shape: Shape;
  readonly lines: readonly string[];
  readonly group: string | undefined;
}

const brackets: Readonly<Record<Shape, readonly [string, string]>> = { box: ['[', ']'], pill: ['([', '])'], cylinder: ['[(', ')]'] };

/**
 * A flowchart under construction. Duplicates are drawn once, and everything in the order in which it was first added.
 * IDs are any text; they are prefixed with a word of the program, because Mermaid reserves some words.
 */
export class Flowchart {
  private readonly groups = new Map<string, Group>();
  private readonly nodes = new Map<string, Node>();
  private readonly arrows = new Map<string, { readonly from: string; readonly to: string; readonly labels: Set<string> }>();

  /** A frame around the nodes that name it, which may be in a different frame. */
  group(id: string, title: string, within?: string): string {
    this.groups.set(id, { title, within });
    return id;
  }

  /** The first description of a node counts. */
  node(id: string, shape: Shape, lines: readonly string[], group?: string): string {
    if (!this.nodes.has(id)) {
      this.nodes.set(id, { shape, lines, group });
    }
    return id;
  }

  /** Labels of the same arrow are combined. */
  arrow(from: string, to: string, labels: readonly string[] = []): void {
    const key = `${from} ${to}`;
    const arrow = this.arrows.get(key) ?? { from, to, labels: new Set() };
    this.arrows.set(key, arrow);
    labels.forEach((label) => arrow.labels.add(label));
  }

  /** Whether an arrow leads to it. */
  reaches(id: string): boolean {
    return [...this.arrows.values()].some(({ to }) => to === id);
  }

  toString(): string {
    const frames = [...this.groups].filter(([id, { within }]) => within === undefined && this.framed(id).length > 0);
    return [
      // Room for the title of a frame above the target of arrows.
      '%%{init: {"flowchart": {"subGraphTitleMargin": {"top": 4, "bottom": 20}}}}%%',
      // A single frame is drawn wide, several are stacked, so that all of it is legible in a column of text.
      `flowchart ${frames.length > 1 ? 'TB' : 'LR'}`,
      ...this.nodesIn(undefined).map((node) => `  ${node}`),
      ...frames.flatMap(([id]) => this.framed(id)).map((line) => `  ${line}`),
      ...[...this.arrows.values()].map(({ from, to, labels }) => `  ${word(from)} -->${labels.size > 0 ? `|"${[...labels].map(escaped).join(', ')}"|` : ''} ${word(to)}`),
    ].join('\n');
  }

  /** A frame with all of its content; nothing if that is empty. */
  private framed(id: string): string[] {
    const inner = [...this.nodesIn(id), ...[...this.groups].filter(([, { within }]) => within === id).flatMap(([other]) => this.framed(other))];
    return inner.length === 0 ? [] : [`subgraph ${word(id)}["${escaped(this.groups.get(id)?.title ?? '')}"]`, ...inner.map((line) => `  ${line}`), 'end'];
  }

  private nodesIn(group: string | undefined): string[] {
    return [...this.nodes].filter(([, node]) => node.group === group).map(([id, { shape, lines }]) => {
      const [open, close] = brackets[shape];
      return `${word(id)}${open}"${lines.map(escaped).join('<br>')}"${close}`;
    });
  }
}

/** As a Mermaid ID. */
const word = (id: string): string => id.replace(/[^A-Za-z0-9.]/g, '_');

/** Everything that could have a meaning in Mermaid or HTML, as a character code. */
function escaped(label: string): string {
  return label.replace(/[^\w .,:/-]/gu, (character) => `#${character.codePointAt(0)};`);
}
