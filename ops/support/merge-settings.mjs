/**
 * Merges a stack file (Pulumi.STACK.yaml) for git, setting by setting: what a user has set stays, and other changes of the
 * project are taken over. A merge by lines does not work for that: the first run adds a line at the top, and two new settings
 * in one place are no conflict.
 *
 *     node merge-settings.mjs BASE PROJECT USER
 *
 * The result is written to PROJECT. Exit code 1: git has to show the conflict.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import yaml from 'js-yaml';

/** The merged stack file; undefined if one of the three is no stack file. */
export function merged({ base, project, user, byLines }) {
  try {
    const settings = mergedSettings(settingsOf(base), settingsOf(project), settingsOf(user));
    return byLines !== undefined && says(byLines, settings) ? byLines : written(settings, { base, project, user });
  } catch (error) {
    if (error instanceof yaml.YAMLException) {
      return undefined;
    }
    throw error;
  }
}

function settingsOf(text) {
  const file = yaml.load(text) ?? {};
  if (![file, file.config ?? {}].every((part) => typeof part === 'object' && !Array.isArray(part))) {
    throw new yaml.YAMLException('no settings');
  }
  return { ...file, config: file.config ?? {} };
}

function mergedSettings(base, project, user) {
  return { ...mergedKeys(base, project, user), config: mergedKeys(base.config, project.config, user.config) };
}

/** In the order of the project's, with the user's additional ones at the end. */
function mergedKeys(base, project, user) {
  const keys = [...new Set([...Object.keys(project), ...Object.keys(user)])];
  const chosen = keys.map((key) => [key, same(user[key], base[key]) ? project[key] : user[key]]);
  return Object.fromEntries(chosen.filter(([, value]) => value !== undefined));
}

const same = (one, other) => canonical(one) === canonical(other);

/** The same text for the same value, in whatever order its keys are. */
function canonical(value) {
  const sorted = (_, part) => (part && typeof part === 'object' && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part);
  return JSON.stringify(value, sorted) ?? '';
}

/** Whether a text that git has merged by lines is a stack file with exactly these settings. */
function says(text, settings) {
  try {
    return same(settingsOf(text), settings);
  } catch {
    return false;
  }
}

/** Comments come first: those of the project, then those that the user has added. */
function written(settings, { base, project, user }) {
  const old = new Set(commentsOf(base));
  const comments = [...new Set([...commentsOf(project), ...commentsOf(user).filter((line) => !old.has(line))])];
  return [...comments, yaml.dump(settings, { lineWidth: -1 })].join('\n');
}

const commentsOf = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('#'));

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = process.argv.slice(2, 5);
  const [base, project, user] = files.map((file) => readFileSync(file, 'utf8'));
  const byLines = spawnSync('git', ['merge-file', '--stdout', files[1], files[0], files[2]], { encoding: 'utf8' });
  const result = merged({ base, project, user, byLines: byLines.status === 0 ? byLines.stdout : undefined });
  writeFileSync(files[1], result ?? byLines.stdout);
  process.exitCode = result === undefined ? 1 : 0;
}
