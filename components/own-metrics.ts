/**
 * Part of Alloy's configuration that sends its own metrics to a store of metrics: those that the alerts in
 * templates/prometheus/pipeline.rules.yml use.
 */
import { ports } from './catalog';
import { renderFile } from './template';

/** Names of the metrics that are sent, as a regular expression. Alloy has ten times as many. */
const kept = [
  'up',
  'alloy_build_info',
  'alloy_config_last_load_.*',
  'alloy_component_controller_running_components',
  'alloy_resources_process_(cpu_seconds_total|resident_memory_bytes|start_time_seconds)',
  'http_server_request_duration_seconds_count',
  'otelcol_(receiver|exporter)_.*',
  'otelcol_processor_(accepted|refused)_.*',
  'prometheus_remote_storage_samples_.*',
  'prometheus_remote_storage_(highest_timestamp_in|queue_highest_sent_timestamp)_seconds',
];

/**
 * @param stores receivers of metrics, as Alloy's configuration names them
 * @param instance the label by which its series are told from those of a different Alloy
 */
export function ownMetrics(stores: readonly string[], instance: string): string {
  return renderFile('alloy/own-metrics.alloy.mustache', { port: ports.alloy.ui, stores: stores.join(', '), kept: kept.join('|'), instance });
}
