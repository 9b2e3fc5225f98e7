/**
 * The page of a pull request, from what `npm run preview -- --json` prints. An environment whose settings nobody has filled in
 * yet is no error of the pull request: the page calls it "not configured". Any other environment without a preview makes the
 * run red.
 *
 *     node --import tsx .github/preview-page.ts preview.json > preview.md
 */
import * as fs from 'node:fs';
import { refusal } from '../components/problem';
import { keys } from '../components/settings';
import { asMarkdown, type Page } from '../ops/support/preview/page';
import { settingsOf } from '../ops/support/preview/workspace';

interface Problem {
  readonly key: string;
  readonly value: string | undefined;
}

type Config = Readonly<Record<string, unknown>>;

/** Problems of a page that is refused for its settings alone; none where anything else is wrong, or not understood. */
function problemsIn({ outcome, reason }: Page): Problem[] {
  const [first = '', ...lines] = reason.split('\n');
  const problems = lines.flatMap((line): Problem[] => {
    const [, key, value] = /^ {2}- ([\w-]+:[\w-]+)(?: is '([^']*)')?: /.exec(line) ?? [];
    return key === undefined ? [] : [{ key, value }];
  });
  const commands = lines.filter((line) => line.startsWith('      '));
  const understood = outcome === 'refused' && first.match(refusal)?.[0] === first && problems.length === parseInt(first, 10) && problems.length + commands.length === lines.length;
  return understood ? problems : [];
}

/** Whether a setting stands empty. One that does not exist is an error, however it stands there. */
const isEmpty = (config: Config, key: string): boolean => key in keys && key in config && String(config[key] ?? '').trim() === '';

/**
 * Environments that nobody has filled in yet, and why.
 * @param configOf what the stack file of an environment holds
 */
export function notConfigured(pages: readonly Page[], configOf: (stack: string) => Config): Map<string, string> {
  const reasons = new Map<string, string>();
  const refused = pages.map((page) => ({ stack: page.stack, problems: problemsIn(page) })).filter(({ problems }) => problems.length > 0);
  for (const { stack, problems } of refused) {
    const config = configOf(stack);
    // The token of a tunnel that is still to be filled in is missing with the rest of it, though it stands in no file.
    const isOpen = ({ key }: Problem): boolean => isEmpty(config, key) || (key === 'cloudflare:apiToken' && !(key in config));
    if (problems.every(isOpen) && problems.some(({ key }) => isEmpty(config, key))) {
      reasons.set(stack, `Settings in \`Pulumi.${stack}.yaml\` are still empty. Fill them in to get a preview:`);
    }
  }
  for (const { stack, problems } of refused) {
    const central = problems.length === 1 && problems[0]?.key === 'edge:central' ? problems[0].value?.split('/').at(-1) : undefined;
    if (central !== undefined && reasons.has(central)) {
      reasons.set(stack, `It sends to \`${central}\`, which is not configured yet:`);
    }
  }
  return reasons;
}

/** @returns the page, and whether every environment has a preview or is not configured */
export function pageOfPullRequest(pages: readonly Page[], configOf: (stack: string) => Config): { markdown: string; ok: boolean } {
  const reasons = notConfigured(pages, configOf);
  const sections = pages.map((page) => {
    const why = reasons.get(page.stack);
    const [, ...problems] = page.reason.split('\n');
    return why === undefined ? asMarkdown([page]) : `### \`${page.stack}\`: not configured\n\n${why}\n\n\`\`\`text\n${problems.join('\n')}\n\`\`\`\n`;
  });
  return { markdown: sections.join('\n'), ok: pages.every(({ stack, outcome }) => outcome === 'previewed' || reasons.has(stack)) };
}

if (require.main === module) {
  const [file = ''] = process.argv.slice(2);
  const { markdown, ok } = pageOfPullRequest(JSON.parse(fs.readFileSync(file, 'utf8')) as Page[], (stack) => settingsOf(stack).config ?? {});
  process.stdout.write(markdown);
  process.exitCode = ok ? 0 : 1;
}
