"""Draws on a real database: who entered is in the list, the seed was committed before, and anybody can check it."""

import json
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace

from flows.test_claims import ID_NUMBER, MANY, code, wallet
from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.draws import service
from kaquan.draws.model import Draw, EndDraw, EnterDraw, ListDraw, RevealDraw, commitment, drawn, list_digest
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from support import check_draw
from support.database import Database
from support.grants import stock_text
from support.town import Town, build


def drawing(database: Database, **terms: Any) -> Town:
    """A town whose stock is handed out by draw."""
    town = build(database.app_url, more=stock_text("off-10", hand_out="draw", **terms))
    town.fund("city", MANY)
    town.stock("off-10")
    return town


def opening(town: Town, seats: int, hours: int = 1, key: str = "", **asked: Any) -> Any:
    """A draw that takes entries for some hours from now on."""
    now = microseconds(town.now)
    told = {"program": "jingxika", "stock": "off-10", "opens_us": now, "closes_us": now + hours * 3_600_000_000}
    return service.opening(town.app.master, OPERATOR, key or town.key(), seats=seats, **{**told, **asked})


def opened(town: Town, seats: int, **asked: Any) -> Id:
    """A draw that takes entries for an hour."""
    return town.ok(Kind.OPEN_DRAW, opening(town, seats, **asked)).id


def enter(town: Town, draw: Id, *wallets: Id) -> list[Any]:
    """What comes of entries that arrive together."""
    return town.app.execute(
        Kind.ENTER_DRAW, [EnterDraw(key=town.key(), caller=OPERATOR, draw=draw, wallet=one) for one in wallets]
    )


def end(town: Town, draw: Id) -> None:
    """The time is over, the list is committed."""
    town.tick(hours=1)
    town.ok(Kind.END_DRAW, EndDraw(key=town.key(), caller=OPERATOR, draw=draw))
    town.ok(Kind.LIST_DRAW, ListDraw(key=town.key(), caller=OPERATOR, draw=draw))


def reveal(town: Town, draw: Id) -> Draw:
    """The seed is known."""
    command = service.revealing(town.app.connection, town.app.master, OPERATOR, town.key(), draw)
    town.ok(Kind.REVEAL_DRAW, command)
    return the_draw(town, draw)


def the_draw(town: Town, draw: Id) -> Draw:
    """The draw as it is now."""
    return service.find(town.app.connection, [draw])[draw]


def award(town: Town, draw: Id) -> list[Any]:
    """What comes of giving every winner her voucher."""
    commands = service.awards(town.app.connection, town.app.catalogue, the_draw(town, draw))
    return town.app.execute(Kind.AWARD, commands)


def test_a_draw_from_its_opening_to_the_vouchers_of_its_winners(database: Database, tmp_path: Path) -> None:
    town = drawing(database)
    draw = opened(town, seats=3)
    wallets = [wallet(town, number) for number in range(10)]
    entries = [outcome.id for outcome in enter(town, draw, *wallets)]
    assert len(set(entries)) == 10
    assert service.receipt(town.app.connection, the_draw(town, draw), entries[0])["place"] is None
    end(town, draw)
    known = the_draw(town, draw)
    assert known.list_digest == list_digest(entries) and not known.seed and known.entries == 10
    revealed = reveal(town, draw)
    assert commitment(revealed.seed) == revealed.commitment
    outcomes = award(town, draw)
    assert [type(one) for one in outcomes] == [Effect] * 3
    assert all(one.replayed for one in award(town, draw)), "a second run gives nobody anything"
    winners = {bytes(row[0].bytes) for row in town.rows("SELECT origin FROM voucher")}
    assert winners == set(drawn(revealed.seed, entries)[:3])
    (tmp_path / "list.txt").write_text("\n".join(entry.hex() for entry in entries))
    for place, entry in enumerate(drawn(revealed.seed, entries), 1):
        receipt = service.receipt(town.app.connection, revealed, Id(entry))
        assert receipt is not None and receipt["place"] == place and receipt["won"] == (place <= 3)
        assert check_draw.check(receipt, [one.hex() for one in entries]) == place
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    script = [sys.executable, "-I", check_draw.__file__, str(tmp_path / "receipt.json"), str(tmp_path / "list.txt")]
    told = subprocess.run(script, capture_output=True, text=True, check=True)
    assert told.stdout == "place 10 not won\n"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"commitment": "00" * 32}, "the seed is not"),
        ({"list_digest": "00" * 32}, "the list is not"),
        ({"place": 2}, "the receipt says place 2"),
    ],
)
def test_the_check_tells_what_was_broken(broken: dict[str, Any], said: str) -> None:
    entry, seed = bytes(16), b"s" * 32
    published = {"commitment": commitment(seed).hex(), "list_digest": list_digest([entry]).hex(), "seed": seed.hex()}
    receipt = {"entry": entry.hex(), **published, "seats": 1, "place": 1, "won": True}
    assert check_draw.check(receipt, [entry.hex()]) == 1
    with pytest.raises(ValueError, match=said):
        check_draw.check({**receipt, **broken}, [entry.hex()])


