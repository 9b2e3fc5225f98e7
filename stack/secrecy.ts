/**
 * Settings are plain values, so that every part can read them. A value that was stored with `--secret` is found
 * by its text in everything that the program registers, and marked as secret there, whichever key it comes from.
 */
import * as pulumi from '@pulumi/pulumi';

/** Returns its argument, with every part that contains a secret value marked as secret. */
export type Cover = <T>(value: T) => T;

/** A shorter text counts only as a whole value, or as a whole word: a `2` is part of nearly everything. */
const letters = { value: 4, word: 8 };

/**
 * @param values secret values as set and as parsed: texts, numbers, URLs, lists and objects of these.
 * A boolean is not covered: what it switches is visible anyway.
 */
export function covering(values: readonly unknown[]): Cover {
  const texts = [...new Set(values.flatMap(textsIn))];
  if (texts.length === 0) {
    return (value) => value;
  }
  const hides = matcher(texts);
  const cover = (value: unknown): unknown => {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
      return pulumi.output(value).apply((known) => pulumi.output(cover(known)));
    }
    if (typeof value === 'string' || typeof value === 'number') {
      return hides(String(value)) ? pulumi.secret(value) : value;
    }
    if (Array.isArray(value)) {
      return value.map(cover);
    }
    // Resources and assets are not plain objects.
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
      return value;
    }
    const covered = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cover(inner)]));
    return Object.keys(value).some(hides) ? pulumi.secret(covered) : covered;
  };
  return cover as Cover;
}

/** Covers the inputs of all resources from now on, and the outputs of components. */
export function coverResources(cover: Cover): void {
  pulumi.runtime.registerStackTransformation(({ resource, type, props, opts }) => {
    // Its constructor is running, and has not marked it as a component yet.
    if ('registerOutputs' in resource) {
      const component = resource as unknown as { registerOutputs(outputs?: pulumi.Inputs): void };
      const register = component.registerOutputs.bind(component);
      component.registerOutputs = (outputs) => register(cover(outputs));
    }
    // The name of another stack is an ID, which cannot be a secret.
    return { props: type === 'pulumi:pulumi:StackReference' ? props : cover(props as pulumi.Inputs), opts };
  });
}

function textsIn(value: unknown): string[] {
  if (value instanceof URL) {
    const path = value.pathname.replace(/\/$/, '');
    return [value.href.replace(/\/$/, ''), value.host, value.hostname, path, value.search, ...value.searchParams.values()].filter((text) => text !== '');
  }
  if (typeof value === 'number') {
    return [String(value)];
  }
  if (typeof value === 'string') {
    const text = value.trim();
    // In a configuration file a text is in quotes.
    return text === '' || text === 'true' || text === 'false' ? [] : [text, JSON.stringify(text).slice(1, -1)];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function matcher(texts: readonly string[]): (text: string) => boolean {
  const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // Port 4318 is not part of 14318.
  const word = (text: string): string => `${/^[a-z0-9]/i.test(text) ? '(?<![a-z0-9])' : ''}${escaped(text)}${/[a-z0-9]$/i.test(text) ? '(?![a-z0-9])' : ''}`;
  const long = texts.filter((text) => text.length >= letters.value);
  const anywhere = new RegExp(long.length === 0 ? '(?!)' : long.map((text) => (text.length < letters.word ? word(text) : escaped(text))).join('|'), 'i');
  const short = texts.filter((text) => text.length < letters.value);
  // An environment variable is a whole value as well.
  return (text) => anywhere.test(text) || short.some((one) => text === one || text.endsWith(`=${one}`));
}
