"""What is given away must be payable and countable: who pays adds up, each voucher can take something off, windows
are in order. Pure.

Funding is of stocks: plans, referrals and packets hand out vouchers of a stock, and its funders pay.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from kaquan.kernel.money import WHOLE
from kaquan.kernel.refusal import Fact, Refusal
from kaquan.programs import errors
from kaquan.programs.grants import BONUSES, MERCHANT, Drip, PacketPool, Stock
from kaquan.programs.liability import supply
from kaquan.programs.terms import ProgramTerms

_OF_ORDERS = {
    *("weekdays", "hours", "goods", "places", "use_person_day"),
    *("below_threshold", "partial_refund", "after_refund", "breaker_hour_count"),
}
"""Terms of a stock that count for orders at merchants only."""
_CLAIM_LIMITS = (
    *("day_count", "day_budget_fen", "person_total", "person_day", "phone_total", "device_total", "payee_total"),
    *("claim_from", "claim_until"),
)
"""Terms of a stock that bind whoever claims."""


def ungivable(terms: ProgramTerms) -> Iterator[Refusal]:
    """Every gift that can't be given, or that nobody pays for."""
    stocks = {stock.code: stock for stock in terms.stocks}
    yield from _codes(terms)
    yield from _funding(terms, stocks)
    for position, stock in enumerate(terms.stocks, start=1):
        term = f"stocks[{position}]"
        yield from _worth(stock, term)
        yield from _tops_up(stock, term, sells=bool(terms.presale.offers))
        yield from _windows(stock, term)
    for term, code in _grants(terms):
        if code not in stocks:
            yield Refusal(errors.GRANT_STOCK, {"term": term, "stock": code})
        else:
            yield from _granted(term, stocks[code])
    for position, plan in enumerate(terms.drips, start=1):
        if plan.stock in stocks:
            yield from _kept(f"drips[{position}]", plan, stocks[plan.stock])
    for position, pool in enumerate(terms.packets, start=1):
        if pool.stock in stocks and not _fits(pool, stocks[pool.stock]):
            facts: dict[str, Fact] = {"term": f"packets[{position}]", "stock": pool.stock, "count": pool.count}
            sizes = {"total_fen": pool.total_fen, "min_fen": pool.min_fen, "max_fen": pool.max_fen}
            yield Refusal(errors.PACKETS_FIT, {**facts, **sizes})


def _codes(terms: ProgramTerms) -> Iterator[Refusal]:
    """Each list names its things apart."""
    named = {
        "stocks": [one.code for one in terms.stocks],
        "drips": [one.code for one in terms.drips],
        "referrals": [one.code for one in terms.referrals],
        "packets": [one.code for one in terms.packets],
    }
    for group, codes in named.items():
        for position, code in enumerate(codes, start=1):
            if code in codes[: position - 1] or (group == "stocks" and code in BONUSES):
                yield Refusal(errors.GRANT_CODE_TWICE, {"term": f"{group}[{position}].code", "code": code})


def _funding(terms: ProgramTerms, stocks: dict[str, Stock]) -> Iterator[Refusal]:
    """Of each stock the shares add up to the whole, each fund once; a top-up has no merchant to bear it."""
    sums = dict.fromkeys(stocks, 0) | {each.of: 0 for each in terms.funding if each.of in BONUSES}
    seen: set[tuple[str, str]] = set()
    for position, each in enumerate(terms.funding, start=1):
        term = f"funding[{position}]"
        if each.of not in sums:
            yield Refusal(errors.FUNDING_OF_NOTHING, {"term": term, "stock": each.of})
            continue
        if (each.of, each.fund) in seen:
            yield Refusal(errors.FUNDING_TWICE, {"term": term, "fund": each.fund})
        if each.fund == MERCHANT and each.of in BONUSES:
            yield Refusal(errors.FUNDING_BONUS, {"term": term, "of": each.of})
        elif each.fund == MERCHANT and stocks[each.of].kind == "top_up":
            yield Refusal(errors.STOCK_TOP_UP, {"stock": each.of})
        seen.add((each.of, each.fund))
        sums[each.of] += each.share_bps
    for stock, total in sums.items():
        if total != WHOLE:
            yield Refusal(errors.FUNDING_SHARES, {"stock": stock, "sum_bps": total, "whole_bps": WHOLE})


