/**
 * What an image registry responded, derived from the message of the engine, which sends the request. The engine's status says
 * little: 500 stands for a registry name that does not resolve as well as for a registry that returns 503. The messages were
 * recorded from Docker 20.10 and 28.5, the latter with both of its image stores.
 */
import { imageReference } from '../../components/image-reference';

/**
 * `unreachable` is a permanent property of the engine's network: no name, no route, refused or forbidden. Everything
 * else is temporary, or somebody fixes it.
 */
export type Sort =
  | 'unreachable' | 'proxy' | 'authority' | 'certificate' | 'plain' | 'portal' | 'limited' | 'login' | 'unknown' | 'platform' | 'space' | 'silent' | 'faulty' | 'cut' | 'other';

interface Kind {
  readonly sort: Sort;
  readonly when: RegExp;
  /** For a person, before the engine's own words. */
  readonly meaning: string;
}

/** The first match counts. */
const kinds: readonly Kind[] = [
  { sort: 'space', when: /no space left on device|disk quota exceeded/i, meaning: "the engine's disk is full" },
  { sort: 'limited', when: /toomanyrequests|\b429 Too Many/i, meaning: 'the registry answers 429: it was asked too often' },
  // If a proxy refuses the connection, the text of its status is all that Go's client reports.
  { sort: 'unreachable', when: /^(?:Forbidden|Unavailable For Legal Reasons)$/, meaning: "the engine's proxy forbids the way there" },
  { sort: 'proxy', when: /proxyconnect|socks connect|^(?:Proxy Authentication Required|Bad Request|Unauthorized|Not Found|Method Not Allowed|Too Many Requests|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Timeout)$/, meaning: "the engine's proxy does not let it through" },
  { sort: 'unreachable', when: /\blookup \S+?(?: on \S+)?: /, meaning: 'its name is not known where the engine runs' },
  { sort: 'unreachable', when: /connect: connection refused/, meaning: 'the connection is refused' },
  { sort: 'unreachable', when: /connect: (no route to host|network is unreachable|host is down|cannot assign requested address)/, meaning: 'there is no route to it from the engine' },
  { sort: 'unreachable', when: /connect: (permission denied|operation not permitted)/, meaning: 'the connection is forbidden' },
  { sort: 'authority', when: /unknown authority|self.signed certificate/i, meaning: 'the engine does not trust its certificate' },
  { sort: 'certificate', when: /x509:|\btls: /, meaning: 'its certificate is not valid' },
  { sort: 'plain', when: /server gave HTTP response to HTTPS client/, meaning: 'it does not use TLS, and the engine accepts that on loopback only' },
  { sort: 'portal', when: /error unmarshalling content|invalid character|unexpected media type|malformed HTTP/, meaning: 'what answers there is not a registry but a page, such as the sign-in page of a network' },
  { sort: 'platform', when: /no matching manifest|no match for platform/, meaning: "there is no such image for the engine's platform" },
  { sort: 'unknown', when: /manifest unknown|name unknown|repository name not known|manifest for it not found|: not found$/i, meaning: 'the registry does not know it' },
  { sort: 'login', when: /denied|unauthorized|no basic auth credentials|authentication required|authorization failed|\b40[13] (Unauthorized|Forbidden)/i, meaning: 'the registry requires a login that may pull it, or does not know it' },
  { sort: 'faulty', when: /unexpected (?:HTTP )?status[^:]*: 5\d\d/, meaning: 'the registry is out of order' },
  { sort: 'silent', when: /no answer within|Client\.Timeout|i\/o timeout|deadline exceeded|handshake timeout|timed out/, meaning: 'it does not answer in time' },
  { sort: 'cut', when: /unexpected EOF|\bEOF$|connection reset|broken pipe|short read|byte range request|verification failed|failed size validation/, meaning: 'the connection broke off' },
];

export interface Trouble {
  readonly sort: Sort;
  /** What it means, without the engine's words. */
  readonly meaning: string;
  /** As the rest of a sentence that names the image: what it means, and the engine's words. */
  readonly why: string;
}

