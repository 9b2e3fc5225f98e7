/**
 * Part of Alloy's configuration that counts calls and tokens of language models from spans, for a store of metrics. It uses
 * only components that are generally available (Alloy 1.11 and later).
 */
import { checkService } from './catalog';
import { renderFile } from './template';

/** Where spans are sent to be counted. */
export const llmMetricsInput = 'otelcol.processor.transform.llm.input';

/**
 * Combinations of service, model, kind and status in each metric; all others are combined as `otel_metric_overflow`. Each
 * has seventeen series. 60,000 of them took 150 MiB with the limit of 1GiB, and 1.3 GiB without one (Alloy 1.11.0).
 */
const mostCombinations = (memoryMiB: number): number => Math.min(2000, Math.floor(memoryMiB / 2));

const attribute = (name: string): string => `attributes["${name}"]`;
const copied = (to: string, from: string): string => `set(${attribute(to)}, ${attribute(from)}) where ${attribute(to)} == nil and ${attribute(from)} != nil`;

const [kind, operation, model, service] = ['openinference.span.kind', 'gen_ai.operation.name', 'gen_ai.request.model', 'llm.service'];
const isA = (known: string, operations: string): string => `set(${attribute(kind)}, "${known}") where ${attribute(kind)} == nil and IsMatch(${attribute(operation)}, "^(${operations})$")`;

const tokens = [
  { type: 'input', attribute: 'gen_ai.usage.input_tokens', others: ['llm.token_count.prompt', 'gen_ai.usage.prompt_tokens'] },
  { type: 'output', attribute: 'gen_ai.usage.output_tokens', others: ['llm.token_count.completion', 'gen_ai.usage.completion_tokens'] },
];

/** Renames OpenInference attributes to those of the GenAI conventions, and the reverse for the kind of a span. */
const statements = [
  ...['llm.model_name', 'embedding.model_name', 'reranker.model_name'].map((name) => copied(model, name)),
  ...tokens.flatMap(({ attribute: to, others }) => others.map((from) => copied(to, from))),
  isA('LLM', 'chat|text_completion|generate_content'),
  isA('EMBEDDING', 'embeddings'),
  isA('TOOL', 'execute_tool'),
  isA('AGENT', 'create_agent|invoke_agent'),
  // The Vercel AI SDK sets no operation.
  `set(${attribute(kind)}, "LLM") where ${attribute(kind)} == nil and ${attribute(operation)} == nil and ${attribute(model)} != nil`,
  `set(${attribute(service)}, resource.attributes["service.name"])`,
  // Prompts are not counted, and a name of a megabyte is no label.
  `keep_keys(attributes, [${[kind, model, service, ...tokens.map(({ attribute: name }) => name)].map((name) => `"${name}"`).join(', ')}])`,
  'truncate_all(attributes, 128)',
];

/** The bucket boundaries that the GenAI conventions recommend. */
const seconds = Array.from({ length: 14 }, (_, power) => `"${10 * 2 ** power}ms"`).join(', ');
const counts = Array.from({ length: 14 }, (_, power) => `"${4 ** power}ms"`).join(', ');

/**
 * @param stores receivers of metrics, as Alloy's configuration names them
 * @param memoryMiB memory limit of Alloy
 */
export function llmMetrics(stores: readonly string[], memoryMiB: number): string {
  return renderFile('alloy/llm-metrics.alloy.mustache', { checkService, statements, tokens, most: mostCombinations(memoryMiB), every: '15s', seconds, counts, stores: stores.join(', ') });
}
