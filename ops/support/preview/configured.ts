/**
 * Environments that are not filled in yet. They are no error: a fork has them, and so has a new checkout.
 */
import { shortName } from '../../../components/names';
import type { Problem } from '../../../settings/problem';
import { standsEmpty } from '../../../settings/settings';
import { notConfigured, type Page } from './page';

/**
 * A page whose only problems are empty settings is one that is not configured; any other stays unchanged.
 * @param names of the settings in the stack file
 */
export function whereEmpty(page: Page, names: readonly string[]): Page {
  const isEmpty = ({ rule }: Problem): boolean => rule === standsEmpty;
  // The token of a tunnel is missing too, though it is in no stack file.
  const isOpen = (problem: Problem): boolean => isEmpty(problem) || (problem.key === 'cloudflare:apiToken' && !names.includes(problem.key));
  return page.problems.some(isEmpty) && page.problems.every(isOpen)
    ? notConfigured(page, `Settings in Pulumi.${page.stack}.yaml are still empty. Fill them in to get a preview:`)
    : page;
}

/** An edge stack has no preview either, as long as its central stack is not configured. */
export function withCentral(pages: readonly Page[]): Page[] {
  const open = pages.filter(({ outcome }) => outcome === 'notConfigured').map(({ stack }) => stack);
  return pages.map((page) => {
    const [problem, ...more] = page.problems;
    const central = more.length === 0 && problem?.key === 'edge:central' ? shortName(problem.value ?? '') : '';
    return page.outcome === 'refused' && open.includes(central) ? notConfigured(page, `It sends to ${central}, which is not configured yet:`) : page;
  });
}
