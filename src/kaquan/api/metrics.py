"""What is counted, in the form of Prometheus."""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Seconds; what takes longer is counted above the last."""

log = structlog.get_logger()

REGISTRY = CollectorRegistry()
IN_FLIGHT = Gauge("kaquan_requests_in_flight", "Requests that wait for their answer", registry=REGISTRY)
WAITING = Gauge("kaquan_commands_waiting", "Commands queued in all lanes", registry=REGISTRY)
_ENDED = Counter("kaquan_requests", "Requests by operation and status", ["operation", "status"], registry=REGISTRY)
_TOOK = Histogram(
    "kaquan_request_seconds", "Time from request to answer", ["operation"], buckets=BOUNDS, registry=REGISTRY
)


def begun() -> None:
    """One more request waits for its answer."""
    IN_FLIGHT.inc()


def ended(request_id: str, operation: str, status: int, seconds: float) -> None:
    """A request was answered; a line of the log tells."""
    IN_FLIGHT.dec()
    _ENDED.labels(operation, status).inc()
    _TOOK.labels(operation).observe(seconds)
    log.info("request", request_id=request_id, operation=operation, status=status, ms=round(seconds * 1000))


def exposition() -> bytes:
    """All figures as text."""
    return generate_latest(REGISTRY)
