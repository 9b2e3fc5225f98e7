/**
 * The lines of shell in README and docs, as a person would type them.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

const root = path.join(__dirname, '..', '..');

export const pages = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`)];

export const text = (page: string): string => fs.readFileSync(path.join(root, page), 'utf8');

/** Blocks of shell as a person would paste them, without comments. */
export const blocks = (page: string): string[] => [...text(page).matchAll(/^( *)```sh\n([^]*?)^ *```/gm)].map(([, , block = '']) => block.replace(/\\\n\s*/g, ' ').replace(/^ +/gm, '').replace(/\s+# .*$/gm, '').trim());

/** Blocks in another language, as they stand there. */
export const codeOf = (page: string, language: string): string[] => [...text(page).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);

const spans = (page: string): string[] => [...text(page).replace(/^ *```[^]*?^ *```/gm, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replace(/\s+/g, ' '));

/** Lines of the blocks, and what stands between backticks. */
export const lines = [...new Set(pages.flatMap((page) => [...blocks(page).flatMap((block) => block.split('\n')), ...spans(page)]))];

/** Those of the Pulumi CLI; `pulumi config set` only names a command. */
export const pulumiLines = [...new Set(lines.flatMap((line) => line.split(/ && | \| |; /)))]
  .filter((line) => /^(pulumi|npm run pulumi --) \w/.test(line) && !/^pulumi config set( --secret)?$/.test(line));

/**
 * What needs an account at Pulumi Cloud, or the image of Grafana, which no package registry has. Every other line of the Pulumi CLI
 * is run by `main-job`, `auth` or `senders` in `__tests__/e2e`.
 */
export const pulumiNotRun = ['pulumi login', 'pulumi org set-default acme', 'npm run pulumi -- stack output grafanaLogin --show-secrets'];

/** What only a stack with `alloy:auth` has. */
export const pulumiWithToken = pulumiLines.filter((line) => / stack output otlpToken /.test(line));

/** What only a stack with login has. */
export const pulumiWithLogin = pulumiLines.filter((line) => / stack output (login|apiKeys|adminSecret) /.test(line));
