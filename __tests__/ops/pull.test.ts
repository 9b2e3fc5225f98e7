import { execFile } from 'node:child_process';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { at, type Engine } from '../../engine';
import { pullImages, type Pulled, type PullOptions } from '../../ops/support/pull';
import { PullProgress } from '../../ops/support/pull-progress';
import { Failure } from '../../ops/support/say';
import { fakeEngine } from '../support/fake-engine';
import { endsWithTests } from '../support/web';

/** Two layers of 2 and 1 MB and one of a few bytes, as Docker 20.10 told of them; the bars of each line are left out. */
const classic = [
  { status: 'Pulling from team/app', id: '1.0.0' },
  { status: 'Pulling fs layer', progressDetail: {}, id: '78a09d121df0' },
  { status: 'Pulling fs layer', progressDetail: {}, id: '85c63a0d4af9' },
  { status: 'Pulling fs layer', progressDetail: {}, id: '729c695a669f' },
  { status: 'Downloading', progressDetail: { current: 36478, total: 1000486 }, id: '729c695a669f' },
  { status: 'Downloading', progressDetail: { current: 65, total: 520 }, id: '85c63a0d4af9' },
  { status: 'Downloading', progressDetail: { current: 36478, total: 2000802 }, id: '78a09d121df0' },
  { status: 'Downloading', progressDetail: { current: 658073, total: 1000486 }, id: '729c695a669f' },
  { status: 'Downloading', progressDetail: { current: 1283273, total: 2000802 }, id: '78a09d121df0' },
  { status: 'Download complete', progressDetail: {}, id: '729c695a669f' },
  { status: 'Verifying Checksum', progressDetail: {}, id: '85c63a0d4af9' },
  { status: 'Download complete', progressDetail: {}, id: '85c63a0d4af9' },
  { status: 'Downloading', progressDetail: { current: 2000802, total: 2000802 }, id: '78a09d121df0' },
  { status: 'Verifying Checksum', progressDetail: {}, id: '78a09d121df0' },
  { status: 'Download complete', progressDetail: {}, id: '78a09d121df0' },
  { status: 'Extracting', progressDetail: { current: 32768, total: 2000802 }, id: '78a09d121df0' },
  { status: 'Pull complete', progressDetail: {}, id: '78a09d121df0' },
  { status: 'Extracting', progressDetail: { current: 520, total: 520 }, id: '85c63a0d4af9' },
  { status: 'Pull complete', progressDetail: {}, id: '85c63a0d4af9' },
  { status: 'Pull complete', progressDetail: {}, id: '729c695a669f' },
  { status: 'Digest: sha256:6a6d1ab96065746337d73d36c3acc6a14d119869b14fbec80011ad5e51dc993a' },
  { status: 'Status: Downloaded newer image for 127.0.0.1:46831/team/app:1.0.0' },
];

/** A layer that broke off and went on: Docker 28.5 counts what is left. Its tries are shortened to one second each. */
const resumed = [
  { status: 'Pulling from team/cut', id: '1.0.0' },
  { status: 'Pulling fs layer', progressDetail: {}, id: 'cfa8a0bee506' },
  { status: 'Downloading', progressDetail: { current: 3711, total: 300272 }, id: 'cfa8a0bee506' },
  { status: 'Retrying in 5 seconds', progressDetail: {}, id: 'cfa8a0bee506' },
  { status: 'Retrying in 1 second', progressDetail: {}, id: 'cfa8a0bee506' },
  { status: 'Downloading', progressDetail: { current: 3655, total: 150136 }, id: 'cfa8a0bee506' },
  { status: 'Retrying in 10 seconds', progressDetail: {}, id: 'cfa8a0bee506' },
];

const line = (said: object): string => `${JSON.stringify(said)}\r\n`;
const failedBy = (error: string): object => ({ errorDetail: { message: error }, error });

