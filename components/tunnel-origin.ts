import { isContainerItself } from './address';
import { whyNoWebUrl } from './web-url';

/** OTLP over gRPC: the port of Alloy and of Phoenix, and Phoenix's port on a host. */
const grpcPorts = ['4317', '14317'];

const noGrpc = 'gRPC does not pass a public hostname of Cloudflare; send OTLP over HTTP, which Alloy takes on port 4318 and Phoenix on 6006';

/**
 * The rule that a text breaks as a service behind a tunnel; undefined if it breaks none. Such a service is an http or https URL
 * without a path, and not gRPC, which Cloudflare does not support on a public hostname: OTLP uses HTTP here.
 */
export function whyNoTunnelOrigin(text: string): string | undefined {
  if (/^grpcs?:/i.test(text)) {
    return noGrpc;
  }
  const broken = whyNoWebUrl(text);
  if (broken !== undefined) {
    return broken;
  }
  const { port, pathname, hostname } = new URL(text);
  if (grpcPorts.includes(port)) {
    return noGrpc;
  }
  if (pathname !== '/' || /[?#]/.test(text)) {
    return 'a service is a host and a port; the path of a request is passed on as it is';
  }
  return isContainerItself(hostname) ? "inside the connector's container that is the container itself; the Docker host is host.docker.internal" : undefined;
}
