/**
 * Every setting, and what a stack reads of them.
 */
import { images } from '../components/catalog';
import { addresses, addressesOrAuto, hostNames } from './address-parse';
import { cpus, days, disk, memory, projects } from './amount-parse';
import { databaseKeys } from './database';
import { destinations } from './destinations';
import { dockerKeys } from './docker';
import { edgeKeys } from './edge';
import { exampleKeys } from './example';
import { grafanaKeys } from './grafana';
import { image } from './image-parse';
import { loginKeys } from './login';
import { networkKeys } from './network';
import { origins } from './origins';
import { boolean } from './parse';
import { offset, port } from './port-parse';
import { prometheusKeys } from './prometheus';
import { redactKeys } from './redact';
import { key, optional, type Key } from './setting';
import { storeKeys } from './store';
import { tlsKeys } from './tls';
import { tunnelKeys } from './tunnel';
import { victorialogsKeys } from './victorialogs';

/** Every setting. A test compares the README's table with this. */
export const keys = {
  'phoenix:uiPort': key('6006', 'Host port of the Phoenix page and REST API', port),
  'phoenix:otlpGrpcPort': key('14317', 'Host port for OTLP over gRPC straight to Phoenix', port),
  'phoenix:otlpHttpPort': key('14318', 'Host port for OTLP over HTTP straight to Phoenix', port),
  'phoenix:bind': key('127.0.0.1', 'Host addresses of these three ports, separated by commas; beyond loopback only with `phoenix:auth`, and over TLS (`tls:certificate`)', addresses),
  'phoenix:hosts': optional(
    'phoenix.lan',
    'Further host names by which Phoenix is reached, separated by commas. Without them it answers to `localhost`, its addresses, `phoenix:rootUrl` and the hostnames of the tunnel, and to anything else with 421',
    hostNames,
  ),
  'phoenix:egress': optional(
    'api.openai.com',
    'Servers that Phoenix may connect to, separated by commas: `name`, or `name:port` for a port other than 443. The servers of its login and mail are included; models in the playground need theirs, and `host.docker.internal` is the Docker host',
    destinations,
  ),
  'phoenix:retentionDays': optional('0', 'Days after which Phoenix deletes traces; 0 keeps them forever; without it the value set in Phoenix stays, which in a new database is forever', days),
  'phoenix:projects': key('1000', 'Projects that senders can create in Phoenix; spans of further ones go to the project `beyond-limit`', projects),
  'phoenix:storage': optional('20GiB', "Size that Phoenix's database may have, at least 256MiB. From 95 % on Phoenix takes no more spans, and they wait in Alloy's queue; without it the disk is the limit", disk(256, 'a database')),
  'phoenix:memory': key('2GiB', 'Memory limit of Phoenix, at least 768MiB', memory(768)),
  'phoenix:cpus': key('1', 'CPU limit of Phoenix, whose one process uses one core', cpus),
  'phoenix:metrics': key('true', 'Whether Phoenix has metrics on the private network, by which a change waits until everything is stored; `false` for a remote host whose kernel has no IPv6, where Phoenix does not start with them', boolean),
  'phoenix:journal': key('false', 'Whether what Phoenix has accepted is kept on disk until it is stored, and sent again when Phoenix is killed or cannot store it; [its price](docs/journal.md#price) is 128MiB of memory and at most 1GiB of disk', boolean),
  'phoenix:image': key(images.phoenix, 'Image of Phoenix, with a version', image('phoenix')),
  ...databaseKeys,
  ...loginKeys,
  'alloy:otlpGrpcPort': key('4317', 'Host port on which Alloy takes OTLP over gRPC', port),
  'alloy:otlpHttpPort': key('4318', 'Host port on which Alloy takes OTLP over HTTP', port),
  'alloy:uiPort': key('12345', "Host port of Alloy's own page (loopback)", port),
  'alloy:bind': key(
    'auto',
    'Host addresses on which Alloy takes OTLP, separated by commas; `auto` is loopback and the gateway of Docker\'s bridge; beyond these it is over TLS (`tls:certificate`)',
    addressesOrAuto,
  ),
  'alloy:auth': optional(
    'true',
    'Whether Alloy asks for a token on addresses of `alloy:bind` beyond this machine; the output `otlpToken` has it. Required if there are such addresses: `false` accepts senders without a token',
    boolean,
  ),
  'alloy:cors': optional(
    'https://app.example.com',
    'Websites whose pages may send OTLP over HTTP to Alloy, as origins separated by commas: `https://*.example.com` is every name below that domain, `http://localhost:*` every port. Without it browsers send nothing',
    origins,
  ),
  'alloy:llmMetrics': key('true', 'Whether Alloy counts the calls and tokens of language models from spans, for the store of metrics (`prometheus:url`): [docs/llm-metrics.md](docs/llm-metrics.md)', boolean),
  'alloy:ownMetrics': key('true', 'Whether Alloy sends its own metrics, which describe the telemetry pipeline, to the store of metrics: [docs/alerts.md](docs/alerts.md) lists the alerts that use them', boolean),
  'alloy:serviceAsProject': key('false', 'Whether the `service.name` of a span is its project in Phoenix where the sender names no project', boolean),
  ...redactKeys,
  'alloy:memory': key('1GiB', 'Memory limit of Alloy, at least 384MiB. The largest OTLP request is a sixteenth of it, at most 64 MiB, and at most 16 MiB where `phoenix:memory` is below 2GiB', memory(384)),
  'alloy:queue': key('2GiB', 'Telemetry that waits on disk while a backend does not take it, for each kind and backend, at least 128MiB. Full, Alloy answers 503, and senders try again', disk(128, 'what waits on disk')),
  'alloy:cpus': key('1', 'CPU limit of Alloy', cpus),
  'alloy:image': key(images.alloy, 'Image of Alloy, with a version', image('alloy')),
  'gate:image': key(images.gate, 'Image of the gates in front of Phoenix, of the stores of metrics and logs, and of what an edge stack sends to: nginx, with a version', image('gate')),
  ...storeKeys,
  ...prometheusKeys,
  ...victorialogsKeys,
  ...grafanaKeys,
  ...networkKeys,
  ...tlsKeys,
  ...tunnelKeys,
  ...edgeKeys,
  ...exampleKeys,
  'ports:offset': key('0', 'Added to every host port of the stack, which moves all of them past those of a different stack', offset, '100'),
  'data:protect': key('false', 'Whether the volumes with traces and undelivered spans are protected: they can be neither destroyed nor replaced, not by `npm run down -- --purge` either', boolean),
  ...dockerKeys,
} as const;

export type SettingKey = keyof typeof keys;

/**
 * Checked values under the keys of the stack file: ports as numbers, `ports:offset` added, memory in MiB, CPUs as the
 * provider spells them.
 */
export type Settings = { readonly [K in SettingKey]: ReturnType<(typeof keys)[K]['parse']> };

export const keyed: Readonly<Record<string, Key<unknown>>> = keys;

/** Keys that belong to the providers themselves; they check their values. */
export const providerKeys = [
  'cloudflare:apiKey', 'cloudflare:apiUserServiceKey', 'cloudflare:email', 'cloudflare:userAgentOperatorSuffix',
];

/** Those of them that no message may show. */
const providerSecrets = ['cloudflare:apiKey', 'cloudflare:apiUserServiceKey'];

export const isSecretKey = (name: string): boolean => providerSecrets.includes(name) || keyed[name]?.secret === true;
