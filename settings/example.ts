/**
 * Settings of the AI service to try a stack with, and the rules between them.
 */
import { isContainerItself } from '../components/address';
import { webUrl } from './address-parse';
import { BrokenRule } from './broken-rule';
import * as meant from './meant';
import { boolean, text } from './parse';
import { port } from './port-parse';
import { inWords, type Problem } from './problem';
import { key, optional, secret, setCommand, type Key } from './setting';
import { bearerToken } from './store-parse';

/** A part of the settings: `keys.ts` has all of them. */
export const exampleKeys = {
  'example:enabled': key('false', 'Whether an example AI service runs beside the stack and sends it traces, metrics and logs: [docs/example.md](docs/example.md)', boolean, 'true'),
  'example:port': key('10000', 'Host port of that service (loopback)', port),
  'example:model': optional('https://api.openai.com/v1', "Base URL of an OpenAI-compatible API whose model it uses; without it, a built-in stand-in answers", modelUrl),
  'example:modelName': optional('gpt-4o-mini', 'Name of the model at that API', text),
  'example:modelKey': secret('API key for that API', bearerToken),
} as const;

type ExampleKey = keyof typeof exampleKeys;

/** The settings that the rules look at. */
export type ExampleSettings = { readonly [K in ExampleKey]: ReturnType<(typeof exampleKeys)[K]['parse']> };

function modelUrl(raw: string): URL {
  const url = webUrl(raw);
  if (isContainerItself(url.hostname)) {
    throw new BrokenRule("inside the service's container that is the container itself; the Docker host is host.docker.internal", meant.fromContainer(raw));
  }
  if (url.search !== '' || url.hash !== '') {
    throw new BrokenRule('it is the part of the URL before /chat/completions, without a query', `${url.origin}${url.pathname}`);
  }
  return url;
}

const set = (name: ExampleKey): string => setCommand(name, exampleKeys[name] as Key<unknown>);

/**
 * Problems between settings that are each valid.
 * @param broken keys that already have a problem: they are set, and have no value
 */
export function exampleProblems(settings: ExampleSettings, broken: ReadonlySet<string>): Problem[] {
  const isSet = (name: ExampleKey): boolean => settings[name] !== undefined || broken.has(name);
  const others = (['example:modelName', 'example:modelKey'] as const).filter(isSet);
  if (!isSet('example:model')) {
    return others[0] === undefined || others.every((name) => broken.has(name)) ? []
      : [{ key: others[0], rule: `${inWords(others)} ${others.length === 1 ? 'is' : 'are'} for a model, and example:model, which says where it is, is not set`, mend: [set('example:model'), ...others.map((name) => `pulumi config rm ${name}`)] }];
  }
  return settings['example:model'] === undefined || isSet('example:modelName') ? [] : [{ key: 'example:model', rule: 'it needs example:modelName as well', mend: [set('example:modelName')] }];
}
