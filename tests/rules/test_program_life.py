"""The life of a program as a table, and what counts as tightening."""

from itertools import product
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest

from kaquan.kernel.caller import same_person
from kaquan.kernel.money import Money
from kaquan.programs.changes import Change, diff, loosening, meaning_of
from kaquan.programs.compiler import parse_program
from kaquan.programs.lifecycle import IN_FORCE, TRANSITIONS, WORDS_ZH, Operation, ProgramState, after
from kaquan.programs.meaning import Term, code, described, fen, item_of, name, span, unfold
from kaquan.programs.preset_files import text as preset
from kaquan.programs.terms import ProgramTerms

DRAFT, REVIEW, APPROVED = ProgramState.DRAFT, ProgramState.REVIEW, ProgramState.APPROVED
RUNNING, PAUSED, ENDED, CLOSED = ProgramState.RUNNING, ProgramState.PAUSED, ProgramState.ENDED, ProgramState.CLOSED

WAY = [
    (DRAFT, "submit", REVIEW),
    (REVIEW, "reject", DRAFT),
    (REVIEW, "approve", APPROVED),
    (APPROVED, "start", RUNNING),
    (RUNNING, "pause", PAUSED),
    (PAUSED, "resume", RUNNING),
    (RUNNING, "end", ENDED),
    (PAUSED, "end", ENDED),
    (ENDED, "close", CLOSED),
]
"""Every step that leads to another state."""


def test_the_steps_from_one_state_to_another_are_these_and_no_others() -> None:
    moving = {(state, operation, to) for (state, operation), to in TRANSITIONS.items() if to is not state}
    assert moving == set(WAY)


def test_a_text_is_drafted_in_a_draft_and_amended_only_while_terms_are_in_force() -> None:
    for state, operation in product(ProgramState, ("amend", "propose")):
        assert (after(state, operation) is state) == (state in IN_FORCE)
        assert after(state, operation) in (None, state)
    assert [state for state in ProgramState if after(state, "draft")] == [DRAFT]


def test_nothing_leaves_a_closed_program_and_nothing_skips_the_approval() -> None:
    operations = get_args(Operation)
    assert [operation for operation in operations if after(CLOSED, operation)] == []
    reached, unapproved = {DRAFT}, [operation for operation in operations if operation != "approve"]
    for _ in ProgramState:
        reached |= {to for state in reached for operation in unapproved if (to := after(state, operation))}
    assert reached == {DRAFT, REVIEW}


def test_what_each_state_means() -> None:
    assert [state for state in ProgramState if state.sells] == [RUNNING]
    assert {state for state in ProgramState if state.grants} == {RUNNING, ENDED}
    assert WORDS_ZH.keys() == set(ProgramState)


@pytest.mark.parametrize(("one", "other"), [("li", "li"), ("Li", "li "), ("LI", "lI")])
def test_capitals_and_spaces_make_no_second_person(one: str, other: str) -> None:
    assert same_person(one, other)
    assert not same_person(one, other.strip() + "2")


def jingxika() -> ProgramTerms:
    """The preset, with one item in each of its lists."""
    terms = parse_program(preset("jingxika"))
    filled_terms = filled(terms)
    assert isinstance(filled_terms, ProgramTerms)
    return filled_terms


def filled(group: Any) -> Any:
    """The group with a made-up item in each list that is empty."""
    for field in msgspec.structs.fields(group):
        item, value = item_of(unfold(field.type)[0]), getattr(group, field.name)
        if isinstance(value, msgspec.Struct):
            group = msgspec.structs.replace(group, **{field.name: filled(value)})
        elif item is not None and not value:
            group = msgspec.structs.replace(group, **{field.name: (made_up(item),)})
    return group


def made_up(kind: type[msgspec.Struct]) -> msgspec.Struct:
    """An item with the simplest value for each field."""
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        plain = unfold(field.type)[0]
        if get_origin(plain) is Literal:
            values[field.name] = get_args(plain)[0]
        else:
            values[field.name] = {str: "x1", bool: False}.get(plain, 1)
    return kind(**values)


def replaced(group: msgspec.Struct, path: list[str], value: object) -> msgspec.Struct:
    """The group with one value changed; of a list, in its first item."""
    head, *rest = path
    if not rest:
        return msgspec.structs.replace(group, **{head: value})
    inner = getattr(group, head)
    if isinstance(inner, tuple):
        return msgspec.structs.replace(group, **{head: (replaced(inner[0], rest, value), *inner[1:])})
    return msgspec.structs.replace(group, **{head: replaced(inner, rest, value)})


def value_of(group: object, path: list[str]) -> object:
    for part in path:
        group = getattr(group[0] if isinstance(group, tuple) else group, part)
    return group


JUDGED = [
    term
    for term in described(ProgramTerms)
    if term.meaning.looser and get_origin(term.type) is not tuple and not term.meaning.key
]


