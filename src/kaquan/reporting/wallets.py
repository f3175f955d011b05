"""What a holder's statement says of her wallet: each lot with its balances, each movement with its tenders. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from kaquan.kernel.clock import SHANGHAI, instant
from kaquan.ledger.chart import Account
from kaquan.ledger.movements import Movement, movement_name
from kaquan.reporting.model import PartyFacts
from kaquan.reporting.sections import HIDDEN, Balance, Column, Names, grouped, net, section

ACCOUNT_COLUMNS: tuple[Column, ...] = (
    ("program", "text"),
    ("card", "text"),
    ("account", "account"),
    ("fund", "text"),
    ("expires_on", "day"),
    ("opening_fen", "fen"),
    ("in_fen", "fen"),
    ("out_fen", "fen"),
    ("closing_fen", "fen"),
    ("ledger_fen", "fen"),
    *HIDDEN,
)
MOVEMENT_COLUMNS: tuple[Column, ...] = (
    ("at", "instant"),
    ("movement", "movement"),
    ("merchant", "text"),
    ("order_no", "text"),
    ("principal_fen", "fen"),
    ("bonus_fen", "fen"),
    ("subsidy_fen", "fen"),
    ("discount_fen", "fen"),
    ("outside_fen", "fen"),
    ("balance_fen", "balance"),
)
_BACK = frozenset({Movement.REFUND, Movement.REVERSE})
_PARTS = (Account.CARD_PRINCIPAL, Account.CARD_BONUS, Account.CARD_SUBSIDY)


def sections(party: PartyFacts, found: list[Balance], names: Names) -> list[dict[str, Any]]:
    """The parts of the record, in their order."""
    opening = sum(one.opening for one in found)
    return [_lots(found, party.more["lots"]), _movements(party, opening, names), _kinds(found)]


def _lots(found: Sequence[Balance], lots: Mapping[bytes, Mapping[str, Any]]) -> dict[str, Any]:
    rows = []
    for one in found:
        lot = lots.get(one.owner, {})
        known = (lot.get("card", ""), one.account, lot.get("fund") or "", lot.get("expires_on"))
        amounts = (one.opening, one.came_in, one.went_out, one.closing, one.ledger)
        rows.append((one.program, *known, *amounts, *one.hidden))
    return section("accounts", ACCOUNT_COLUMNS, rows)


def _kinds(found: Sequence[Balance]) -> dict[str, Any]:
    """What is left, by what it is: what she paid, what she was given, what subsidies paid."""
    sums: dict[str, int] = {}
    for one in found:
        sums[one.account] = sums.get(one.account, 0) + one.closing
    return section("kinds", (("account", "account"), ("closing_fen", "fen")), list(sums.items()))


def _movements(party: PartyFacts, opening: int, names: Names) -> dict[str, Any]:
    """In the order of time. Of what was paid the amounts are negative; vouchers and cash stand beside the card."""
    told = {one: _told(answer, names) for one, answer in party.more["answers"].items()}
    events: list[tuple[int, bytes, int, dict[str, Any]]] = []
    for (at_us, transfer, kind), parts in grouped(party.moved, lambda one: (one.at_us, one.transfer, one.kind)):
        sums = {account: sum(net(part) for part in parts if part.account == account) for account in _PARTS}
        events.append((at_us, transfer, kind, {**told.get(transfer, {}), "sums": sums}))
    for one in party.more["orders"]:
        events.append((one["at_us"], one["id"], Movement.PAY, {**_told(one, names), "sums": {}}))
    balance, rows = opening, []
    for at_us, _, kind, about in sorted(events, key=lambda event: event[:3]):
        sums = about["sums"]
        balance += sum(sums.values())
        sign = 1 if kind in _BACK else -1
        rows.append(
            (
                instant(at_us).astimezone(SHANGHAI).isoformat(timespec="seconds"),
                movement_name(kind),
                about.get("merchant", ""),
                about.get("order_no", ""),
                *(sums.get(account, 0) for account in _PARTS),
                sign * about.get("discount_fen", 0),
                sign * about.get("outside_fen", 0),
                balance,
            )
        )
    return section("movements", MOVEMENT_COLUMNS, rows)


def _told(answer: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """What the answer of a command says that postings do not."""
    merchant = answer.get("merchant")
    if not merchant or "order_no" not in answer:
        return {}
    return {
        "merchant": names.merchants.get(bytes.fromhex(merchant), ""),
        "order_no": answer["order_no"],
        "discount_fen": answer.get("discount_fen", 0),
        "outside_fen": answer.get("outside_fen", 0),
    }
