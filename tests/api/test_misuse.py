"""What somebody with a key tries beyond what it is for."""

import pytest

from kaquan.kernel.ids import public
from support.desks import Desks
from support.two_sides import OTHER


@pytest.mark.parametrize("word", ["1", "yes", "on", "True", "TRUE", ""])
def test_a_dry_run_in_other_words_moves_nothing(desks: Desks, word: str) -> None:
    before = desks.sides.town.rows("SELECT count(*) FROM wallet")
    told = desks.operator.ask("/holders", {}, dry_run=word)
    assert (told.status_code, told.json()["code"]) == (400, "request_invalid")
    assert desks.sides.town.rows("SELECT count(*) FROM wallet") == before


def test_an_issuer_makes_no_phone_that_pays_from_what_others_issued(desks: Desks) -> None:
    """A gift makes any wallet an issuer's to see; its cards of other issuers stay out of reach."""
    wallet = public("wal", desks.sides.wallets[OTHER])
    desks.issuer.post("/vouchers", wallet=wallet, program="jingxika", stock="welcome", reason="a gift")
    assert desks.issuer.no(f"/wallets/{wallet}/devices", label="mine") == "role_not_allowed"
    assert desks.sides.town.rows("SELECT count(*) FROM device") == [(0,)]
