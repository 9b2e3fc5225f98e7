/** Dashboards for Grafana, as typed code. */
export { aiServices } from './ai-services';
export { pipeline } from './pipeline';
export { dataSource } from './panel';
