"""What the law says to a single sale or top-up. Pure: facts and a pack in, a refusal or nothing out.

What it says to a program's terms is judged where the terms are checked, from the same articles.
"""

from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.law import errors
from kaquan.law.model import LawPack


def balance_allowed(registered: bool, balance_after: Money, pack: LawPack) -> Refusal | None:
    """Whether a card may hold `balance_after`: everything on it, principal and bonus together."""
    if registered:
        code, article = errors.REGISTERED_BALANCE_ABOVE_MAX, pack.registered_balance_max_fen
    else:
        code, article = errors.BEARER_BALANCE_ABOVE_MAX, pack.bearer_balance_max_fen
    if balance_after <= article.value:
        return None
    return Refusal(code, {"balance_fen": balance_after, "max_fen": article.value, **pack.facts(article)})


def identity_given(registered: bool, paid: Money, identified: bool, pack: LawPack) -> Refusal | None:
    """Whether a purchase or top-up of `paid` at once may go on with what is known about the buyer."""
    if identified:
        return None
    if registered:
        code, article = errors.REGISTERED_IDENTITY_MISSING, pack.registered_identity_from_fen
    else:
        code, article = errors.BEARER_IDENTITY_MISSING, pack.bearer_identity_from_fen
    if paid < article.value:
        return None
    return Refusal(code, {"amount_fen": paid, "from_fen": article.value, **pack.facts(article)})
