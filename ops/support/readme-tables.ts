/**
 * The README's tables, generated from the code that they describe. A test compares the README with them, and `npm test -- -u`
 * updates it.
 */
import { bindOf, hostPortKeys, portsWith } from '../../settings/ports';
import { keys, type SettingKey } from '../../settings/keys';
import { commands } from '../commands';

/** What listens on each host port. */
const served: Partial<Record<SettingKey, string>> = {
  'phoenix:uiPort': 'Gate: Phoenix page and REST API',
  'phoenix:otlpGrpcPort': 'Gate: OTLP over gRPC to Phoenix, past Alloy',
  'phoenix:otlpHttpPort': 'Gate: OTLP over HTTP to Phoenix, past Alloy',
  'alloy:otlpGrpcPort': 'Alloy: OTLP over gRPC, for applications',
  'alloy:otlpHttpPort': 'Alloy: OTLP over HTTP, for applications',
  'alloy:uiPort': "Alloy: its own page, with a password",
  'prometheus:port': 'Gate: page and API of Prometheus',
  'victorialogs:port': 'Gate: page and API of VictoriaLogs',
  'example:port': 'Example AI service',
  'grafana:port': 'Grafana, with a password',
};

/** The default addresses of a port. */
const where = {
  'phoenix:bind': 'loopback (`phoenix:bind`)',
  'alloy:bind': "loopback and the gateway of Docker's bridge (`alloy:bind`)",
};

/** `| Setting | Default | What it does |`, one row per key, in the order of the code. */
export function settingsTable(): string {
  return table(
    ['Setting', 'Default', 'What it does'],
    Object.entries(keys).map(([key, { fallback, about }]) => [code(key), fallback ? code(fallback) : 'none', about]),
  );
}

/** `| Host port | Where | What | Setting |`, one row per port, in the order of the code. */
export function portsTable(): string {
  return table(
    ['Host port', 'Where', 'What', 'Setting'],
    hostPortKeys.map((key) => {
      const what = served[key];
      if (what === undefined) {
        throw new Error(`ops/support/readme-tables.ts does not describe what listens on ${key}`);
      }
      const bind = bindOf[key];
      return [code(keys[key].fallback ?? ''), bind ? where[bind] : 'loopback', portsWith[key] ? `${what}, with ${code(portsWith[key])}` : what, code(key)];
    }),
  );
}

/** `| Command | What it does | Options |`, one row per command, in the order of the help. */
export function commandsTable(): string {
  return table(
    ['Command', 'What it does', 'Options'],
    commands.map((command) => {
      const typed = command.name() === 'test' ? 'npm test' : `npm run ${command.name()}`;
      const arguments_ = command.registeredArguments.map(({ description }) => description);
      return [code(typed), command.summary(), [...arguments_, ...command.options.map(({ short, long = '' }) => code(short === '-c' ? short : long))].join(' ')];
    }),
  );
}

/** The text with everything between `<!-- name -->` and `<!-- /name -->` replaced by a table. */
export function withTable(markdown: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [markdown.indexOf(begin), markdown.indexOf(end)];
  if (from < 0 || to < from) {
    throw new Error(`there is no ${begin} … ${end} in it`);
  }
  return `${markdown.slice(0, from + begin.length)}\n${content}\n${markdown.slice(to)}`;
}

const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

/** A pipe ends a cell, in code as well. */
function escaped(cell: string): string {
  return cell.replace(/\|/g, '\\|');
}
