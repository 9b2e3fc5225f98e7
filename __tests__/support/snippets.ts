import * as fs from 'node:fs';
import * as path from 'node:path';

/** A block of code of docs/senders.md. */
export interface Snippet {
  /** Heading above it. */
  readonly title: string;
  readonly language: string;
  readonly code: string;
  /** Project in Phoenix that it names. */
  readonly project: string;
}

/** Where a snippet says its project, in any of the languages. */
const naming = /(?:openinference\.project\.name|project_name|PHOENIX_PROJECT_NAME)[^\w\n]*(?:\s*value)?[^\w\n]+([\w-]+)/;

/** The blocks of code of the page, in its order. @throws Error for a block that names no project */
export function snippets(): Snippet[] {
  const page = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'senders.md'), 'utf8');
  let title = '';
  return [...page.matchAll(/^#+ (.*)$|^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, heading, language = '', code = '']) => {
    if (heading !== undefined) {
      title = heading;
      return [];
    }
    // Codex takes it from its environment: the sentence above the block.
    const project = (naming.exec(code) ?? (title === 'Codex' ? naming.exec(page.slice(page.indexOf('### Codex'))) : null))?.[1];
    if (project === undefined) {
      throw new Error(`docs/senders.md: the block under "${title}" names no project`);
    }
    return [{ title, language, code, project }];
  });
}

/** What no test runs, by its title, and why. */
export const notRun: Readonly<Record<string, string>> = {
  Codex: 'its package is 424 MB; the spelling of its configuration is that of its source, codex-rs/otel and codex-rs/core/src/config',
};
