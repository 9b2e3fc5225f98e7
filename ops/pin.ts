/**
 * `npm run pin`: writes the digests of the pinned images into components/catalog.ts, as the image
 * registries currently report them. A tag can be moved; a reference with a digest cannot.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { images } from '../components/catalog';
import { pin } from './commands';
import { projectDir } from './support/backend';
import { main } from './support/command-line';
import { ensureEngine } from './support/docker';
import { choiceOf } from './support/engine-choice';
import { pinOf, withPin } from './support/pin';
import { defaultStack } from './support/project';
import { loginsOf } from './support/registry-login';
import { Failure, say } from './support/say';

const again = 'npm run pin';

main(pin.action(async () => {
  const choice = choiceOf({}, defaultStack);
  // It only queries registries: installing an engine for that would not be worth it.
  await ensureEngine(choice, 'never', again);
  const file = join(projectDir, 'components', 'catalog.ts');
  const logins = loginsOf({});
  const pins = await Promise.all(Object.entries(images).map(([service, pinned]) => pinOf(choice.engine, service, pinned, logins, again)));
  let source = await readFile(file, 'utf8');
  const problems: { readonly text: string; readonly mend: readonly string[] }[] = [];
  for (const pin of pins) {
    const written = pin.digest === undefined ? { why: pin.why ?? '', mend: pin.mend } : withPin(source, pin);
    if (typeof written === 'string') {
      source = written;
    } else {
      problems.push({ text: `  ${pin.service}: ${pin.reference}: ${written.why}`, mend: written.mend });
    }
  }
  if (problems.length > 0) {
    throw new Failure(['Nothing was written: all digests or none.', ...problems.map(({ text }) => text)].join('\n'), [...new Set(problems.flatMap(({ mend }) => mend))]);
  }
  await writeFile(file, source);
  pins.forEach(({ service, reference, digest }) => say(`${service}: ${reference}@${digest}`));
  say('Written to components/catalog.ts. The goldens and the README contain the references, too: npm test -- -u');
}));
