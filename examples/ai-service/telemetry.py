"""What the service sends: traces with Phoenix's library, metrics and logs with OpenTelemetry's, all as OTLP over HTTP."""
import logging
import os

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from phoenix.otel import register

NAME = "ai-service"
ENDPOINT = os.getenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318").rstrip("/")

resource = Resource.create({"service.name": NAME})

# The OpenAI instrumentation is installed, so that model calls become spans by themselves.
traces = register(
    project_name=NAME,
    resource=resource,
    endpoint=f"{ENDPOINT}/v1/traces",
    batch=True,
    auto_instrument=True,
    verbose=False,
)
tracer = traces.get_tracer(NAME)

reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{ENDPOINT}/v1/metrics"), export_interval_millis=15_000)
meters = MeterProvider(resource=resource, metric_readers=[reader])
metrics.set_meter_provider(meters)
meter = meters.get_meter(NAME)
requests = meter.create_counter("ai_service.requests", description="Messages, by outcome")
duration = meter.create_histogram("ai_service.request.duration", unit="s", description="Time until the answer")

logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{ENDPOINT}/v1/logs")))
log = logging.getLogger(NAME)
log.setLevel(logging.INFO)
# A record that is made within a span has its trace ID.
log.addHandler(LoggingHandler(logger_provider=logs))
log.addHandler(logging.StreamHandler())


def shutdown() -> None:
    """Sends what is left."""
    for provider in (traces, meters, logs):
        provider.shutdown()
