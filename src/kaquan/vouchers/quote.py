"""The best legal combination of a holder's vouchers for an order, and of each voucher why it is used or not. Pure.

Best takes most off the order; then fewest vouchers, then those that expire first, then the lowest rank and id. Up to
`SEARCHED_MAX` vouchers are searched exactly: combinations are tried from the most that they could take off downwards,
until none can beat what was found. A quote holds nothing and promises nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations

import msgspec

from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Stock
from kaquan.quotas.model import Quotas
from kaquan.vouchers import errors
from kaquan.vouchers.model import Voucher
from kaquan.vouchers.orders import Applied, Order, together, usable
from kaquan.vouchers.spending import taken_off

SEARCHED_MAX = 12  # 4,096 combinations: found while a cashier takes a breath

Candidate = tuple[Voucher, Stock]
_Found = tuple[tuple[int, ...], list[Applied]]


class Verdict(msgspec.Struct, frozen=True):
    """A voucher in a quote: what it takes off, or why it is not used."""

    voucher: Voucher
    stock: Stock
    amount: Money
    why_not: Refusal | None


class Choice(msgspec.Struct, frozen=True):
    """The best combination, and a verdict on every voucher that was looked at, in their order.

    `usable` vouchers count for the order by themselves, `searched` of them were tried in all combinations.
    """

    applied: Sequence[Applied]
    verdicts: Sequence[Verdict]
    usable: int
    searched: int

    @property
    def amount(self) -> Money:
        """What the combination takes off."""
        return Money(sum(one.amount for one in self.applied))


def choose(
    order: Order, vouchers: Sequence[Candidate], quotas: Quotas, at: datetime, *, most: int, room: Money
) -> Choice:
    """The best combination of at most `most` of these vouchers that takes at most `room` off the order."""
    reasons: dict[bytes, Refusal] = {}
    usable_ones: list[Candidate] = []
    for one in vouchers:
        refusal = usable(*one, order, at) or _alone(order, one, quotas, at, most)
        if refusal:
            reasons[one[0].id] = refusal
        else:
            usable_ones.append(one)
    search = _Search(order, quotas, at, most, room)
    leaders, twins = _alike(usable_ones)
    searched = _most_promising(leaders, search)
    search.over(searched)
    best = search.best()
    applied = {one.voucher.id: one for one in best}
    for one in usable_ones:
        if one[0].id not in applied:
            leader = twins.get(one[0].id, one)
            reasons[one[0].id] = search.why_not(leader, searched, Money(sum(each.amount for each in best)))
    verdicts = [
        Verdict(
            voucher, stock, applied[voucher.id].amount if voucher.id in applied else ZERO, reasons.get(voucher.id)
        )
        for voucher, stock in vouchers
    ]
    return Choice(best, verdicts, len(usable_ones), len(searched) + _count(twins, searched))


def _alone(order: Order, one: Candidate, quotas: Quotas, at: datetime, most: int) -> Refusal | None:
    """Why a voucher does not even count alone."""
    found = together([one[1]], most) or taken_off(order, [one], quotas, at)
    return found if isinstance(found, Refusal) else None


class _Search:
    """The combinations of some vouchers for an order, each judged once at most."""

    def __init__(self, order: Order, quotas: Quotas, at: datetime, most: int, room: Money) -> None:
        self._order, self._quotas, self._at, self._most, self._room = order, quotas, at, most, room
        self._judged: dict[tuple[bytes, ...], _Found | None] = {}
        self._solo: dict[bytes, Money] = {}
        self._legal: list[tuple[Money, tuple[Candidate, ...]]] = []

    def over(self, vouchers: Sequence[Candidate]) -> None:
        """Search among these: their legal combinations by the most that each could take off, from the most down."""
        worth = [self.worth(one) for one in vouchers]
        self._legal = [
            (Money(min(self._order.amount, sum(worth[at] for at in places))), tuple(vouchers[at] for at in places))
            for places in _subsets(len(vouchers), self._most)
            if together([vouchers[at][1] for at in places], self._most) is None
        ]
        self._legal.sort(key=lambda found: (-found[0], len(found[1])))

    def best(self, holding: Candidate | None = None) -> list[Applied]:
        """The best combination, or the best of those that hold one voucher; empty when there is none."""
        best: _Found | None = None
        for bound, combination in self._legal:
            if best is not None and (-bound, len(combination)) > (best[0][0], best[0][1]):
                break
            if holding is not None and holding not in combination:
                continue
            found = self._judge(combination)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        return best[1] if best is not None else []

    def why_not(self, one: Candidate, searched: Sequence[Candidate], best: Money) -> Refusal:
        """Why a voucher that counts is not in the best combination, which takes `best` off."""
        if one not in searched:
            return Refusal(errors.VOUCHER_NOT_SEARCHED, {"searched": SEARCHED_MAX})
        found = self.best(holding=one)
        if not found:
            return Refusal(errors.VOUCHER_NO_EFFECT, {"stock": one[1].code})
        less = best - sum(each.amount for each in found)
        if less > 0:
            return Refusal(errors.VOUCHER_NOT_BEST, {"saves_more_fen": less})
        return Refusal(errors.VOUCHER_SPARED)

    def worth(self, one: Candidate) -> Money:
        """What a voucher takes off alone: in a combination it never takes off more."""
        voucher = one[0].id
        if voucher not in self._solo:
            applied = taken_off(self._order, [one], self._quotas, self._at)
            self._solo[voucher] = ZERO if isinstance(applied, Refusal) else applied[0].amount
        return self._solo[voucher]

    def _judge(self, combination: tuple[Candidate, ...]) -> _Found | None:
        """A combination with its place among all, the best first; None when it does not count."""
        key = tuple(voucher.id for voucher, _ in combination)
        if key not in self._judged:
            applied = taken_off(self._order, combination, self._quotas, self._at)
            fits = not isinstance(applied, Refusal) and sum(one.amount for one in applied) <= self._room
            self._judged[key] = (_place(applied), applied) if fits and not isinstance(applied, Refusal) else None
        return self._judged[key]


def _subsets(count: int, most: int) -> Iterator[tuple[int, ...]]:
    for size in range(1, min(count, most) + 1):
        yield from combinations(range(count), size)


def _place(applied: Sequence[Applied]) -> tuple[int, ...]:
    """Most off, fewest vouchers, soonest to expire, lowest rank and id: the smallest place is the best."""
    by_age = sorted((one.voucher.expires_us, one.stock.rules.rank, int.from_bytes(one.voucher.id)) for one in applied)
    return (
        -sum(one.amount for one in applied),
        len(applied),
        *(part for age in zip(*by_age, strict=True) for part in age),
    )


def _alike(vouchers: Iterable[Candidate]) -> tuple[list[Candidate], dict[bytes, Candidate]]:
    """Of vouchers that are worth the same for every order, the one that expires first; and whom the others follow."""
    leaders: dict[tuple[int, int, int], Candidate] = {}
    twins: dict[bytes, Candidate] = {}
    for one in sorted(vouchers, key=lambda one: (one[0].expires_us, one[0].id)):
        voucher = one[0]
        leader = leaders.setdefault((voucher.terms, voucher.stock, voucher.face), one)
        if leader is not one:
            twins[voucher.id] = leader
    return list(leaders.values()), twins


def _count(twins: dict[bytes, Candidate], searched: Sequence[Candidate]) -> int:
    return sum(leader in searched for leader in twins.values())


def _most_promising(vouchers: Sequence[Candidate], search: _Search) -> list[Candidate]:
    """At most `SEARCHED_MAX` vouchers: of each category the best, then of each the second best, and so on."""
    turn: dict[str, int] = {}
    ranked: list[tuple[int, int, int, bytes, Candidate]] = []
    for one in sorted(vouchers, key=lambda one: (-search.worth(one), one[0].expires_us, one[0].id)):
        category = one[1].rules.category
        turn[category] = turn.get(category, 0) + 1
        ranked.append((turn[category], -search.worth(one), one[0].expires_us, one[0].id, one))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])[:SEARCHED_MAX]]