def test_one_person_enters_once_with_all_her_wallets(database: Database) -> None:
    town = drawing(database)
    draw, other = opened(town, 1), opened(town, 1)
    first, second = wallet(town, 1, ID_NUMBER), wallet(town, 2, ID_NUMBER)
    assert [code(one) for one in enter(town, draw, first, second, first)] == ["", "draw_entered", "draw_entered"]
    assert [code(one) for one in enter(town, other, second)] == [""]
    assert town.rows("SELECT count(*) FROM draw_entry") == [(2,)]


def test_a_draw_takes_entries_in_its_time_only(database: Database) -> None:
    town = drawing(database)
    later = microseconds(town.now) + 3_600_000_000
    draw = town.ok(Kind.OPEN_DRAW, opening(town, 1, opens_us=later, closes_us=later + 3_600_000_000)).id
    who = wallet(town, 1)
    assert [code(one) for one in enter(town, draw, who)] == ["draw_not_yet"]
    town.tick(hours=1)
    assert [code(one) for one in enter(town, draw, who)] == [""]
    running = town.app.one(Kind.END_DRAW, EndDraw(key=town.key(), caller=OPERATOR, draw=draw))
    assert code(running) == "draw_running"
    town.tick(hours=1)
    assert [code(one) for one in enter(town, draw, wallet(town, 2))] == ["draw_over"]
    assert [code(one) for one in enter(town, Id(bytes(16)), who)] == ["draw_unknown"]


def test_every_step_of_a_draw_has_its_place(database: Database) -> None:
    town = drawing(database)
    draw = opened(town, 1)
    enter(town, draw, wallet(town, 1))
    early = ListDraw(key=town.key(), caller=OPERATOR, draw=draw)
    assert code(town.app.one(Kind.LIST_DRAW, early)) == "draw_state"
    known = service.revealing(town.app.connection, town.app.master, OPERATOR, town.key(), draw)
    assert code(town.app.one(Kind.REVEAL_DRAW, known)) == "draw_state"
    end(town, draw)
    wrong = RevealDraw(key=town.key(), caller=OPERATOR, draw=draw, seed=b"w" * 32)
    assert code(town.app.one(Kind.REVEAL_DRAW, wrong)) == "draw_seed_wrong"
    reveal(town, draw)
    again = EndDraw(key=town.key(), caller=OPERATOR, draw=draw)
    assert code(town.app.one(Kind.END_DRAW, again)) == "draw_state"


def test_who_did_not_win_gets_nothing(database: Database) -> None:
    town = drawing(database)
    draw = opened(town, 1)
    enter(town, draw, wallet(town, 1), wallet(town, 2))
    end(town, draw)
    reveal(town, draw)
    (won,) = service.awards(town.app.connection, town.app.catalogue, the_draw(town, draw))
    ((entry, of),) = [told for told in service.entries(town.app.connection, draw) if told[0] != won.entry]
    loser = replace(won, key="mine", entry=Id(entry), wallet=Id(of))
    assert code(town.app.one(Kind.AWARD, loser)) == "entry_not_drawn"
    assert town.rows("SELECT count(*) FROM voucher") == [(0,)]


