import { site, type Site } from './web';

const text = 'Hello.';
const [input, output] = [9, 3];

interface Question {
  readonly model: string;
  readonly stream?: boolean;
}

/** Responses as the documentation of the APIs has them. */
const answers: Readonly<Record<string, (question: Question) => object>> = {
  '/v1/chat/completions': ({ model }) => ({
    id: 'chatcmpl-1', object: 'chat.completion', created: 1_760_000_000, model,
    choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  }),
  '/v1/responses': ({ model }) => ({
    id: 'resp_1', object: 'response', created_at: 1_760_000_000, status: 'completed', error: null, incomplete_details: null, instructions: null, model,
    output: [{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] }],
    parallel_tool_calls: true, tool_choice: 'auto', tools: [],
    usage: { input_tokens: input, input_tokens_details: { cached_tokens: 0 }, output_tokens: output, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + output },
  }),
  '/v1/messages': ({ model }) => ({
    id: 'msg_1', type: 'message', role: 'assistant', model, content: [{ type: 'text', text }],
    stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: input, output_tokens: output },
  }),
};

/** The same message in events, which is how Claude Code asks for it. */
function messageEvents({ model }: Question): string {
  const events = [
    { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: input, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: output } },
    { type: 'message_stop' },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

/** The APIs of OpenAI and Anthropic: each question has the same answer. @returns the variables by which their libraries find it */
export async function modelApi(): Promise<Site & { readonly env: Readonly<Record<string, string>> }> {
  const api = await site(({ method, url, body }) => {
    const answer = answers[url.replace(/\?.*/, '')];
    if (method !== 'POST' || answer === undefined) {
      return { status: 404, headers: { 'content-type': 'application/json' }, body: { error: { type: 'not_found_error', message: `no such path: ${url}` } } };
    }
    const question = JSON.parse(body) as Question;
    return question.stream && url.startsWith('/v1/messages')
      ? { headers: { 'content-type': 'text/event-stream' }, body: messageEvents(question) }
      : { headers: { 'content-type': 'application/json' }, body: answer(question) };
  });
  const key = 'none-is-needed';
  return {
    ...api,
    env: {
      OPENAI_API_KEY: key, OPENAI_BASE_URL: `${api.url}/v1`,
      // The name that LlamaIndex knows.
      OPENAI_API_BASE: `${api.url}/v1`,
      ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: api.url,
    },
  };
}
