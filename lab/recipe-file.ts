import { readFileSync } from 'node:fs';

/** A Dockerfile or a list of Python packages as an input of a recipe: a changed comment is no reason to build again. */
export function recipeFile(path: string): string {
  return withoutComments(readFileSync(path, 'utf8'));
}

/** Without blank lines and comment lines (from their first character on). */
export function withoutComments(text: string): string {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')).join('\n');
}
