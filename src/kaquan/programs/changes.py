"""What differs between two versions of a program's terms, and whether the new one promises more."""

from collections.abc import Iterator

import msgspec

from kaquan.kernel.refusal import Fact
from kaquan.programs.meaning import Entry, entries
from kaquan.programs.terms import Opinion, ProgramTerms


class Change(msgspec.Struct, frozen=True):
    """One term that differs. `field` is its path; offers and bands are named by face value and starting amount.

    `before` is none for what is new, `after` for what is gone. `loosens`: the new terms promise more or check
    less (true), the opposite (false), or nobody can say (none): then treat it as loosening.
    """

    field: str
    before: Fact | None
    after: Fact | None
    loosens: bool | None


def diff(old: ProgramTerms, new: ProgramTerms) -> list[Change]:
    """Every difference in the order of the file: single terms first, then offers, bands and opinions."""
    return [*_single(old, new), *_offers(old, new), *_bands(old, new), *_opinions(old, new)]


def _single(old: ProgramTerms, new: ProgramTerms) -> Iterator[Change]:
    """The terms that stand once in a file."""
    after = {entry.path: entry.value for entry in entries(new)}
    for entry in entries(old):
        if "[" in entry.path:
            continue
        before, now = _plain(entry.value), _plain(after[entry.path])
        if isinstance(before, int | str) and isinstance(now, int | str) and before != now:
            yield Change(entry.path, before, now, _loosens(entry, before, now))


def _plain(value: object) -> object:
    """A list of texts as one text."""
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return value


def _loosens(entry: Entry, before: int | str, now: int | str) -> bool | None:
    if entry.path == "program.law_packs":
        was, is_now = (set(str(value).split(", ")) for value in (before, now))
        return None if was - is_now and is_now - was else bool(was - is_now)
    if entry.path == "card.principal_valid_days":
        return now == 0 or (before != 0 and int(now) > int(before))
    if entry.meaning.looser == 0 or isinstance(before, str) or isinstance(now, str):
        return None
    return (now > before) == (entry.meaning.looser > 0)


def _offers(old: ProgramTerms, new: ProgramTerms) -> Iterator[Change]:
    """Offers by face value: a new one or a lower price promises more."""
    before = {offer.face_fen: offer.paid_fen for offer in old.presale.offers}
    after = {offer.face_fen: offer.paid_fen for offer in new.presale.offers}
    for face in sorted(before.keys() | after.keys()):
        was, now = before.get(face), after.get(face)
        if was != now:
            loosens = now is not None and (was is None or now < was)
            yield Change(f"presale.offers[face_fen={face}].paid_fen", was, now, loosens)


def _bands(old: ProgramTerms, new: ProgramTerms) -> Iterator[Change]:
    """Bands by starting amount: a higher rate promises more; what a new or dropped band does depends on the rest."""
    before = {band.from_fen: band.rate_bps for band in old.rebate.bands}
    after = {band.from_fen: band.rate_bps for band in new.rebate.bands}
    for start in sorted(before.keys() | after.keys()):
        was, now = before.get(start), after.get(start)
        if was != now:
            loosens = None if was is None or now is None else now > was
            yield Change(f"rebate.bands[from_fen={start}].rate_bps", was, now, loosens)


def _opinions(old: ProgramTerms, new: ProgramTerms) -> Iterator[Change]:
    """Opinions by article and document: one more allows more, one less less."""
    before = {(opinion.rule, opinion.reference): opinion for opinion in old.opinions}
    after = {(opinion.rule, opinion.reference): opinion for opinion in new.opinions}
    for rule, reference in sorted(before.keys() | after.keys()):
        was, now = before.get((rule, reference)), after.get((rule, reference))
        if was != now:
            loosens = None if was is not None and now is not None else was is None
            yield Change(f"opinions[rule={rule}]", _said(was), _said(now), loosens)


def _said(opinion: Opinion | None) -> str | None:
    if opinion is None:
        return None
    return f"{opinion.reference}, {opinion.by}, {opinion.on}: {opinion.note_en}"
