/**
 * The attributes of openinference-semantic-conventions 0.1.42, the version in Phoenix's image. An end-to-end test compares both
 * lists with the package: a new attribute has to be put into one of them.
 */

/** Attributes that hold, or may hold, what people and models write, and lists of such. */
export const contentAttributes: readonly string[] = [
  'annotation.explanation', 'annotation.metadata', 'audio.url', 'audio.mime_type', 'audio.transcript',
  'completion.text', 'document.id', 'document.score', 'document.content', 'document.metadata',
  'document.url', 'document.mime_type', 'document.name', 'embedding.text', 'embedding.vector',
  'evaluation.explanation', 'evaluation.metadata', 'image.url', 'message.role', 'message.content',
  'message.contents', 'message.name', 'message.tool_calls', 'message.function_call_name', 'message.function_call_arguments_json',
  'message.tool_call_id', 'message_content.type', 'message_content.text', 'message_content.image', 'message_content.audio',
  'message_content.video', 'message_content.document', 'message_content.id', 'message_content.signature', 'message_content.data',
  'message_content.encrypted_content', 'prompt.text', 'reranker.input_documents', 'reranker.output_documents', 'reranker.query',
  'annotations', 'evaluations', 'trace.annotations', 'trace.evaluations', 'session.annotations',
  'session.evaluations', 'output.value', 'output.mime_type', 'input.value', 'input.mime_type',
  'input.images', 'output.images', 'input.documents', 'output.documents', 'embedding.embeddings',
  'embedding.invocation_parameters', 'llm.function_call', 'llm.invocation_parameters', 'llm.input_messages', 'llm.output_messages',
  'llm.prompts', 'llm.choices', 'llm.prompt_template.template', 'llm.prompt_template.variables', 'llm.prompt_template.version',
  'llm.tools', 'tool.description', 'tool.parameters', 'retrieval.documents', 'tool.json_schema',
  'tool_call.id', 'tool_call.function.name', 'tool_call.function.arguments', 'tool_call.reasoning_signature', 'video.url',
];

/** The others: numbers, names, identifiers. */
export const otherAttributes: readonly string[] = [
  'annotation.name', 'annotation.score', 'annotation.label', 'annotation.annotator_kind', 'annotation.identifier',
  'evaluation.name', 'evaluation.score', 'evaluation.label', 'evaluation.annotator_kind', 'evaluation.identifier',
  'reranker.model_name', 'reranker.top_k', 'embedding.model_name', 'llm.model_name', 'llm.request.model_name',
  'llm.response.model_name', 'llm.provider', 'llm.system', 'decision.model_name', 'decision.request.model_name',
  'decision.response.model_name', 'decision.provider', 'decision.system', 'decision.token_count.input', 'decision.token_count.output',
  'llm.token_count.completion', 'llm.token_count.completion_details.audio', 'llm.token_count.completion_details.reasoning', 'llm.token_count.prompt', 'llm.token_count.prompt_details',
  'llm.token_count.prompt_details.audio', 'llm.token_count.prompt_details.cache_input', 'llm.token_count.prompt_details.cache_read', 'llm.token_count.prompt_details.cache_write', 'llm.token_count.total',
  'llm.finish_reason', 'llm.cost.completion', 'llm.cost.completion_details', 'llm.cost.completion_details.audio', 'llm.cost.completion_details.output',
  'llm.cost.completion_details.reasoning', 'llm.cost.prompt', 'llm.cost.prompt_details', 'llm.cost.prompt_details.audio', 'llm.cost.prompt_details.cache_input',
  'llm.cost.prompt_details.cache_read', 'llm.cost.prompt_details.cache_write', 'llm.cost.prompt_details.input', 'llm.cost.total', 'tool.name',
  'tool.id', 'metadata', 'tag.tags', 'openinference.span.kind', 'session.id',
  'user.id', 'agent.name', 'graph.node.id', 'graph.node.name', 'graph.node.parent_id',
  'prompt.vendor', 'prompt.id', 'prompt.url',
];
