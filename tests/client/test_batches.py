"""Many payments in one call: each ends for itself, and only those in doubt are sent again."""

from typing import Any

from kaquan.client import NewPayment, NotFound, Payment, Refused, Retries, Unauthorized, Unknown, Unreachable
from kaquan.client.payments import BATCH_MAX
from support.fake_server import Handler, Step, client, cut, playing, problem, says

ORDERS = [NewPayment(merchant="mall-1", amount_fen=100, order_no=f"o-{number}", card="1") for number in range(4)]


def told(code: str, status: int, **more: Any) -> dict[str, Any]:
    return {"outcome": "problem", "problem": {"code": code, "status": status, "title": code, **more}}


def by_order(**wanted: dict[str, Any]) -> Step:
    """An item for each payment of the request: a problem where one is wanted."""

    def step(handler: Handler) -> None:
        sent = handler.script.asked[-1].body["payments"]
        paid = [wanted.get(one["order_no"].replace("-", "_"), paid_item(one)) for one in sent]
        says(200, {"items": paid})(handler)

    return step


def paid_item(sent: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": "effect", "payment": f"pay_{sent['order_no']}", "replayed": False}


def test_each_ends_for_itself_and_those_in_doubt_are_sent_again() -> None:
    first = by_order(
        o_1=told("balance_insufficient", 409, replayed=False),
        o_2=told("too_busy", 503),
        o_3=told("answer_unknown", 503),
    )
    with playing(first, by_order(o_3=told("not_found", 404))) as script, client(script) as till:
        ended = till.payments.create_many(ORDERS)
    assert [type(one) for one in ended] == [Payment, Refused, Payment, Unknown]
    assert isinstance(ended[2], Payment) and ended[2].payment == "pay_o-2"
    sent = [[one["idempotency_key"] for one in asked.body["payments"]] for asked in script.asked]
    assert len(set(sent[0])) == 4 and sent[1] == sent[0][2:]
    assert [one.key for one in ended] == sent[0]


def test_a_lost_answer_leaves_each_in_doubt() -> None:
    with playing(cut) as script, client(script, Retries(attempts=2, first_wait_ms=1)) as till:
        ended = till.payments.create_many(ORDERS)
    assert [type(one) for one in ended] == [Unknown] * 4 and len({one.key for one in ended}) == 4
    with (
        playing(by_order(o_1=told("too_busy", 503))) as script,
        client(script, Retries(attempts=2, first_wait_ms=1)) as till,
    ):
        ended = till.payments.create_many(ORDERS)
    assert [type(one) for one in ended] == [Payment, Unreachable, Payment, Payment] and len(script.asked) == 2


def test_what_the_whole_request_hears_each_hears() -> None:
    with playing(problem(401, "token_wrong")) as script, client(script) as till:
        ended = till.payments.create_many(ORDERS)
    assert [type(one) for one in ended] == [Unauthorized] * 4 and len(script.asked) == 1
    with playing(says(200, {"items": []})) as script, client(script) as till:
        assert [type(one) for one in till.payments.create_many(ORDERS)] == [Unknown] * 4


def test_many_go_in_several_requests_in_order() -> None:
    orders = [NewPayment(merchant="m", amount_fen=1, order_no=f"o-{number}") for number in range(BATCH_MAX + 3)]
    with playing(by_order(o_501=told("not_found", 404))) as script, client(script) as till:
        ended = till.payments.create_many(orders)
        assert till.payments.create_many([]) == []
    assert [len(asked.body["payments"]) for asked in script.asked] == [BATCH_MAX, 3]
    assert [number for number, one in enumerate(ended) if isinstance(one, NotFound)] == [501]
    assert all(one.payment == f"pay_o-{number}" for number, one in enumerate(ended) if isinstance(one, Payment))