describe('how far it has come', () => {
  /** What is shown after each line, without repetitions. */
  function shown(lines: readonly object[]): string[] {
    const progress = new PullProgress();
    const texts = lines.map((said) => (progress.take(line(said)), progress.toString()));
    return texts.filter((text, index) => text !== texts[index - 1]);
  }

  test('megabytes of all layers, as soon as it is known how large they are', () => {
    expect(shown(classic)).toEqual([
      '', '0 MB, 0 of 1 layer', '0 MB, 0 of 2 layers', '0 MB, 0 of 3 layers', '0 of 3 MB', '1 of 3 MB', '2 of 3 MB', '3 of 3 MB',
      'unpacking, 0 of 3 layers', 'unpacking, 1 of 3 layers', 'unpacking, 2 of 3 layers', 'done',
    ]);
  });

  test('a connection that broke off, and what is left of it', () => {
    expect(shown(resumed)).toEqual([
      '', '0 MB, 0 of 1 layer', '0 of 0 MB', 'the connection broke off, trying again in 5 s', 'the connection broke off, trying again in 1 s', '0 of 0 MB', 'the connection broke off, trying again in 10 s',
    ]);
    const progress = new PullProgress();
    resumed.forEach((said) => progress.take(line(said)));
    expect(progress.bytes).toBe(300272 - 150136 + 3655);
  });

  test('layers that are there already are no work', () => {
    expect(shown([{ status: 'Already exists', progressDetail: {}, id: 'a' }, { status: 'Pulling fs layer', progressDetail: {}, id: 'b' }])).toEqual(['', '0 MB, 0 of 1 layer']);
  });

  test('the image store of containerd: small parts come without a size', () => {
    expect(shown([
      { status: 'Pulling fs layer', progressDetail: {}, id: 'a' },
      { status: 'Pulling fs layer', progressDetail: {}, id: 'b' },
      { status: 'Downloading', progressDetail: { current: 1048576, total: 2000802 }, id: 'a' },
      { status: 'Download complete', progressDetail: { hidecounts: true }, id: 'b' },
      { status: 'Download complete', progressDetail: { hidecounts: true }, id: 'a' },
      { status: 'Extracting', progressDetail: { current: 1, units: 's' }, id: 'a' },
    ])).toEqual(['0 MB, 0 of 1 layer', '0 MB, 0 of 2 layers', '1 MB, 0 of 2 layers', '1 of 2 MB', 'unpacking, 0 of 2 layers']);
  });

  test('a line may come in pieces, and what is none is passed over', () => {
    const progress = new PullProgress();
    const text = `${line({ status: 'Downloading', progressDetail: { current: 1_000_000, total: 2_000_000 }, id: 'a' })}no line of a pull\r\n{"error":"and its end"}`;
    for (const letter of text) {
      progress.take(letter);
    }
    expect([progress.toString(), progress.error]).toEqual(['1 of 2 MB', undefined]);
    progress.end();
    expect(progress.error).toBe('and its end');
  });
});

/** What the engine answers to a pull: pieces of its answer, or a function that has the answer in its hands. */
type Pull = readonly object[] | { readonly status: number; readonly message: string } | ((response: http.ServerResponse) => void);

