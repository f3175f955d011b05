"""What the law says to a single sale, top-up or grant. Pure: facts and the law in, a refusal or nothing out.

What it says to a program's terms is judged where the terms are checked, from the same articles. What the law is
silent about limits nothing.
"""

from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.law import errors
from kaquan.law.model import Binding, Law

CASH = "cash"
CREDIT_CARD = "credit_card"


def balance_max(registered: bool, law: Law) -> Binding | None:
    """What says how much a card may hold."""
    return law.registered_balance_max_fen if registered else law.bearer_balance_max_fen


def balance_allowed(registered: bool, balance_after: Money, law: Law) -> Refusal | None:
    """Whether a card may hold `balance_after`: everything on it, principal and bonus together."""
    code = errors.REGISTERED_BALANCE_ABOVE_MAX if registered else errors.BEARER_BALANCE_ABOVE_MAX
    most = balance_max(registered, law)
    if most is None or balance_after <= most.value:
        return None
    return Refusal(code, {"balance_fen": balance_after, "max_fen": most.value, **most.facts})


def identity_given(registered: bool, paid: Money, identified: bool, law: Law) -> Refusal | None:
    """Whether a purchase or top-up of `paid` at once may go on with what is known about the buyer."""
    if registered:
        code, asked = errors.REGISTERED_IDENTITY_MISSING, law.registered_identity_from_fen
    else:
        code, asked = errors.BEARER_IDENTITY_MISSING, law.bearer_identity_from_fen
    if identified or asked is None or paid < asked.value:
        return None
    return Refusal(code, {"amount_fen": paid, "from_fen": asked.value, **asked.facts})


def channel_allowed(channel: str, paid: Money, law: Law, *, organisation: bool = False) -> Refusal | None:
    """Whether `paid` may be paid at once through a channel, by a person or an organisation."""
    if channel == CREDIT_CARD:
        allowed = law.credit_card_allowed
        return Refusal(errors.CREDIT_CARD_REFUSED, allowed.facts) if allowed and not allowed.value else None
    if channel != CASH:
        return None
    if organisation:
        code, limit = errors.ORGANISATION_CASH_ABOVE_MAX, law.organisation_non_cash_from_fen
    else:
        code, limit = errors.PERSON_CASH_ABOVE_MAX, law.person_non_cash_from_fen
    if limit is None or paid < limit.value:
        return None
    return Refusal(code, {"amount_fen": paid, "from_fen": limit.value, **limit.facts})


def budget_kept(amount: Money, left: Money, law: Law) -> Refusal | None:
    """Whether `amount` may be spent of a public budget that has `left`."""
    allowed = law.budget_overrun_allowed
    if amount <= left or allowed is None or allowed.value:
        return None
    return Refusal(errors.BUDGET_OVERRUN, {"amount_fen": amount, "left_fen": left, **allowed.facts})


def voucher_valid_days_max(law: Law) -> tuple[int, Binding] | None:
    """The longest validity of a voucher in days, and the article that says so; None when nothing limits it."""
    longest = law.voucher_valid_days_max
    return None if longest is None else (longest.value, longest)
