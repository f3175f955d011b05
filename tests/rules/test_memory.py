"""What a serving process remembers of what payments name."""

import pytest

from kaquan.api import memory
from kaquan.api.memory import Forgotten, Memory
from kaquan.api.remembered import Remembered
from kaquan.cards.numbers import number_for
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import BUCKETS, Id, new_id
from kaquan.programs.catalogue import Catalogue


@pytest.fixture
def known() -> Memory:
    """A memory that has met programs and merchants, and no card."""
    made = Memory()
    made.learn(Catalogue(lambda *_: None), None, None)
    return made


CARD = new_id(1, BUCKETS[3])
NUMBER = number_for(CARD)


def shown(known: Memory, typed: str) -> tuple[Id | None, str | None]:
    """The card of what was typed, if it is remembered, and the number that must be looked up."""
    till = Remembered(known, Caller(7, Role.CASHIER, Id(bytes(16))))
    card, number = till.shown_card(typed)
    assert number == typed.replace(" ", "")
    return (None if till.unmet else card), till.unmet


def test_a_card_number_is_remembered_however_it_is_typed(known: Memory) -> None:
    in_groups = " ".join(NUMBER[place : place + 4] for place in range(0, len(NUMBER), 4))
    for typed in (NUMBER, in_groups):
        assert shown(known, typed) == (None, NUMBER)
    known.meet({NUMBER: CARD})
    for typed in (NUMBER, in_groups, f" {NUMBER} "):
        assert shown(known, typed) == (CARD, None)


def test_what_is_no_number_of_ours_is_not_asked_for(known: Memory) -> None:
    for typed in (NUMBER[:-1], "", "crd_" + NUMBER, NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10)):
        with pytest.raises(Forgotten):
            shown(known, typed)


def test_memory_has_an_end(known: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CARDS_MAX", 2)
    other = number_for(new_id(2, BUCKETS[3]))
    known.meet({NUMBER: CARD})
    known.meet({other: CARD})
    assert shown(known, NUMBER) == (CARD, None)
    known.meet({number_for(new_id(3, BUCKETS[3])): CARD})
    assert shown(known, NUMBER) == (None, NUMBER)
