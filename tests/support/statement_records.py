"""Records of statements, made by the pure rules from what books could say: a merchant's, a fund's, a holder's."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Account
from kaquan.ledger.movements import Movement
from kaquan.reporting import rules
from kaquan.reporting.model import Held, MakeStatement, Moved, Named, PartyFacts, PartyKind, Previous
from kaquan.reporting.sections import Names, account_name, balances
from kaquan.settlement.model import Cut

UNTIL = date(2025, 6, 30)
MADE = datetime(2025, 7, 2, 1, tzinfo=UTC)
CITY, SHOP, CARD, GIFT = Id(b"c" * 16), Id(b"s" * 16), Id(b"p" * 16), Id(b"q" * 16)
NAMES = Names({1: "jingxika"}, {CITY: "city"}, {SHOP: "一号店"})
CUT = Cut(microseconds(shanghai(UNTIL + timedelta(days=1))), 1_000)


def moved(account: Account, kind: Movement, contra: Account, amount: int, **more: Any) -> Moved:
    """One sort of postings on an account; a positive amount credits it."""
    debits, credits = (ZERO, Money(amount)) if amount > 0 else (Money(-amount), ZERO)
    told = {"program": 1, "fund": None, "day": date(2025, 6, 3), "times": 1, **more}
    return Moved(account=account, kind=kind, contra=contra, debits=debits, credits=credits, **told)


def recounted(rows: list[Moved], opening: dict[tuple[int, bytes], int]) -> list[Held]:
    """What a full recount gives when nothing is wrong."""
    sums = {(1, *key): amount for key, amount in opening.items()}
    for one in rows:
        key = (one.program, one.account, one.owner)
        sums[key] = sums.get(key, 0) + one.credits - one.debits
    return [
        Held(program, account, owner, Money(max(-amount, 0)), Money(max(amount, 0)))
        for (program, account, owner), amount in sums.items()
    ]


def record(named: Named, rows: list[Moved], opening: dict[tuple[int, bytes], int], **more: Any) -> dict[str, Any]:
    """The record that the rules make of a party."""
    previous = None
    if opening:
        columns = [["program", "text"], ["account", "account"], ["closing_fen", "balance"], ["owner", "hidden"]]
        closed = [
            ["jingxika", account_name(account), amount, owner.hex()] for (account, owner), amount in opening.items()
        ]
        before = {"sections": [{"name": "accounts", "columns": columns, "rows": closed}]}
        previous = Previous(1, date(2025, 5, 31), Cut(1, 1), bytes(range(32)), before)
    party = PartyFacts(named, previous, CUT, rows, recounted(rows, opening), more)
    found = balances(rules._opening(party), rows, party.held, rules._apart(named.kind, NAMES))
    command = MakeStatement(key="k", caller=OPERATOR, party=named.kind, who=named.id, until=UNTIL)
    return rules._record(command, party, rules._PARTS[named.kind](party, found, NAMES), MADE)


def merchant() -> dict[str, Any]:
    """A month with payments, a discount, a refund, and the settlement of the month before."""
    payable, kinds = Account.MERCHANT_PAYABLE, Movement
    rows = [
        moved(payable, kinds.PAY, Account.CARD_PRINCIPAL, 1_234_500, times=12),
        moved(payable, kinds.PAY, Account.CARD_BONUS, 65_500, times=5),
        moved(payable, kinds.PAY, Account.FUNDER_COMMITTED, 10_000, times=10, fund=CITY),
        moved(payable, kinds.REFUND, Account.CARD_PRINCIPAL, -2_345, day=date(2025, 6, 4)),
        moved(payable, kinds.SETTLE, Account.MERCHANT_PAYOUT, -13_468, day=date(2025, 6, 5)),
        moved(payable, kinds.SETTLE, Account.MERCHANT_RESERVE, -1_497, day=date(2025, 6, 5)),
        moved(payable, kinds.SETTLE, Account.FEE_INCOME, -90, day=date(2025, 6, 5)),
        moved(Account.MERCHANT_PAYOUT, kinds.SETTLE, payable, 13_468, day=date(2025, 6, 5)),
        moved(Account.MERCHANT_RESERVE, kinds.SETTLE, payable, 1_497, day=date(2025, 6, 5)),
        moved(Account.MERCHANT_DISCOUNT, kinds.PAY, Account.MERCHANT_DISCOUNT_BORNE, -500, times=1),
        moved(Account.MERCHANT_DISCOUNT_BORNE, kinds.PAY, Account.MERCHANT_DISCOUNT, 500, times=1),
    ]
    settled = {"program": "jingxika", "period_end": "2025-05-31", "pay_on": "2025-06-05", "gross": 17_400}
    settled |= {"refunds": 2_345, "fee": 90, "reserved": 1_497, "paid": 13_468, "carried": 0, "carry": 0}
    told = {"source": "custody"}
    settled["lines"] = [
        {"line": "gross", "amount_fen": 17_400, "rule": "payments", **told},
        {"line": "refunds", "amount_fen": -2_345, "rule": "refunds", **told},
        {"line": "fee_accrued", "amount_fen": -90, "rule": "settlement.fee_bps"},
        {"line": "reserved", "amount_fen": -1_497, "rule": "reserve.rate_bps", **told},
        {"line": "a line of later", "amount_fen": 0, "rule": "somewhere"},
    ]
    named = Named(PartyKind.MERCHANT, SHOP, "mall-1", "京喜一号店（总店）", "jingxi-stores")
    counts = {(date(2025, 6, 3), int(kinds.PAY)): 12}
    return record(named, rows, {(payable, b""): 15_055}, settlements=[settled], counts=counts)


def empty() -> dict[str, Any]:
    """A merchant that did not trade."""
    named = Named(PartyKind.MERCHANT, SHOP, "mall-2", "二号店", "jingxi-stores")
    return record(named, [], {}, settlements=[], counts={})


def funder() -> dict[str, Any]:
    """A fund that was paid in, promised, used, and given back to."""
    free, promised, kinds = Account.FUNDER_BUDGET, Account.FUNDER_COMMITTED, Movement
    rows = [
        moved(free, kinds.PAY_IN_FUND, Account.BANK_FISCAL, 10_000_000, program=0),
        moved(free, kinds.CLAIM, promised, -300_000, fund=CITY, times=300),
        moved(promised, kinds.CLAIM, free, 300_000, fund=CITY, times=300),
        moved(promised, kinds.PAY, Account.MERCHANT_PAYABLE, -120_000, times=120),
        moved(promised, kinds.EXPIRE_VOUCHER, free, -50_000, fund=CITY, times=50),
        moved(free, kinds.EXPIRE_VOUCHER, promised, 50_000, fund=CITY, times=50),
        moved(free, kinds.REFUND, Account.MERCHANT_PAYABLE, 1_000),
        moved(free, kinds.PAY_OUT_FUND, Account.BANK_FISCAL, -500_000, program=0),
    ]
    stocks = [
        {"program": 1, "stock": "off-10", "promised_fen": 300_000, "freed_fen": 50_000, "used_fen": 120_000},
    ]
    named = Named(PartyKind.FUNDER, CITY, "city", "市消费券专户", "bureau")
    return record(named, rows, {}, stocks=stocks, sweeps=[("2025-06-30", 50_000)])


def holder(count: int = 3) -> dict[str, Any]:
    """A wallet with a card that was topped up, spent with a voucher, and refunded."""
    start = microseconds(shanghai(date(2025, 6, 2)))
    kinds, rows, answers = Movement, list[Moved](), dict[bytes, dict[str, Any]]()

    def happened(place: int, kind: Movement, contra: Account, owner: Id, amount: int) -> None:
        account = Account.CARD_PRINCIPAL if owner == CARD else Account.CARD_BONUS
        at_us = start + place * 3_600_000_000
        day = date(2025, 6, 2) + timedelta(hours=place)
        told = {"owner": owner, "transfer": place.to_bytes(16, "big"), "at_us": at_us, "day": day}
        rows.append(moved(account, kind, contra, amount, **told))

    happened(0, kinds.TOP_UP, Account.CHANNEL, CARD, 100_000_00)
    happened(0, kinds.TOP_UP, Account.PROMO_DEFERRED, GIFT, 50_000)
    for number in range(count):
        place = number + 1
        happened(place, kinds.PAY, Account.MERCHANT_PAYABLE, CARD, -12_345)
        answers[place.to_bytes(16, "big")] = {
            "merchant": SHOP.hex(),
            "order_no": f"order-{number:06d}",
            "discount_fen": 1_000 if number == 1 else 0,
            "outside_fen": 0,
        }
    happened(count + 1, kinds.REFUND, Account.MERCHANT_PAYABLE, CARD, 2_345)
    answers[(count + 1).to_bytes(16, "big")] = {"merchant": SHOP.hex(), "order_no": "order-000000"}
    lots = {
        CARD: {"card": "3164", "fund": None, "expires_on": None},
        GIFT: {"card": "3164", "fund": None, "expires_on": "2025-12-31"},
    }
    return record(Named(PartyKind.HOLDER, Id(b"w" * 16)), rows, {}, lots=lots, answers=answers, orders=[])


RECORDS = {"merchant": merchant(), "empty": empty(), "funder": funder(), "holder": holder(), "long": holder(120)}
