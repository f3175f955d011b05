"""One payment from end to end: the request, the batch that it shared, load, decide and apply within it."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kaquan.api.tracing import Masking
from kaquan.kernel.caller import Role
from support.database import Database
from support.service import client, issue, served
from support.town import build


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """All spans of this process from now on: a process has one provider for its whole life."""
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(Masking())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def test_a_payment_is_traced_from_the_request_to_the_commit(database: Database, spans: InMemorySpanExporter) -> None:
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    card = town.sell(town.holder())
    number = town.rows("SELECT number FROM card WHERE id = %s", card.hex())[0][0]
    token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
    with served(database, town) as address, client(address, token) as till:
        body = {"merchant": "mall-1", "amount_fen": 700, "order_no": "o-1", "card": number}
        spans.clear()
        assert till.post("/v1/payments", json=body, headers={"Idempotency-Key": "k"}).status_code == 200
    named = {span.name: span for span in spans.get_finished_spans()}
    request, batch = named["POST /v1/payments"], named["batch PAY"]
    assert request.attributes is not None and request.attributes["http.response.status_code"] == 200
    assert [link.context.span_id for link in batch.links] == [request.context.span_id]
    for part in ("load", "decide", "apply"):
        assert named[part].parent is not None and named[part].parent.span_id == batch.context.span_id


def test_no_span_tells_a_card_number_or_a_person(database: Database, spans: InMemorySpanExporter) -> None:
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    card = town.sell(town.holder())
    number = town.rows("SELECT number FROM card WHERE id = %s", card.hex())[0][0]
    with served(database, town) as address, client(address, issue(town, Role.OPERATOR)) as operator:
        spans.clear()
        assert operator.get(f"/v1/cards/{number}").status_code == 200
        assert operator.get("/v1/audit", params={"person": "13912345678"}).status_code == 200
    told = " ".join(str(span.attributes) for span in spans.get_finished_spans())
    assert number not in told and "13912345678" not in told
    assert f"/v1/cards/…{number[-4:]}" in told
