"""What a serving process remembers of what payments name."""

import pytest

from kaquan.api import memory
from kaquan.api.memory import Forgotten, Memory
from kaquan.api.remembered import Remembered
from kaquan.cards.numbers import number_for
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import BUCKETS, Id, new_id
from kaquan.programs.catalogue import Catalogue


def test_a_card_number_is_remembered_however_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Memory()
    card = new_id(1, BUCKETS[3])
    number = number_for(card)
    till = Remembered(known, Caller(7, Role.CASHIER, Id(bytes(16))))
    with pytest.raises(Forgotten):
        till.shown_card(number)
    known.learn(Catalogue(lambda *_: None), number, card)
    in_groups = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
    for typed in (number, in_groups, f" {number} "):
        assert till.shown_card(typed) == (card, number)
    for typed in (number[:-1], "", "crd_" + number):
        with pytest.raises(Forgotten):
            till.shown_card(typed)
    monkeypatch.setattr(memory, "CARDS_MAX", 1)
    known.learn(Catalogue(lambda *_: None), number_for(new_id(2, BUCKETS[3])), card)
    with pytest.raises(Forgotten):
        till.shown_card(number)