@pytest.mark.parametrize("term", JUDGED, ids=lambda term: term.path)
def test_every_term_with_a_direction_is_tightened_one_way_and_loosened_the_other(term: Term) -> None:
    terms, path = jingxika(), term.path.split(".")
    low, high = (False, True) if term.type is bool else (1_000, 2_000)
    less, more = replaced(terms, path, low), replaced(terms, path, high)
    up = [change.loosens for change in diff(less, more)]
    assert (up, [change.loosens for change in diff(more, less)]) == (
        [term.meaning.looser > 0],
        [term.meaning.looser < 0],
    )
    assert bool(loosening(diff(less, more))) != bool(loosening(diff(more, less)))


def test_no_end_is_longer_than_any() -> None:
    path = ["card", "principal_valid_days"]
    some, none = replaced(jingxika(), path, 3_000), replaced(jingxika(), path, 0)
    assert diff(some, none) == [Change("card.principal_valid_days", 3_000, 0, True)]
    assert diff(none, some) == [Change("card.principal_valid_days", 0, 3_000, False)]


def test_what_nobody_can_judge_counts_as_loosening() -> None:
    undecided = [
        term
        for term in described(ProgramTerms)
        if not term.meaning.looser and term.type is str and not term.meaning.key
    ]
    assert undecided
    for term in undecided:
        path = term.path.split(".")
        changes = diff(jingxika(), replaced(jingxika(), path, f"{value_of(jingxika(), path)}x"))
        assert [change.loosens for change in changes] == [None]
        assert loosening(changes) == changes


def test_offers_come_and_go_by_their_face_value() -> None:
    terms = jingxika()
    fewer = replaced(terms, ["presale", "offers"], terms.presale.offers[:1])
    gone = Change("presale.offers[face_fen=100000].paid_fen", 95_000, None, False)
    assert diff(terms, fewer) == [gone]
    assert diff(fewer, terms) == [Change(gone.field, None, 95_000, True)]
    assert meaning_of(gone).unit == "fen"


def test_words_that_come_and_words_that_go() -> None:
    packs = ["program", "law_packs"]
    one, two, other = (replaced(jingxika(), packs, words) for words in (("a",), ("a", "b"), ("c",)))
    assert diff(one, two) == [Change("program.law_packs", "a", "a, b", False)]
    assert diff(two, one) == [Change("program.law_packs", "a, b", "a", True)]
    assert [change.loosens for change in diff(two, other)] == [None]
    assert [change.loosens for change in diff(two, replaced(two, packs, ("b", "a")))] == [None]


def test_all_bands_gone_is_told_band_by_band_and_judged_by_nobody() -> None:
    none = replaced(jingxika(), ["rebate", "bands"], ())
    assert diff(jingxika(), none) == [Change("rebate.bands[from_fen=50000].rate_bps", 500, None, None)]


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    from_fen: Annotated[Money, fen("起点", "start", key=True)]
    most: Annotated[int, span("最多", "most", "items", 0, 9, looser=1, endless=True)]


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    code: Annotated[str, code("代码", "code", key=True)]
    name: Annotated[str, name("名称", "name")]
    tiers: Annotated[tuple[Tier, ...], span("档", "tiers", "items", 0, 9)] = ()


class Share(msgspec.Struct, frozen=True, kw_only=True):
    of: Annotated[str, code("哪一项", "of what", key=True)]
    fund: Annotated[str, code("资金户", "fund", key=True)]


class Gifts(msgspec.Struct, frozen=True, kw_only=True):
    """A group that the comparison has never heard of."""

    stocks: Annotated[tuple[Stock, ...], span("券批次", "stocks", "items", 0, 9, looser=1)] = ()
    shares: Annotated[tuple[Share, ...], span("出资", "shares", "items", 0, 9, looser=-1)] = ()


def test_any_list_of_groups_is_compared_by_the_keys_of_its_items() -> None:
    tier = Tier(from_fen=Money(5), most=3)
    one, two = Stock(code="one", name="1", tiers=(tier,)), Stock(code="two", name="2")
    more = msgspec.structs.replace(tier, most=0)
    assert diff(Gifts(stocks=(one,)), Gifts(stocks=(msgspec.structs.replace(one, tiers=(more,)),))) == [
        Change("stocks[code=one].tiers[from_fen=5].most", 3, 0, True)
    ]
    assert diff(Gifts(stocks=(one,)), Gifts(stocks=(two, one))) == [Change("stocks[code=two].name", None, "2", True)]
    assert diff(Gifts(stocks=(one, two)), Gifts(stocks=(two, one))) == [
        Change("stocks", "code=one; code=two", "code=two; code=one", None)
    ]
    assert diff(Gifts(stocks=(one,)), Gifts(stocks=(one, one))) == [
        Change("stocks[code=one,2].name", None, "1", True),
        Change("stocks[code=one,2].tiers[from_fen=5].most", None, 3, True),
    ]
    share = Share(of="one", fund="city")
    assert diff(Gifts(), Gifts(shares=(share,))) == [
        Change("shares[of=one,fund=city].of", None, "one", False),
        Change("shares[of=one,fund=city].fund", None, "city", False),
    ]
