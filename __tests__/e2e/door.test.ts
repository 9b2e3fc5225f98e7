/** Who comes in by the ports on loopback: a website that is open in a browser on the same machine has its script run there. */
import { putPrograms } from '../lab/programs';
import { tempDir } from '../support/temp';
import { site, type Reply, type Request, type Site } from '../support/web';
import { fromElsewhere, intrusion, rebound, takeover } from '../support/website';

describe('a website in a browser', () => {
  interface Service extends Site {
    readonly port: number;
    readonly projects: ReadonlySet<string>;
    /** What it has let pass, without the ports. */
    readonly served: readonly string[];
  }

  /** Refuses a request that it does not let pass. @param origins of the service itself */
  type Guard = (request: Request, origins: readonly string[]) => Reply | undefined;

  const everybody: Guard = () => undefined;
  const byHost: Guard = ({ headers: { host } }, origins) => (origins.includes(`http://${host}`) ? undefined : { status: 421, body: 'not here' });
  const byOrigin: Guard = ({ headers: { origin } }, origins) => (origin === undefined || origins.includes(origin) ? undefined : { status: 403 });

  /** Lists and deletes projects as Phoenix does. */
  async function service(guard: Guard, headers: Readonly<Record<string, string>> = {}): Promise<Service> {
    const projects = new Set(['default', 'some-name']);
    const served: string[] = [];
    const started: Site = await site((request) => {
      const refusal = guard(request, [started.url, started.url.replace('127.0.0.1', 'localhost')]);
      if (refusal !== undefined) {
        return refusal;
      }
      const { 'content-type': type = 'nothing', origin = 'nobody' } = request.headers;
      served.push(`${request.method} ${request.url} ${type.split(';')[0]} from ${origin.replace(/:\d+$/, '')}`);
      if (request.method === 'DELETE') {
        return { status: projects.delete(request.url.replace('/v1/projects/', '')) ? 204 : 404, headers };
      }
      return { body: [...projects], headers };
    });
    return { ...started, port: Number(new URL(started.url).port), projects, served };
  }

  it('takes a browser: where there is none, the tests fail with the command that installs one', async () => {
    const takeBack = putPrograms(tempDir(), { 'dpkg-query': 'exit 1', 'apt-get': '[ "$1" = --version ]', env: 'echo "E: Unable to locate package" >&2; exit 100' });
    try {
      await expect(fromElsewhere(1, [])).rejects.toThrow(/\n {2}sudo apt-get install -y --no-install-recommends chromium$/);
    } finally {
      takeBack();
    }
  });

  describe('whose name leads to this machine', () => {
    it('reads and deletes where a service answers to any name', async () => {
      const { port, projects, requests } = await service(everybody);
      expect(await rebound(port, takeover('some-name'))).toEqual([
        { status: 200, body: '["default","some-name"]' },
        { status: 200, body: '["default","some-name"]' },
        { status: 204, body: '' },
      ]);
      expect([...projects]).toEqual(['default']);
      expect(new Set(requests.map(({ headers }) => headers.host))).toEqual(new Set([`evil.example:${port}`]));
    });

    it('does neither where a service answers to its own names alone', async () => {
      const { port, projects, served } = await service(byHost);
      expect(await rebound(port, takeover('some-name'))).toEqual(Array(3).fill({ status: 421, body: 'not here' }));
      expect([...projects]).toEqual(['default', 'some-name']);
      expect(served).toEqual([]);
    });
  });

  describe('with a name of its own', () => {
    /** What a browser sends to any origin without asking first. */
    const unasked = [
      'POST /graphql text/plain from http://evil.example',
      'POST /graphql text/plain from null',
      'POST /graphql nothing from http://evil.example',
      'POST /graphql multipart/form-data from http://evil.example',
      'POST /graphql text/plain from http://evil.example',
      'POST /graphql multipart/form-data from http://evil.example',
      'POST /graphql application/x-www-form-urlencoded from http://evil.example',
      'POST /v1/datasets/upload?sync=true multipart/form-data from http://evil.example',
      'POST /v1/traces text/plain from http://evil.example',
    ];

    it('gets requests into a service that checks only which name was asked, and reads no answer', async () => {
      const { port, served } = await service(byHost);
      const answers = await fromElsewhere(port, intrusion('evil'));
      const refused = { error: 'TypeError: Failed to fetch' };
      expect(answers).toEqual([...Array(7).fill('unreadable'), refused, 'unreadable', 'unreadable', refused]);
      expect(served.filter((request) => !request.startsWith('OPTIONS '))).toEqual(unasked);
    });

    it('gets in as JSON, too, and reads the answers, where a service consents to every origin', async () => {
      const { port, served } = await service(byHost, { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' });
      const answers = await fromElsewhere(port, intrusion('evil'));
      expect(answers.filter((answer) => answer !== 'unreadable')).toEqual(Array(2).fill({ status: 200, body: '["default","some-name"]' }));
      expect(served).toEqual(expect.arrayContaining([
        ...unasked, 'POST /graphql application/json from http://evil.example', 'POST /v1/traces application/json from http://evil.example',
      ]));
    });

    it('gets nothing into a service that checks the origin', async () => {
      const { port, requests, served } = await service(byOrigin);
      await fromElsewhere(port, intrusion('evil'));
      expect(requests).toHaveLength(intrusion('evil').length);
      expect(served).toEqual([]);
    });
  });
});
