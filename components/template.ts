import * as fs from 'node:fs';
import * as path from 'node:path';
import Mustache from 'mustache';

/** Escapes a value for the inside of a double-quoted string; JSON's escapes are also Alloy's. */
const quoted = (value: unknown): string => JSON.stringify(String(value)).slice(1, -1);

/** Mustache's lookup, except that a key without a value is an error instead of an empty string. */
class StrictContext extends Mustache.Context {
  override lookup(name: string): unknown {
    const value: unknown = super.lookup(name);
    if (value === undefined || value === null) {
      throw new Error(`the template names '${name}', which it was not given`);
    }
    return value;
  }

  override push(view: unknown): Mustache.Context {
    return new StrictContext(view, this);
  }
}

/**
 * Renders a mustache template strictly: `{{key}}` is escaped for the inside of a double-quoted
 * string (never as HTML), `{{{key}}}` is not escaped, a missing key throws. There are no partials.
 */
export function render(template: string, view: object): string {
  return new Mustache.Writer().render(template, new StrictContext(view), noPartial, { escape: quoted });
}

/** Without this a partial would silently be empty. */
function noPartial(name: string): never {
  throw new Error(`the template includes '${name}', and there are no partials`);
}

/** Text of `templates/<file>`, not rendered. */
export const templateText = (file: string): string => fs.readFileSync(path.join(__dirname, '..', 'templates', file), 'utf8');

/**
 * Renders `templates/<file>`.
 * @throws Error naming the file, if it does not exist or uses a key that `view` lacks.
 */
export function renderFile(file: string, view: object): string {
  try {
    return render(templateText(file), view);
  } catch (error) {
    throw new Error(`templates/${file}: ${(error as Error).message}`);
  }
}
