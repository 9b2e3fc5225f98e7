/**
 * The components of a stack, also for other programs: plain arguments in, typed outputs out. Nothing here knows about settings.
 */
export type { Engine } from '../engine';
export { Alloy, type AlloyArgs } from './alloy';
export type { Backend, Protocol, SenderArgs, Signal } from './backend';
export { CloudflareTunnel, type CloudflareTunnelArgs, type ServiceToken } from './cloudflare-tunnel';
export type { Door } from './door';
export { Egress, type Destination, type EgressArgs } from './egress';
export { ExampleService, type ExampleModel, type ExampleServiceArgs } from './example-service';
export { Gate, type GateArgs, type OwnPage } from './gate';
export { Grafana, type GrafanaArgs } from './grafana';
export type { Limits, Mount, Ulimit } from './hardening';
export { Journal, type JournalArgs } from './journal';
export { ApiKeyList, type ApiKeyListArgs } from './observability-resources';
export { Phoenix, type PhoenixArgs } from './phoenix';
export type { PhoenixDatabase } from './phoenix-database';
export type { OwnSecrets } from './phoenix-secrets';
export { Prometheus, type PrometheusArgs } from './prometheus';
export type { DoorEndpoints, PublishedDoor } from './published-door';
export type { Audience, Route } from './route';
export type { Tls } from './tls';
export type { Transform, Transforms } from './transform';
export { VictoriaLogs, type VictoriaLogsArgs } from './victorialogs';
export type { Attachment, ListedPorts, PublishedPort } from './workload';
