"""支付 Payments: one by one, or many in one call."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from kaquan.client.answers import Fen, NewPayment, Payment
from kaquan.client.errors import KaquanError, Problem, Told, Unanswered, Unknown, Unreachable, problem_of
from kaquan.client.keys import checked, new_key
from kaquan.client.resources import Resource, segment, understood
from kaquan.client.retries import Patience
from kaquan.client.transport import NOT_TAKEN_IN, RETRIED, Request, ended

BATCH_MAX = 500
"""Payments in one request; more are sent in several."""


class Payments(Resource):
    """支付 Payments, by `pay_…`."""

    def create(self, order: NewPayment, *, key: str | None = None, dry_run: bool = False) -> Payment:
        """Pay an order, or authorize it (`capture` false)."""
        return self._act("/v1/payments", Payment, order.body(), key or order.key or None, dry_run)

    def create_many(self, orders: Sequence[NewPayment], *, dry_run: bool = False) -> list[Payment | KaquanError]:
        """Pay many orders, each under its own key: in their order a payment each, or the error that it ended with.

        One that is refused stops no other. Those whose outcome is not known are sent again, and only those.
        """
        keyed = [msgspec.structs.replace(one, key=checked(one.key) if one.key else new_key()) for one in orders]
        ended: list[Payment | KaquanError] = []
        for start in range(0, len(keyed), BATCH_MAX):
            ended += self._batch(keyed[start : start + BATCH_MAX], dry_run)
        return ended

    def show(self, payment: str) -> Payment:
        """Who paid what, what came back."""
        return self._look(f"/v1/payments/{segment(payment)}", Payment)

    def show_order(self, merchant: str, order_no: str) -> Payment:
        """What became of an order, by the merchant's number. Raises `NotFound` when nothing was paid."""
        return self._look(f"/v1/orders/{segment(merchant)}/{segment(order_no)}", Payment)

    def capture(
        self, payment: str, amount_fen: Fen | None = None, *, key: str | None = None, dry_run: bool = False
    ) -> Payment:
        """Take an authorization, all or part of it; the rest is available again."""
        return self._act(
            f"/v1/payments/{segment(payment)}/capture", Payment, {"amount_fen": amount_fen}, key, dry_run
        )

    def void(self, payment: str, *, key: str | None = None, dry_run: bool = False) -> Payment:
        """Give an authorization up."""
        return self._act(f"/v1/payments/{segment(payment)}/void", Payment, {}, key, dry_run)

    def refund(
        self,
        payment: str,
        amount_fen: Fen | None = None,
        *,
        lines: Sequence[int] = (),
        reason: str = "",
        late: bool = False,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Payment:
        """Goods worth an amount come back, or lines of the order (from 1), or all that is left."""
        body = {"amount_fen": amount_fen, "lines": list(lines), "reason": reason, "late": late}
        return self._act(f"/v1/payments/{segment(payment)}/refunds", Payment, body, key, dry_run)

    def reverse(self, merchant: str, order_no: str, *, key: str | None = None, dry_run: bool = False) -> Payment:
        """Undo an order by its number, whatever became of it; a payment still on its way never takes effect."""
        return self._act("/v1/reversals", Payment, {"merchant": merchant, "order_no": order_no}, key, dry_run)

    def _batch(self, orders: Sequence[NewPayment], dry_run: bool) -> Iterator[Payment | KaquanError]:
        """One request's orders, in their order."""
        patience = self._calls.patience()
        settled: dict[int, Payment | KaquanError] = {}
        waiting = list(range(len(orders)))
        while waiting:
            try:
                items = self._send([orders[number] for number in waiting], dry_run, patience)
            except KaquanError as error:
                settled |= {number: _same(error, orders[number].key) for number in waiting}
                break
            heard = {
                number: _settled(item, orders[number].key, patience, dry_run)
                for number, item in zip(waiting, items, strict=True)
            }
            settled |= heard
            waiting = [number for number, one in heard.items() if isinstance(one, Unknown | Unreachable)]
            if not waiting or not patience.wait(None):
                break
        return (settled[number] for number in range(len(orders)))

    def _send(self, orders: Sequence[NewPayment], dry_run: bool, patience: Patience) -> Sequence[Any]:
        body = {"payments": [{**one.body(), "idempotency_key": one.key} for one in orders]}
        request = Request(
            method="POST", path="/v1/payments:batch", content=msgspec.json.encode(body), dry_run=dry_run, moves=True
        )
        items = self._calls.send(request, patience).get("items")
        if not isinstance(items, list) or len(items) != len(orders):
            raise Unknown("the answer does not tell of each payment")
        return items


def _settled(item: Any, key: str, patience: Patience, dry_run: bool) -> Payment | KaquanError:
    """What became of one payment; `Unknown` and `Unreachable` when it is worth asking again."""
    try:
        if item.get("outcome") != "problem":
            return understood(item, Payment, key)
        told = msgspec.convert(item.get("problem"), Told)
    except Unknown as unreadable:
        return unreadable
    except (AttributeError, msgspec.ValidationError):
        return Unknown("the answer was not readable", key=key)
    problem = problem_of(told, key=key, attempts=patience.attempts)
    if told.status not in RETRIED:
        return ended(problem, patience)
    if not dry_run and not problem.decided and told.code not in NOT_TAKEN_IN:
        patience.perhaps = True
    kind = Unknown if patience.perhaps else Unreachable
    about = {"key": key, "request_id": problem.request_id, "attempts": patience.attempts}
    return kind(f"after {patience.attempts} attempts: {problem}", problem=problem, **about)


def _same(error: KaquanError, key: str) -> KaquanError:
    """What happened to the whole request, as one payment's."""
    if isinstance(error, Problem):
        return type(error)(error.told, key=key, request_id=error.request_id, attempts=error.attempts)
    about: dict[str, Any] = {"problem": error.problem} if isinstance(error, Unanswered) else {}
    return type(error)(str(error), key=key, request_id=error.request_id, attempts=error.attempts, **about)
