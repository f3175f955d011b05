"""Traces of requests, sent to an OpenTelemetry collector when the settings name one.

FastAPI makes the span of a request; the lanes make one of each batch, with links to the requests that share it.
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from kaquan.settings import Settings


def start(settings: Settings) -> None:
    """Send spans to the collector of the settings; without one nothing is traced, and it costs nothing."""
    if settings.otlp_url is None:
        return
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "kaquan"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_url)))
    trace.set_tracer_provider(provider)