def _worth(stock: Stock, term: str) -> Iterator[Refusal]:
    """What a voucher takes off follows from its kind, and its budgets pay for one at least."""
    if (stock.kind == "percent") != (stock.rate_bps > 0):
        facts: dict[str, Fact] = {"term": f"{term}.rate_bps", "kind": stock.kind, "rate_bps": stock.rate_bps}
        yield Refusal(errors.STOCK_RATE, facts)
    if stock.kind == "exchange" and not stock.goods:
        yield Refusal(errors.STOCK_GOODS, {"term": f"{term}.goods"})
    if stock.kind == "threshold" and stock.min_order_fen <= stock.face_fen:
        facts = {"term": f"{term}.min_order_fen", "min_order_fen": stock.min_order_fen, "face_fen": stock.face_fen}
        yield Refusal(errors.STOCK_THRESHOLD, facts)
    for name, budget in (("budget_fen", stock.budget_fen), ("day_budget_fen", stock.day_budget_fen)):
        if 0 < budget < stock.face_fen:
            facts = {"term": f"{term}.{name}", "budget_fen": budget, "face_fen": stock.face_fen}
            yield Refusal(errors.STOCK_BUDGET, facts)


def _tops_up(stock: Stock, term: str, *, sells: bool) -> Iterator[Refusal]:
    """A top-up voucher has a card to top up, and no term that only an order at a merchant would read."""
    if stock.kind != "top_up":
        return
    if not sells:
        yield Refusal(errors.STOCK_WITHOUT_CARD, {"term": term, "stock": stock.code})
    for field in msgspec.structs.fields(Stock):
        if field.name in _OF_ORDERS and getattr(stock, field.name) != field.default:
            yield Refusal(errors.STOCK_TERM_UNREAD, {"term": f"{term}.{field.name}"})


def _windows(stock: Stock, term: str) -> Iterator[Refusal]:
    """Claims begin before they end; who claims last still has a day on which the voucher counts."""
    begins, ends, last = stock.claim_from, stock.claim_until, stock.not_after
    if not (_exists(begins) and _exists(ends)) or (begins and ends and begins >= ends):
        yield _window(term, begins, ends)
    elif not _exists(last):
        yield _window(term, ends, last)
    elif last:
        late = [text for text in (begins, ends) if text and _first_day(text, stock.wait_days) > last]
        if late:
            yield _window(term, late[0], last)
    opens, _, closes = stock.hours.partition("-")
    if stock.hours and opens >= closes:
        yield _window(term, opens, closes)


def _window(term: str, earlier: str, later: str) -> Refusal:
    return Refusal(errors.STOCK_WINDOW, {"term": term, "earlier": earlier or "-", "later": later or "-"})


def _exists(text: str) -> bool:
    """Whether a day, or a minute of one, ever was; an empty text asks for none."""
    try:
        return not text or bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _first_day(claimed: str, wait_days: int) -> str:
    """The day on which a voucher that is claimed then begins to count."""
    return (datetime.fromisoformat(claimed).date() + timedelta(days=wait_days)).isoformat()


def _grants(terms: ProgramTerms) -> Iterator[tuple[str, str]]:
    """Where a stock is named, and which."""
    for position, plan in enumerate(terms.drips, start=1):
        yield f"drips[{position}].stock", plan.stock
    for position, one in enumerate(terms.referrals, start=1):
        yield f"referrals[{position}].inviter_stock", one.inviter_stock
        if one.invitee_stock:
            yield f"referrals[{position}].invitee_stock", one.invitee_stock
    for position, pool in enumerate(terms.packets, start=1):
        yield f"packets[{position}].stock", pool.stock


def _granted(term: str, stock: Stock) -> Iterator[Refusal]:
    """What the program hands out by itself obeys its own limits only: those of claims would go unread."""
    if stock.hand_out != "grant":
        yield Refusal(errors.GRANT_HAND_OUT, {"term": term, "stock": stock.code, "hand_out": stock.hand_out})
    for limit in _CLAIM_LIMITS:
        if getattr(stock, limit):
            yield Refusal(errors.GRANT_LIMITED, {"term": term, "stock": stock.code, "limit": limit})


def _kept(term: str, plan: Drip, stock: Stock) -> Iterator[Refusal]:
    """A plan that is promised today can be kept in its last month, and starts at all."""
    if stock.not_after:
        yield Refusal(errors.GRANT_ENDS, {"term": term, "stock": stock.code, "not_after": stock.not_after})
    wanted = plan.months * plan.each_month
    if wanted > stock.count:
        yield Refusal(errors.PLAN_FITS, {"term": term, "stock": stock.code, "wanted": wanted, "count": stock.count})


def _fits(pool: PacketPool, stock: Stock) -> bool:
    count, budget = supply(stock)
    splits = pool.count * pool.min_fen <= pool.total_fen <= pool.count * pool.max_fen
    return splits and pool.count <= count and pool.total_fen <= budget and pool.max_fen <= stock.face_fen
