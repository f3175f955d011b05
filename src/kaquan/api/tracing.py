"""Traces of requests, sent to an OpenTelemetry collector when the settings name one.

FastAPI makes the span of a request; the lanes make one of each batch, with links to the requests that share it.
"""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from kaquan.api.masks import masked
from kaquan.settings import Settings


class Masking(SpanProcessor):
    """Takes card numbers out of the paths of spans, and queries whole: they may name persons."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """The framework has said already what was asked for."""
        told = span.attributes or {}
        for name in ("url.path", "http.target", "url.full"):
            if name in told:
                span.set_attribute(name, masked(str(told[name])))
        if "url.query" in told:
            span.set_attribute("url.query", "")


def on() -> bool:
    """Whether spans are kept by anybody."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def start(settings: Settings) -> None:
    """Send spans to the collector of the settings; without one nothing is traced, and it costs nothing."""
    if settings.otlp_url is None:
        return
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "kaquan"}))
    provider.add_span_processor(Masking())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_url)))
    trace.set_tracer_provider(provider)
