/**
 * Part of Alloy's configuration that removes content from telemetry before anything is written to disk. It uses only functions of
 * the transformation language that Alloy 1.11 and later have.
 */
import { renderFile } from './template';

/** Values that are recognized by their form. */
export type KnownValue = 'emails' | 'keys' | 'cards';

export interface Redaction {
  /**
   * Whether prompts, completions, documents, arguments of tools and messages of errors are removed.
   * @default false
   */
  readonly content?: boolean;
  /**
   * Names of attributes that are removed; a `*` is any text.
   * @default none
   */
  readonly attributes?: readonly string[];
  /**
   * Kinds of values that are replaced, wherever they are in a text.
   * @default none
   */
  readonly values?: readonly KnownValue[];
  /**
   * What is replaced as well: a regular expression in the form of Go and RE2.
   * @default none
   */
  readonly pattern?: string | undefined;
  /**
   * Projects of Phoenix that all of this is for. Outside it is only what names a different project.
   * @default all
   */
  readonly projects?: readonly string[] | undefined;
}

/** Where telemetry enters it. */
export const redactionInput = 'otelcol.processor.transform.redaction.input';

const replacement = '[redacted]';

/** Issuers with cards of 16 digits, and American Express. Other numbers of this length, such as times, stay. */
const [sixteen, fifteen] = ['(4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(011|5[0-9]{2})|35[0-9]{2})([ -]?[0-9]{4}){3}', '3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}'];

const patterns: Readonly<Record<KnownValue, string>> = {
  emails: '[\\p{L}\\p{N}._%+-]+(@|%40)[\\p{L}\\p{N}-]+(\\.[\\p{L}\\p{N}-]+)*\\.\\p{L}{2,}',
  keys: [
    'sk-[A-Za-z0-9_-]{16,}',
    '(AKIA|ASIA)[A-Z0-9]{16}',
    'gh[pousr]_[A-Za-z0-9]{20,}', 'github_pat_[A-Za-z0-9_]{20,}', 'glpat-[A-Za-z0-9_-]{20,}',
    'xox[a-z]-[A-Za-z0-9-]{10,}', 'AIza[A-Za-z0-9_-]{35}', 'hf_[A-Za-z0-9]{30,}',
    'eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*',
    '(?i:bearer)(\\s|%20)+[A-Za-z0-9._~+/-]{16,}=*',
    '-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?',
    '://[^/\\s:@]*:[^/\\s@]+@',
  ].join('|'),
  cards: `\\b(${sixteen}|${fifteen})\\b`,
};

/**
 * Names of attributes with content: of OpenInference, the GenAI conventions, and the libraries that have their own. Each also
 * stands for the names that begin with it and a dot.
 */
const content = [
  '(input|output)', 'llm\\.(input_messages|output_messages|prompts|completions|choices|prompt_template|invocation_parameters|tools|function_call|request\\.functions)',
  '(retrieval|reranker)\\.(documents|input_documents|output_documents|query)', 'embedding\\.(embeddings|text|vector|invocation_parameters)',
  'tool\\.(description|parameters|json_schema)', '(tool_call|message|message_content|document|completion|audio|image|video)', 'prompt\\.text',
  '(annotations|evaluations|(trace|session)\\.(annotations|evaluations)|(annotation|evaluation)\\.(explanation|metadata))',
  'gen_ai\\.(retrieval|memory|prompt|completion|input|output|system_instructions|content|event\\.content|user|assistant|choice|tool\\.(definitions|description|message|call\\.(arguments|result))|evaluation\\.explanation)',
  'traceloop\\.(entity\\.(input|output)|prompt)', 'ai\\.(prompt|response\\.(text|object|toolCalls|reasoning|files)|result|toolCall\\.(args|result)|values?|embeddings?|schema)',
  '(pydantic_ai\\.)?(all_messages|all_messages_events|final_result|new_messages)', '(tool_arguments|tool_response|model_request_parameters)', '(request|response)_data',
  'db\\.(query|search)\\.(result\\.(document|metadata|vector|entity)|embeddings)', 'mcp\\.(request\\.argument|response\\.value)', 'events',
  'exception\\.(message|stacktrace)', 'error\\.message',
].join('|');

/** A text in the transformation language. */
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const anyOf = (names: readonly string[]): string => names.map((name) => name.split('*').map(literally).join('.*')).join('|');

const project = 'resource.attributes["openinference.project.name"]';

/**
 * The condition under which something is for one of these projects, or may be: Phoenix puts a span that names no project into that of
 * its trace.
 */
const isFor = (projects: readonly string[]): string =>
  `${project} == nil or ${project} == "" or IsMatch(${project}, ${quoted(`^(${projects.map(literally).join('|')})$`)})`;

/** Lists that Phoenix reads under their own name. They keep their form if nothing in them is replaced. */
const keptLists = ['tag.tags', 'gen_ai.response.finish_reasons'];