def test_a_draw_offers_no_more_seats_than_the_stock_has(database: Database) -> None:
    town = drawing(database, count=5)
    opened(town, 3)
    refused = town.app.one(Kind.OPEN_DRAW, opening(town, 3))
    assert code(refused) == "draw_seats_out_of_range" and refused.refusal.facts["seats_max"] == 2
    assert [code(one) for one in town.app.execute(Kind.OPEN_DRAW, [opening(town, 2), opening(town, 1)])] == [
        "",
        "draw_seats_out_of_range",
    ]
    assert code(town.app.one(Kind.OPEN_DRAW, opening(town, 1, hours=-1))) == "draw_window_invalid"


def test_a_draw_opens_once_under_its_key_with_the_first_seed(database: Database) -> None:
    town = drawing(database)
    first = town.ok(Kind.OPEN_DRAW, opening(town, 1, key="once"))
    again = town.app.one(Kind.OPEN_DRAW, opening(town, 1, key="once"))
    assert again.replayed and again.answer == first.answer


def test_a_stock_that_is_claimed_is_not_drawn(database: Database) -> None:
    town = build(database.app_url, more=stock_text("off-10"))
    town.fund("city", MANY)
    town.stock("off-10")
    assert code(town.app.one(Kind.OPEN_DRAW, opening(town, 1))) == "stock_not_drawn"


def test_the_list_waits_for_entries_that_are_being_written(database: Database) -> None:
    """An entry that was let in before the end and is written after it stands in the list."""
    town = drawing(database)
    draw = opened(town, 1)
    who, late = wallet(town, 1), wallet(town, 2)
    enter(town, draw, who)
    slow = connect(database.owner_url)
    slow.execute("BEGIN")
    slow.execute(
        "INSERT INTO draw_entry (at, id, draw, wallet, bucket) SELECT at, gen_random_uuid(), draw, %s, bucket"
        " FROM draw_entry LIMIT 1",
        [late.hex()],
    )
    town.tick(hours=1)
    town.ok(Kind.END_DRAW, EndDraw(key=town.key(), caller=OPERATOR, draw=draw))
    outcomes: list[Any] = []

    def commit_list() -> None:
        outcomes.append(town.app.one(Kind.LIST_DRAW, ListDraw(key=town.key(), caller=OPERATOR, draw=draw)))

    lister = Thread(target=commit_list)
    lister.start()
    lister.join(0.3)
    assert lister.is_alive() and not outcomes
    slow.execute("COMMIT")
    lister.join(10)
    assert outcomes[0].facts["entries"] == 2


def test_a_list_that_can_not_be_closed_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    town = drawing(database)
    draw = opened(town, 1)
    town.tick(hours=1)
    town.ok(Kind.END_DRAW, EndDraw(key=town.key(), caller=OPERATOR, draw=draw))
    slow = connect(database.owner_url)
    slow.execute("BEGIN")
    slow.execute("SELECT pg_current_xact_id()")
    command = ListDraw(key="list", caller=OPERATOR, draw=draw)
    with monkeypatch.context() as patched:
        patched.setattr("kaquan.draws.store.WRITERS_SECONDS", 0.1)
        assert code(town.app.one(Kind.LIST_DRAW, command)) == "draw_busy"
    slow.execute("COMMIT")
    assert isinstance(town.app.one(Kind.LIST_DRAW, command), Effect)


def test_an_entry_checks_that_the_draw_is_as_it_was_seen(database: Database) -> None:
    """Whoever was let in and comes after the end is decided again, and refused."""
    town = drawing(database)
    draw = opened(town, 1)
    handler = town.app.handlers[Kind.ENTER_DRAW]
    seen = handler.load

    def overtaken(*arguments: Any) -> Any:
        facts = seen(*arguments)
        if town.rows("SELECT state FROM draw") == [(1,)]:
            other = connect(database.owner_url)
            other.execute("UPDATE draw SET state = 2, version = version + 1")
        return facts

    handler.load = overtaken  # type: ignore[method-assign]
    assert [code(one) for one in enter(town, draw, wallet(town, 1))] == ["draw_over"]
    assert town.rows("SELECT count(*) FROM draw_entry") == [(0,)]
