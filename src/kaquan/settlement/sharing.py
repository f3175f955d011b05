"""What partners get of a merchant's net (分账), and what they give back (分账回退). Pure.

A partner's share has a target: the rate on all of the merchant's net since the share was agreed so, at most the cap.
Each settlement books the difference to what was given. Refunds lower the net, so they lower the target: the partner
gives back exactly his share of them, whatever was rounded before. He never gives back more than he has from the
merchant, and never gets more than the merchant has coming: what is missing follows with the next periods.
"""

from collections.abc import Mapping
from typing import NamedTuple

from kaquan.kernel.money import Money, share
from kaquan.programs.partners import PartnerShare
from kaquan.settlement.standing import Shared


class Wish(NamedTuple):
    """What a partner is to get; negative: to give back. `rule` is the place of his terms, from 1; 0: they are gone.

    `base` is the net that his share is now of, `target` the share of it.
    """

    partner: str
    rule: int
    amount: Money
    base: Money
    target: Money
    before: Shared


def wishes(kept: Mapping[str, Shared], net: Money, terms: tuple[PartnerShare, ...]) -> list[Wish]:
    """What each partner is to get of a net, which may be negative. Partners whose terms are gone only give back."""
    agreed = [_agreed(place, one, kept.get(one.partner), net) for place, one in enumerate(terms, start=1)]
    named = {one.partner for one in terms}
    gone = [_gone(partner, before, net) for partner, before in sorted(kept.items()) if partner not in named]
    return [*agreed, *gone]


def given(wish: Wish, by_source: Mapping[str, Money]) -> Shared:
    """How a partner stands after he got `by_source` (negative: gave back)."""
    had = wish.before.by_source
    has = {source: Money(had.get(source, 0) + by_source.get(source, 0)) for source in sorted({*had, *by_source})}
    return Shared(
        share_bps=wish.before.share_bps,
        base=wish.base,
        given=Money(wish.before.given + sum(by_source.values())),
        by_source={source: amount for source, amount in has.items() if amount},
    )


def _agreed(place: int, terms: PartnerShare, kept: Shared | None, net: Money) -> Wish:
    before = kept or Shared(share_bps=terms.share_bps)
    if before.share_bps != terms.share_bps:  # another rate speaks of new trade only
        before = Shared(share_bps=terms.share_bps, by_source=before.by_source)
    base, earlier = Money(before.base + net), before.has - before.given
    target = share(base, terms.share_bps)
    if terms.cap_fen:  # a cap that was lowered takes nothing back
        target = Money(min(target, max(terms.cap_fen - earlier, before.given)))
    target = Money(max(target, -earlier))
    return Wish(terms.partner, place, Money(target - before.given), base, target, before)


def _gone(partner: str, before: Shared, net: Money) -> Wish:
    base = Money(before.base + min(net, 0))
    target = Money(max(min(share(base, before.share_bps), before.given), before.given - before.has))
    return Wish(partner, 0, Money(target - before.given), base, target, before)