/** A Docker Engine that only pulls. */
async function pullingEngine(pulls: Readonly<Record<string, Pull>>): Promise<{ engine: Engine; asked: { query: Record<string, string>; login: string | undefined }[] }> {
  const asked: { query: Record<string, string>; login: string | undefined }[] = [];
  const server = http.createServer((request, response) => {
    if (request.url === '/_ping') {
      response.writeHead(200, { 'api-version': '1.51' }).end('OK');
      return;
    }
    const url = new URL(request.url ?? '', 'http://engine');
    expect([request.method, url.pathname]).toEqual(['POST', '/v1.51/images/create']);
    asked.push({ query: Object.fromEntries(url.searchParams), login: request.headers['x-registry-auth'] as string | undefined });
    const pull = pulls[url.searchParams.get('fromImage') ?? ''] ?? [];
    if (typeof pull === 'function') {
      pull(response);
    } else if ('message' in pull) {
      response.writeHead(pull.status, { 'content-type': 'application/json' }).end(JSON.stringify({ message: pull.message }));
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end((pull as readonly object[]).map(line).join(''));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endsWithTests(server);
  return { engine: at(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`), asked };
}

const alloy: Pulled = { service: 'alloy', reference: 'grafana/alloy:v1.18.1', own: false };
const phoenix: Pulled = { service: 'phoenix', reference: 'registry.example.com:5000/team/phoenix:20.26.1', own: true };
const [alloyName, phoenixName] = ['grafana/alloy', 'registry.example.com:5000/team/phoenix'];

let written: string[];
beforeEach(() => (written = []));
const options = (): PullOptions => ({
  stack: 'prod', again: 'npm run up -- --stack prod', logins: async () => ({}), status: { terminal: false, write: (text) => written.push(text) },
});

async function failure(run: Promise<void>): Promise<string> {
  const error = await run.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(Failure);
  return (error as Failure).message;
}

test('images are pulled by name and tag, and what came is told', async () => {
  const { engine, asked } = await pullingEngine({ [alloyName]: classic, [phoenixName]: [{ status: 'Status: Image is up to date for it' }] });
  await pullImages(engine, [alloy, phoenix], options());
  expect(asked.map(({ query }) => query).sort((a, b) => (a['fromImage'] ?? '').localeCompare(b['fromImage'] ?? ''))).toEqual([
    { fromImage: alloyName, tag: 'v1.18.1' },
    { fromImage: phoenixName, tag: '20.26.1' },
  ]);
  expect(written.slice(0, 2)).toEqual([
    'alloy    asking Docker Hub for grafana/alloy:v1.18.1\n',
    'phoenix  asking registry.example.com:5000 for registry.example.com:5000/team/phoenix:20.26.1\n',
  ]);
  expect(written.slice(2).sort()).toEqual(['alloy    grafana/alloy:v1.18.1 pulled (3 MB)\n', 'phoenix  registry.example.com:5000/team/phoenix:20.26.1 pulled\n']);
});

test('a digest stands in for the tag', async () => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
  const { engine, asked } = await pullingEngine({});
  await pullImages(engine, [{ ...alloy, reference: `grafana/alloy:v1.18.1@${digest}` }], options());
  expect(asked.map(({ query }) => query)).toEqual([{ fromImage: alloyName, tag: digest }]);
});

test('the login of each registry goes along in a header, and is shown nowhere', async () => {
  const { engine, asked } = await pullingEngine({ [phoenixName]: { status: 500, message: 'no basic auth credentials' } });
  const logins = async (reference: string): Promise<object> => (reference === phoenix.reference ? { header: 'czNjcmV0' } : {});
  const message = await failure(pullImages(engine, [alloy, phoenix], { ...options(), logins }));
  expect(Object.fromEntries(asked.map(({ query, login }) => [query['fromImage'], login]))).toEqual({ [alloyName]: undefined, [phoenixName]: 'czNjcmV0' });
  expect(message + written.join('')).not.toContain('czNjcmV0');
});

test('nothing to pull asks and says nothing', async () => {
  const { engine, asked } = await pullingEngine({});
  await pullImages(engine, [], options());
  expect([asked, written]).toEqual([[], []]);
});

test('they are pulled side by side', async () => {
  const waiting: http.ServerResponse[] = [];
  const both = (response: http.ServerResponse): void => {
    waiting.push(response.writeHead(200));
    if (waiting.length === 2) {
      waiting.forEach((one) => one.end(classic.map(line).join('')));
    }
  };
  const { engine } = await pullingEngine({ [alloyName]: both, [phoenixName]: both });
  await pullImages(engine, [alloy, phoenix], options());
  expect(written.filter((text) => text.includes('pulled (3 MB)'))).toHaveLength(2);
});

describe('a pull that fails', () => {
  test('at its beginning and in its middle: one failure for all, and the others come to their end', async () => {
    const third: Pulled = { service: 'gate', reference: 'nginx:1.30.6', own: false };
    const { engine } = await pullingEngine({
      [alloyName]: [...resumed, failedBy('unexpected EOF')],
      [phoenixName]: { status: 404, message: "pull access denied for registry.example.com:5000/team/phoenix, repository does not exist or may require 'docker login': denied: requested access to the resource is denied" },
      nginx: classic,
    });
    expect(await failure(pullImages(engine, [alloy, phoenix, third], options()))).toBe([
      '2 images cannot be pulled; nothing was deployed.',
      '  alloy: grafana/alloy:v1.18.1 from Docker Hub: the connection broke off (unexpected EOF)',
      "  phoenix: registry.example.com:5000/team/phoenix:20.26.1: the registry requires a login that may pull it, or does not know it (pull access denied for registry.example.com:5000/team/phoenix, repository does not exist or may require 'docker login': denied: requested access to the resource is denied)",
      '    npm run up -- --stack prod   # later',
      '    docker login registry.example.com:5000',
      '    npm run up -- --stack prod -c phoenix:image=arizephoenix/phoenix:version-20.26.1-nonroot',
    ].join('\n'));
    expect(written).toContain('gate     nginx:1.30.6 pulled (3 MB)\n');
    expect(written).toContain('alloy    grafana/alloy:v1.18.1 could not be pulled\n');
  });

  test("for want of room on the engine's disk", async () => {
    const { engine } = await pullingEngine({ [alloyName]: [...classic.slice(0, 9), failedBy('write /var/lib/docker/tmp/GetImageBlob1397593671: no space left on device')] });
    expect(await failure(pullImages(engine, [alloy], options()))).toMatch(/the engine's disk is full \(write .*: no space left on device\)\n {4}docker system df\n {4}docker image prune\n {4}npm run up -- --stack prod$/);
  });

  test('for a registry that falls silent: the engine would wait for ever', async () => {
    const stalled = (response: http.ServerResponse): void => void response.writeHead(200).write(classic.slice(0, 9).map(line).join(''));
    const { engine } = await pullingEngine({ [alloyName]: stalled });
    expect(await failure(pullImages(engine, [alloy], { ...options(), silenceMs: 60 }))).toContain('it does not answer in time (no answer within 0.06 s)');
  });

  test('nor does a store that repeats itself count as one that comes further', async () => {
    const again = (response: http.ServerResponse): void => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(line({ status: 'Downloading', progressDetail: { current: 1048576, total: 2000802 }, id: 'a' })), 10);
      response.on('close', () => clearInterval(timer));
    };
    const { engine } = await pullingEngine({ [alloyName]: again });
    expect(await failure(pullImages(engine, [alloy], { ...options(), silenceMs: 80 }))).toContain('it does not answer in time');
  });

  test('unpacking may take as long as it takes', async () => {
    const unpacking = (response: http.ServerResponse): void => {
      const end = classic.findIndex(({ status }) => status === 'Extracting');
      response.writeHead(200).write(classic.slice(0, end + 1).map(line).join(''));
      setTimeout(() => response.end(classic.slice(end + 1).map(line).join('')), 5_000);
    };
    const { engine } = await pullingEngine({ [alloyName]: unpacking });
    await pullImages(engine, [alloy], { ...options(), silenceMs: 3_000 });
    expect(written.at(-1)).toBe('alloy  grafana/alloy:v1.18.1 pulled (3 MB)\n');
  });

  test('because the engine is gone is no word about the registry', async () => {
    const dies = (response: http.ServerResponse): void => void response.writeHead(200).write(line(classic[0] ?? {}), () => response.destroy());
    const { engine } = await pullingEngine({ [alloyName]: dies });
    expect(await failure(pullImages(engine, [alloy], options()))).toMatch(new RegExp(`^The Docker Engine at ${engine.host} was lost while it pulled grafana/alloy:v1.18.1: .+\\.\n {4}DOCKER_HOST=${engine.host} docker info$`));
  });
});

test('of a pull that is left in the middle nothing more is said', async () => {
  const { engine } = await fakeEngine({ '/images/create': 'silence' });
  const stop = new AbortController();
  /** What is said of one, every millisecond. */
  const pulling = (signal?: AbortSignal): string[] => {
    const words: string[] = [];
    void pullImages(engine, [alloy], { ...options(), ...(signal ? { stop: signal } : {}), status: { terminal: false, everyMs: 1, write: (text) => void words.push(text) } }).catch(() => undefined);
    return words;
  };
  const [stopped, other] = [pulling(stop.signal), pulling()];
  stop.abort();
  const said = stopped.length;
  while (other.length < 20) {
    await new Promise(setImmediate);
  }
  expect(stopped).toHaveLength(said);
});

test('at a terminal the line of an image is rewritten in place while it comes, and its last word stays', async () => {
  const layer = { progressDetail: {}, id: 'a' };
  const pieces = [
    [{ status: 'Pulling fs layer', ...layer }, { status: 'Downloading', id: 'a', progressDetail: { current: 10e6, total: 100e6 } }],
    [{ status: 'Downloading', id: 'a', progressDetail: { current: 90e6, total: 100e6 } }],
    [{ status: 'Download complete', ...layer }],
    [{ status: 'Pull complete', ...layer }, { status: 'Status: Downloaded newer image for team/app:1.0.0' }],
  ];
  let goOn = (): void => {};
  const server = http.createServer((request, response) => {
    if (request.url === '/goes-on') {
      goOn();
      response.end();
      return;
    }
    if (request.url === '/_ping') {
      response.setHeader('Api-Version', '1.41').end('OK');
      return;
    }
    const [first = [], ...rest] = pieces;
    response.write(first.map(line).join(''));
    goOn = () => {
      response.write((rest.shift() ?? []).map(line).join(''));
      if (rest.length === 0) {
        response.end();
      }
    };
  });
  endsWithTests(server);
  const { port } = await new Promise<AddressInfo>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo)));
  const given = {
    command: `exec '${process.execPath}' --import tsx __tests__/support/pulling.ts ${port}`,
    steps: [['10 of 100 MB', '.'], ['90 of 100 MB', '.'], ['unpacking, 0 of 1 layer', '.']],
  };
  const { stdout } = await promisify(execFile)('python3', ['__tests__/support/terminal.py', JSON.stringify(given)], { env: { ...process.env, TERM: 'xterm' } });
  const { seen, status } = JSON.parse(stdout) as { seen: string; status: number };
  const up = '\u001b[1A\u001b[J';
  expect([status, seen.split('\r\n').filter((text) => !text.includes('asking'))]).toEqual([0, [
    `${up}phoenix  10 of 100 MB`, `${up}phoenix  90 of 100 MB`, `${up}phoenix  unpacking, 0 of 1 layer`, `${up}phoenix  team/app:1.0.0 pulled (100 MB)`, '',
  ]]);
});
