import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { Alloy, Gate, Phoenix } from '../components';

const config = new pulumi.Config();
const host = 'ssh://me@docker.example.com';
const provider = new docker.Provider('host', { host });
const network = new docker.Network('traces', {}, { provider });
const store = new docker.Network('traces-store', { internal: true }, { provider });
const common = { stack: 'traces', owner: 'platform/traces' };

const phoenix = new Phoenix('traces-phoenix', {
  ...common,
  network: store,
  image: 'arizephoenix/phoenix:version-20.26.1-nonroot',
  auth: true,
  own: { firstPassword: config.requireSecret('firstPassword') },
  apiKeys: ['dashboards'],
  engine: { host },
  mostProjects: 1000,
  memoryMiB: 2048,
  cpus: '1.0',
  protectData: true,
}, { provider });

const rules = { names: ['localhost'], anyAddress: false, proxies: [], https: false, mostMiB: 64 };
const gate = new Gate('traces-gate', {
  ...common,
  network,
  image: 'nginx:1.30.6',
  backend: phoenix.backend,
  door: {
    store, destinations: [], rules, bind: ['127.0.0.1'], auth: true, uiPort: 6006, otlpGrpcPort: 14317, otlpHttpPort: 14318,
    ingestKeys: [phoenix.alloyKey], after: phoenix.container,
  },
}, { provider });

const alloy = new Alloy('traces-alloy', {
  ...common, network, image: 'grafana/alloy:v1.18.1', backends: [gate.backend], bind: ['127.0.0.1'], otlpGrpcPort: 4317,
  otlpHttpPort: 4318, uiPort: 12345, memoryMiB: 512, queueMiB: 512, cpus: '1.0', protectData: true,
}, { provider });

export const sendTo = alloy.endpoints.otlpHttp;
