"""What is counted, in the form of Prometheus."""

from functools import cache

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

log = structlog.get_logger()

REGISTRY = CollectorRegistry()
REQUESTS = Counter("kaquan_requests", "Requests by operation and status", ["operation", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "kaquan_request_seconds",
    "Time from request to answer",
    ["operation"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20),
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("kaquan_requests_in_flight", "Requests that wait for their answer", registry=REGISTRY)
WAITING = Gauge("kaquan_commands_waiting", "Commands queued in all lanes", registry=REGISTRY)


_requests = cache(lambda operation, status: REQUESTS.labels(operation, str(status)))
_seconds = cache(SECONDS.labels)


def count(request_id: str, operation: str, status: int, took: float) -> None:
    """A request that was answered, in the figures and in the log."""
    _requests(operation, status).inc()
    _seconds(operation).observe(took)
    log.info("request", request_id=request_id, operation=operation, status=status, ms=round(took * 1000))


def exposition() -> bytes:
    """All figures as text."""
    return generate_latest(REGISTRY)
