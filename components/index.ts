/**
 * What a stack is made of, for programs of others, too: plain arguments in, typed outputs out. Nothing here knows a setting.
 */
export { Alloy, type AlloyArgs } from './alloy';
export type { Backend, Sender, Signal } from './backend';
export { CloudflareTunnel, type CloudflareTunnelArgs } from './cloudflare-tunnel';
export type { Door } from './door';
export { Egress, type Destination, type EgressArgs } from './egress';
export { Gate, type GateArgs } from './gate';
export { Journal, type JournalArgs } from './journal';
export { Phoenix, type PhoenixArgs } from './phoenix';
export type { Tls } from './tls';
export type { Attachment, Limits, ListedPorts, Mount, PublishedPort, Transform } from './workload';