/** @param words the engine's message; @param status of its response, if there was one */
export function troubleOf(words: string, status = 0): Trouble {
  const text = words.replace(/\s+/g, ' ').trim();
  const bare = withoutNames(text);
  const kind = kinds.find(({ when }) => when.test(bare)) ?? byStatus[status];
  return kind ? { sort: kind.sort, meaning: kind.meaning, why: `${kind.meaning} (${text})` } : plainly('other', text || unsaid);
}

/** An image may have any name, including "denied". */
function withoutNames(text: string): string {
  return text
    .replace(/^(?:unknown: )?failed to resolve reference "[^"]*": /, '')
    .replace(/(?:failed to do request: )?\b(?:Get|Head|Post) "[^"]*": /g, '')
    .replace(/ to https?:\/\/\S+:(?= )/g, ' to it:')
    .replace(/\b(manifest|pull access denied) for \S+?,? /g, '$1 for it ');
}

/** A problem that no engine has reported. */
export const plainly = (sort: Sort, meaning: string): Trouble => ({ sort, meaning, why: meaning });

const unsaid = 'the engine does not say why';

const byStatus: Readonly<Record<number, Kind | undefined>> = Object.fromEntries(
  ([[401, 'login'], [403, 'login'], [404, 'unknown'], [429, 'limited']] as const).map(([status, sort]) => [status, kinds.find((kind) => kind.sort === sort)]),
);

/** What the suggested commands need to know. */
export interface Wanted {
  readonly reference: string;
  /** The command to run again. */
  readonly again: string;
  /** Command that sets a different image. */
  readonly instead: (reference: string) => string;
  /** The pinned image, if the reference is a different one. */
  readonly pinned?: string | undefined;
}

/** Commands that help, the most likely one first. */
export function helpWith(sort: Sort, { reference, again, instead, pinned }: Wanted): string[] {
  const { registry = '', name = '' } = imageReference(reference) ?? {};
  const hub = registry === 'docker.io';
  const other = instead(pinned ?? `${name}:VERSION`);
  switch (sort) {
    case 'login':
      return [`docker login${hub ? '' : ` ${registry}`}`, ...(pinned ? [other] : [])];
    case 'limited':
      return [`docker login${hub ? '   # Docker Hub allows more pulls with a login' : ` ${registry}`}`, `${again}   # later`];
    case 'unknown':
      return [`${other}${pinned ? '' : '   # a version that exists'}`];
    case 'platform':
      return [`${instead('REGISTRY/IMAGE:VERSION')}   # one that is made for it`];
    case 'authority':
      return hub
        ? ['sudo cp authority.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates && sudo systemctl restart docker   # on the Docker host, with the authority of its network']
        : [`sudo install -D -m 644 authority.crt /etc/docker/certs.d/${registry}/ca.crt   # on the Docker host, with the authority that signed it`];
    case 'plain':
      return [`sudo sh -c 'echo "{\\"insecure-registries\\": [\\"${registry}\\"]}" > /etc/docker/daemon.json' && sudo systemctl restart docker   # on the Docker host; add it to the file where there is one`];
    case 'proxy':
      return ["docker info --format '{{.HTTPSProxy}}'   # the proxy that the engine uses", 'sudo systemctl edit docker   # [Service] Environment="HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT", then: sudo systemctl restart docker'];
    case 'unreachable':
      return ['sudo systemctl edit docker   # behind a proxy: [Service] Environment="HTTPS_PROXY=http://HOST:PORT", then: sudo systemctl restart docker', `${instead('MIRROR/IMAGE:VERSION')}   # from a registry that this network reaches`];
    case 'space':
      return ['docker system df', 'docker image prune', again];
    case 'certificate':
    case 'portal':
      return [`curl -v https://${hub ? 'registry-1.docker.io' : registry}/v2/   # what answers there`, again];
    default:
      return [`${again}   # later`];
  }
}
