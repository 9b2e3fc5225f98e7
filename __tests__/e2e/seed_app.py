"""The seed's instrumentation, unchanged but for the address and the project's name."""
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

tracer_provider = register(
    project_name="my-ai-service",
    auto_instrument=True,
    endpoint=os.getenv("PHOENIX_COLLECTOR_ENDPOINT", "http://localhost:4318/v1/traces"),
)

resource = Resource(attributes={"service.name": "my-ai-service"})
exporter = OTLPMetricExporter(endpoint=f"http://{os.getenv('ALLOY_HOST')}:4318/v1/metrics")
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=15_000)
provider = MeterProvider(resource=resource, metric_readers=[reader])
metrics.set_meter_provider(provider)

logger_provider = LoggerProvider(resource=resource)
logger_provider.add_log_record_processor(
    BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"http://{os.getenv('ALLOY_HOST')}:4318/v1/logs"))
)
logging.getLogger("app").addHandler(LoggingHandler(logger_provider=logger_provider))

tracer = tracer_provider.get_tracer(__name__)
with tracer.start_as_current_span("answer", openinference_span_kind="chain"):
    with tracer.start_as_current_span("complete", openinference_span_kind="llm"):
        metrics.get_meter(__name__).create_counter("requests").add(1)
        logging.getLogger("app").warning("answered")

tracer_provider.shutdown()
provider.shutdown()
logger_provider.shutdown()
