"""What comes back when an order is refunded, in plain sentences."""

from collections.abc import Iterator

from kaquan.programs.grants import Stock
from kaquan.programs.phrases import Sentence, count_of
from kaquan.programs.terms import ProgramTerms, RefundTerms

_ORDER: dict[str, Sentence] = {
    "first_paid_first": (
        "部分退款先退先付的部分：先场外支付，再按扣款次序退卡。",
        "A partial refund first gives back what paid first: what was paid outside, then the card in the order in "
        "which it was charged.",
    ),
    "last_paid_first": (
        "部分退款先退后付的部分：先按与扣款相反的次序退卡，再退场外支付。",
        "A partial refund first gives back what paid last: the card against the order in which it was charged, then "
        "what was paid outside.",
    ),
}
_VOUCHER: dict[str, Sentence] = {
    "reusable": (
        "整单一次退尽时，券在有效期内可再用；部分退款的，用去的部分退回出资方。",
        "When the whole order is refunded at once, the voucher counts again until it expires; in partial refunds its "
        "part goes back to who pays for it.",
    ),
    "proportional": (
        "整单一次退尽时，券在有效期内可再用；部分退款按退回的部分另给一张券，有效期不变；出资方预算不足的除外。",
        "When the whole order is refunded at once, the voucher counts again until it expires; a partial refund gives "
        "a voucher for what came back of it, as long as there is budget; the day on which it expires stays.",
    ),
    "reissue": (
        "整单一次退尽时，券在有效期内可再用；分次退尽或券已过期的，补发一张新券；出资方预算不足的除外。",
        "When the whole order is refunded at once, the voucher counts again until it expires; once all has come back "
        "in steps, or after it expired, a new one is given, as long as there is budget.",
    ),
    "never": (
        "退款后券作废，用去的部分退回出资方。",
        "After a refund the voucher is gone; its part goes back to who pays for it.",
    ),
}


def refunding(terms: ProgramTerms) -> list[Sentence]:
    """Whether a paid order is refunded, and what becomes of each part that comes back."""
    refund, window = terms.refund, terms.refund.window_days
    if not window:
        return [("支付后不可退款。", "A paid order cannot be refunded.")]
    first = (
        f"支付后 {window} 天内可退款，退回原卡的本金和赠金。",
        f"An order may be refunded within {count_of(window, 'day')}, to the principal and bonus it came from.",
    )
    order = [_ORDER[refund.order]] if refund.order in _ORDER else []
    return [first, *_how_often(refund), *order, *_where(terms)]


def _how_often(refund: RefundTerms) -> Iterator[Sentence]:
    if refund.count_max:
        yield (
            f"一单最多部分退款 {refund.count_max} 次；退尽余下的随时可以。",
            f"An order is refunded in part at most {count_of(refund.count_max, 'time')}; all that is left may always "
            "be refunded.",
        )
    if refund.frozen_card == "refuse":
        yield ("卡冻结期间不退款，解冻后再退。", "Nothing is refunded to a frozen card until it is unfrozen.")


def _where(terms: ProgramTerms) -> Iterator[Sentence]:
    """Where money goes that can't return to where it came from."""
    refund = terms.refund
    subsidies = any(stock.kind == "top_up" for stock in terms.stocks)
    zh, en = ("赠金或补贴", "Bonus or subsidy") if subsidies else ("赠金", "Bonus")
    if terms.card.principal_valid_days and refund.expired_principal == "holder":
        yield (
            "本金过期后退回的，作为应退款项退还持卡人。",
            "Principal that comes back after it expired is paid out to the holder.",
        )
    if refund.expired_grant_days:
        yield (
            f"{zh}过期后退回的，自退回时起再有效 {refund.expired_grant_days} 天。",
            f"{en} that comes back after it expired counts again for {count_of(refund.expired_grant_days, 'day')}.",
        )
    else:
        yield (
            f"{zh}过期后退回的，归还出资人。",
            f"{en} that comes back after it expired is its payer's again.",
        )
    yield (
        f"卡已退的，退回的本金退还持卡人，{zh}归还出资人。",
        "Once the card was closed, principal that comes back is paid out to the holder; what was granted "
        "goes to who paid for it.",
    )


def voucher_after_refund(stock: Stock) -> list[Sentence]:
    """What becomes of a voucher when the order that used it comes back. One that tops up a card pays no order."""
    return [] if stock.kind == "top_up" else [_VOUCHER[stock.after_refund]]
