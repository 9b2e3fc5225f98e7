import type { ServerResponse } from 'node:http';

/**
 * How a registry is to who asks for a repository: `open`, `private` (to known users only), `cut` and `slow` concern the
 * layers; every other is an answer to all requests.
 */
export type Mood = 'open' | 'private' | 'cut' | 'slow' | keyof typeof answers;

const type = { 'Content-Type': 'application/json; charset=utf-8' };
const page = { 'Content-Type': 'text/html' };

/** Answers of registries that give no image, each as its source gives it. */
export const answers = {
  /** GitLab's and GitHub's registry, to a token without the right. */
  forbidden: (response: ServerResponse, repository: string): void =>
    void response.writeHead(403, type).end(`${JSON.stringify({ errors: [{ code: 'DENIED', message: 'requested access to the resource is denied', detail: [{ Type: 'repository', Name: repository, Action: 'pull' }] }] })}\n`),
  /** Docker Hub, when an address has pulled as often as it may. */
  limited: (response: ServerResponse): void =>
    void response
      .writeHead(429, { ...type, 'RateLimit-Limit': '100;w=21600', 'RateLimit-Remaining': '0;w=21600', 'Docker-RateLimit-Source': '192.0.2.7', 'Retry-After': '21600' })
      .end('{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"}]}\n'),
  /** A registry whose storage is away (distribution's errcode.ErrorCodeUnavailable). */
  unavailable: (response: ServerResponse): void => void response.writeHead(503, type).end('{"errors":[{"code":"UNAVAILABLE","message":"service unavailable"}]}\n'),
  /** Docker Hub's load balancer (HAProxy), when nothing is behind it. */
  overloaded: (response: ServerResponse): void =>
    void response.writeHead(503, { ...page, 'Cache-Control': 'no-cache' }).end('<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n'),
  /** nginx in front of a registry that does not run. */
  'bad gateway': (response: ServerResponse): void =>
    void response.writeHead(502, page).end('<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n'),
  /** A network that wants a sign-in first answers to every address, with its own page. */
  portal: (response: ServerResponse): void => void response.writeHead(200, page).end('<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head><body></body></html>\n'),
  silent: (): void => {},
} as const;