/** Numbers of embeddings: a list of a thousand takes Alloy milliseconds to make flat, sixty of them half a minute. */
const vectors = '(?i)(^|\\.)(vector|embeddings?)$';

/**
 * @param outputs the next components, by signal
 * @returns nothing that removes anything if there is nothing to remove
 */
export function redaction({ content: dropsContent = false, attributes = [], values = [], pattern, projects }: Redaction, outputs: Readonly<Record<'traces' | 'metrics' | 'logs', string>>): string {
  const names = [...(dropsContent ? [content] : []), ...(attributes.length > 0 ? [anyOf(attributes)] : [])];
  const dropped = names.length === 0 ? undefined : quoted(`(?is)^(${names.join('|')})(\\..*)?$`);
  const texts = [...values.map((value) => patterns[value]), ...(pattern === undefined ? [] : [pattern])];
  const replaced = texts.length === 0 ? undefined : quoted(texts.map((one) => `(?:${one})`).join('|'));
  const where = (condition: string | undefined): string => (condition === undefined ? '' : ` where ${condition}`);
  const known = values.length === 0 ? undefined : quoted(values.map((value) => `(?:${patterns[value]})`).join('|'));
  const without = (map: string, condition?: string): string[] => (dropped ? [`delete_matching_keys(${map}, ${dropped})${where(condition)}`] : []);
  // What is nested has no name and no text of its own before it is flat. What has one goes first: to make it flat takes time.
  const ofMap = (map: string, condition?: string, before: readonly string[] = [], after: readonly string[] = []): string[] => [
    ...without(map, condition),
    `delete_matching_keys(${map}, ${quoted(vectors)})${where(condition)}`,
    ...before,
    `flatten(${map})${where(condition)}`,
    ...without(map, condition),
    ...(replaced ? [`replace_all_patterns(${map}, "value", ${replaced}, "${replacement}")${where(condition)}`] : []),
    // Keys of nested objects are names now. Your own pattern may match a name that Phoenix needs.
    ...(known ? [`replace_all_patterns(${map}, "key", ${known}, "${replacement}")${where(condition)}`] : []),
    ...after,
  ];
  const aside = (name: string): { readonly from: string; readonly to: string } => ({ from: `span.attributes[${quoted(name)}]`, to: `span.cache[${quoted(name)}]` });
  const keeping = keptLists.map(aside).map(({ from, to }) => `set(${to}, ${from})${where(`IsList(${from})${replaced ? ` and not IsMatch(${from}, ${replaced})` : ''}`)}`);
  const restoring = keptLists.flatMap((name) => {
    const { from, to } = aside(name);
    return [`delete_matching_keys(span.attributes, ${quoted(`^${literally(name)}\\.`)})${where(`${to} != nil`)}`, `set(${from}, ${to})${where(`${to} != nil`)}`];
  });
  const ofText = (text: string, condition?: string): string[] => (replaced ? [`replace_pattern(${text}, ${replaced}, "${replacement}")${where(condition)}`] : []);
  const ofContent = (...statements: readonly string[]): readonly string[] => (dropsContent ? statements : []);
  const isGenAi = (name: string): string => `IsMatch(${name}, "^gen_ai\\\\.")`;
  const emptied = `set(log.body, "${replacement}")`;
  /** The resource comes last: it has the name of the project. */
  const signals = [
    { signal: 'trace', contexts: {
      spanevent: [...ofMap('spanevent.attributes'), ...ofText('spanevent.name'), ...ofContent(`delete_matching_keys(spanevent.attributes, ".*")${where(isGenAi('spanevent.name'))}`)],
      span: [...ofMap('span.attributes', undefined, keeping, restoring), ...ofText('span.name'), ...ofText('span.status.message'), ...ofContent(`set(span.status.message, "${replacement}")${where('span.status.message != ""')}`)],
    } },
    { signal: 'metric', contexts: { datapoint: ofMap('datapoint.attributes') } },
    { signal: 'log', contexts: {
      log: [
        ...ofContent(...['log.event_name', 'log.attributes["event.name"]'].map((name) => `${emptied}${where(isGenAi(name))}`)),
        ...ofMap('log.attributes'),
        ...ofMap('log.body', 'IsMap(log.body)'),
        ...ofText('log.body', 'IsString(log.body)'),
        // A list has no names, and no part of it can be replaced.
        `${emptied}${where('IsList(log.body)')}`,
      ],
    } },
  ];
  const blocks = signals.flatMap(({ signal, contexts }) =>
    Object.entries({ ...contexts, scope: ofMap('scope.attributes'), resource: ofMap('resource.attributes') })
      .map(([context, statements]) => ({ signal, context, statements, condition: projects === undefined ? false : isFor(projects) })));
  return renderFile('alloy/redaction.alloy.mustache', { ...outputs, blocks });
}
