/** The sender against a receiver that answers from a list, as one of OTLP does. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Sender } from '../../../ops/support/faults/sender';
import { endsWithTests } from '../../support/web';

interface Span {
  readonly spanId: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
}

type Said = { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> } | 'cut';

const retry = { firstMs: 1, giveUpMs: 60_000, timeoutMs: 10_000 };

/** @param answers in turn; the last one stands for all that follow */
async function receiver(...answers: Said[]): Promise<{ url: string; requests: Span[][] }> {
  const requests: Span[][] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      requests.push(resourceSpans[0]?.scopeSpans[0]?.spans ?? []);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined || answer === 'cut') {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '{"partialSuccess":{}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Sends until so many spans were sent, and to their end. */
async function sent(spans: number, url: string, options: { spansPerRequest?: number; spanBytes?: number; giveUpMs?: number } = {}): Promise<Sender> {
  const { spansPerRequest = 2, spanBytes = 1024, giveUpMs = retry.giveUpMs } = options;
  const sender = new Sender({ receiver: url, project: 'p', spansPerSecond: 1000, spansPerRequest, spanBytes, retry: { ...retry, giveUpMs } });
  sender.start();
  while (sender.sent < spans) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await sender.stop();
  return sender;
}

const ids = (requests: readonly Span[][]): string[] => requests.flatMap((spans) => spans.map(({ spanId }) => spanId));

test('every span that is answered 200 is known by its ID, and has one of its own', async () => {
  const { url, requests } = await receiver({ status: 200 });
  const sender = await sent(40, url);
  expect([...sender.accepted].sort()).toEqual(ids(requests).sort());
  expect(new Set(sender.accepted).size).toBe(sender.sent);
  expect(sender.accepted.filter((id) => !new RegExp(`^${sender.prefix}[0-9a-f]{8}$`).test(id))).toEqual([]);
  expect([sender.refused.size, sender.running]).toEqual([0, false]);
});

test('requests hold as many spans, and spans as many bytes, as they were asked to', async () => {
  const { url, requests } = await receiver({ status: 200 });
  await sent(10, url, { spansPerRequest: 5, spanBytes: 80 * 1024 });
  expect(requests.filter((spans) => spans.length !== 5)).toEqual([]);
  expect(requests.flat().filter(({ attributes }) => attributes.find(({ key }) => key === 'input.value')?.value.stringValue.length !== 80 * 1024)).toEqual([]);
});

test.each<[string, Said]>([429, 502, 503, 504].map<[string, Said]>((status) => [String(status), { status }]).concat([['a cut connection', 'cut'], ['503 with Retry-After', { status: 503, headers: { 'retry-after': '0' } }]]))(
  '%s: the same spans again, and accepted then',
  async (_, answer) => {
    const { url, requests } = await receiver(answer, { status: 200 });
    const sender = await sent(2, url);
    expect(sender.accepted).toHaveLength(sender.sent);
    expect(requests.length).toBe(sender.sent / 2 + 1);
    expect(new Set(ids(requests)).size).toBe(sender.sent);
  },
);

test.each<[string, Said]>([
  ['400', { status: 400 }],
  ['401', { status: 401 }],
  ['302', { status: 302, headers: { location: '/login' } }],
  ['500', { status: 500 }],
  ['partial success', { status: 200, body: '{"partialSuccess":{"rejectedSpans":"1"}}' }],
])('%s: given up at once', async (why, answer) => {
  const { url, requests } = await receiver(answer);
  const sender = await sent(2, url);
  expect([sender.accepted, [...sender.refused]]).toEqual([[], [[why, sender.sent]]]);
  expect(requests).toHaveLength(sender.sent / 2);
});

test('what is answered 503 for too long is given up', async () => {
  const { url } = await receiver({ status: 503 });
  const sender = await sent(2, url, { giveUpMs: 10 });
  expect([sender.accepted, [...sender.refused]]).toEqual([[], [['503', sender.sent]]]);
});
