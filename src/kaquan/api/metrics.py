"""What is counted, in the form of Prometheus. Counting costs a fraction of what the library's own counters do: they
lock, and are found by their labels, for each request."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate

import structlog
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Seconds; what takes longer is counted above the last."""

log = structlog.get_logger()


class Requests:
    """Requests by operation: how many ended how, and how long they took. Counted in the loop of the server only."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._ended: Counter[tuple[str, int]] = Counter()
        self._within: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self._took: Counter[str] = Counter()

    def begun(self) -> None:
        """One more waits for its answer."""
        self.in_flight += 1

    def ended(self, request_id: str, operation: str, status: int, seconds: float) -> None:
        """One was answered; a line of the log tells."""
        self.in_flight -= 1
        self._ended[operation, status] += 1
        self._within[operation][bisect_left(BOUNDS, seconds)] += 1
        self._took[operation] += seconds  # type: ignore[assignment]
        log.info("request", request_id=request_id, operation=operation, status=status, ms=round(seconds * 1000))

    def collect(self) -> Iterator[Metric]:
        """The figures, for the library."""
        ended = CounterMetricFamily("kaquan_requests", "Requests by operation and status", labels=_BY_STATUS)
        for (operation, status), count in self._ended.copy().items():
            ended.add_metric([operation, str(status)], count)
        yield ended
        took = HistogramMetricFamily("kaquan_request_seconds", "Time from request to answer", labels=_BY_STATUS[:1])
        for operation, counts in list(self._within.items()):
            bounds = [*map(str, BOUNDS), "+Inf"]
            buckets = list(zip(bounds, map(float, accumulate(counts)), strict=True))
            took.add_metric([operation], buckets, float(self._took[operation]))
        yield took


_BY_STATUS = ("operation", "status")

REGISTRY = CollectorRegistry()
REQUESTS = Requests()
REGISTRY.register(REQUESTS)
IN_FLIGHT = Gauge("kaquan_requests_in_flight", "Requests that wait for their answer", registry=REGISTRY)
IN_FLIGHT.set_function(lambda: REQUESTS.in_flight)
WAITING = Gauge("kaquan_commands_waiting", "Commands queued in all lanes", registry=REGISTRY)


def exposition() -> bytes:
    """All figures as text."""
    return generate_latest(REGISTRY)
