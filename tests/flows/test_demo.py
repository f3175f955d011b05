"""`kaquan demo` as people run it: a child process, a database of its own, `kill -9` included."""

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import psycopg
import pytest
from rich.cells import cell_len

from kaquan.cli import demo as command
from kaquan.cli.demo_open import still_open
from kaquan.cli.demo_table import sections
from kaquan.cli.printing import Screen
from kaquan.commands.model import Kind
from kaquan.db import embedded
from kaquan.db.embedded import Server
from kaquan.db.pool import connect
from kaquan.jobs.run import run_due
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import seconds, system_now
from kaquan.ledger.service import export, proofs
from kaquan.main import Kaquan
from kaquan.settings import Settings
from kaquan.simulation.service import Charter, World, commands, load_scenario
from support.database import Database, fresh_database
from support.readd import add_up, add_up_more
from support.town import build

LONGEST_SECONDS = 120
SLOW_SECONDS = 10
"""What a batch takes on a machine that is busy with other things."""
FOUNDING_BATCHES = 20
"""More than a founding has: so often a town is stopped after each batch."""

WIDTH = 120
"""What a terminal of a usual width shows in one line."""


def demo(home: Path, *arguments: str, database: Database | None = None) -> "subprocess.Popen[str]":
    """The demo, started."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("KAQUAN_")}
    env |= {"KAQUAN_LANG": "en", "KAQUAN_HOME": str(home)}
    if database is not None:
        env |= {"KAQUAN_DATABASE_URL": database.app_url, "KAQUAN_OWNER_DATABASE_URL": database.owner_url}
    started = [sys.executable, "-m", "kaquan", "demo", "--no-serve", *arguments]
    return subprocess.Popen(started, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(process: "subprocess.Popen[str]", status: int = 0) -> tuple[str, str]:
    """What it printed; it must have ended with the status."""
    out, err = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == status, out + err
    return out, err


def figures(home: Path, *arguments: str, database: Database | None = None) -> dict[str, Any]:
    """The figures of a demo that must end well."""
    path = home.parent / f"{home.name}.json"
    finished(demo(home, *arguments, "--json", str(path), database=database))
    document = json.loads(path.read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def totals(document: dict[str, Any]) -> dict[str, Any]:
    """The totals of all programs."""
    found = document["programs"][command.ALL]["totals"]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose server is removed afterwards, if it was started."""
    path = tmp_path / "home"
    yield path
    if (path / "secrets").exists():
        embedded.stop_server(Settings(home=path), force=True)
        embedded.remove_server(Settings(home=path))


def test_a_fresh_machine_lives_three_days_then_goes_on(home: Path) -> None:
    path = home.parent / "figures.json"
    out, err = finished(demo(home, "--days", "3", "--holders", "20", "--json", str(path)))
    first = json.loads(path.read_text("utf-8"))
    assert (first["days"], first["from"], first["to"]) == (3, "2025-05-12", "2025-05-14")
    assert totals(first)["cards_sold"] > 5 and all(first["proofs"].values()) and not first["surprises"]
    assert "Outstanding on cards" in out and "3/3" in err and "✗" not in out + err
    heads = next(line for line in out.splitlines() if "Value on cards" in line)
    assert heads.split()[3:] == ["Xiaofeibao", "Packet", "Card", "Jingxi", "Card", "Total"]
    assert max(map(cell_len, out.partition("Commands:")[0].splitlines())) <= WIDTH
    again = figures(home, "--days", "2")
    assert (again["days"], again["to"], again["holders"]) == (5, "2025-05-16", 20)
    assert totals(again)["cards_sold_fen"] >= totals(first)["cards_sold_fen"]
    anew = figures(home, "--days", "3", "--holders", "20", "--fresh")
    assert anew == first


def test_the_town_can_be_looked_at_over_http_until_somebody_stops_it(tmp_path: Path, database: Database) -> None:
    process = demo(tmp_path / "home", "--days", "1", "--holders", "10", "--serve", database=database)
    assert process.stdout is not None
    token, address = "", ""
    for line in process.stdout:
        token = line.partition("KAQUAN_TOKEN=")[2].strip() or token
        if "Serving at " in line:
            address = line.partition("Serving at ")[2].partition(";")[0]
            break
    told = httpx2.get(f"{address}/v1/programs", headers={"Authorization": f"Bearer {token}"})
    assert {one["program"] for one in told.json()["items"]} == {"xiaofeibao", "hongbaoka", "jingxika"}
    process.send_signal(signal.SIGTERM)
    finished(process)


def test_the_same_seed_gives_the_same_table_on_any_database(
    tmp_path: Path, server: Server, template_name: str
) -> None:
    found = []
    for number in range(2):
        with fresh_database(server, template_name) as database:
            home = tmp_path / f"home-{number}"
            found.append(figures(home, "--days", "12", "--holders", "60", "--seed", "5", database=database))
    assert found[0] == found[1]
    assert totals(found[0])["settled_fen"] > 0 and found[0]["programs"]["hongbaoka"]["counts"]["packets"] > 0


def test_a_killed_demo_goes_on_as_if_nothing_had_happened(tmp_path: Path, server: Server, template_name: str) -> None:
    seed = secrets.randbelow(1_000)
    print(f"seed of the kills: {seed}")
    rng = random.Random(seed)
    arguments = ("--holders", "40", "--seed", "3")
    with fresh_database(server, template_name) as whole:
        wanted = figures(tmp_path / "whole", "--days", "12", *arguments, database=whole)
        with connect(whole.app_url) as connection:
            batches = _batches(connection)
    with fresh_database(server, template_name) as broken:
        home = tmp_path / "broken"
        for moment in sorted(rng.randint(1, batches * 2 // 3) for _ in range(4)):
            assert kill_when(demo(home, "--days", "12", *arguments, database=broken), broken, moment)
        done = figures(home, "--days", "0", database=broken)["days"]
        assert done < 12
        found = figures(home, "--days", str(12 - done), database=broken)
    assert found == wanted


class Stopped(Exception):
    """The town's process is gone."""


def test_a_stop_inside_a_step_changes_nothing(database: Database, server: Server, template_name: str) -> None:
    """Value bought just before a stop pays just after it, and every step is done once, however long a batch takes."""
    charter, days = Charter(seed=3, holders=60), 8
    whole = world_on(database, charter)
    whole.found()
    whole.live(0, days, lambda day: None)
    with fresh_database(server, template_name) as broken:
        stops, rng, ended = 0, random.Random(3), False
        while not ended:
            world = world_on(broken, charter)
            ended = lived_until_stopped(world, days, rng.randint(3, 12) if stops > FOUNDING_BATCHES else 1)
            assert world.surprises == []
            stops += not ended
        assert stops > 10
        assert counted(world) == counted(whole)


def lived_until_stopped(world: World, days: int, left: int) -> bool:
    """Whether a town, founded or not, came to the end of its days; after so many new batches it is stopped."""
    app, door = world.app, world.app.door
    execute, one = app.execute, door.one
    late = timedelta()
    door._now = lambda: system_now() + late

    def tired() -> None:
        if not left:
            raise Stopped

    def slow(kind: Kind, commands: list[Any], **options: Any) -> list[Any]:
        nonlocal left, late
        tired()
        outcomes = execute(kind, commands, **options)
        if any(not one.replayed for one in outcomes):
            left, late = left - 1, late + timedelta(seconds=SLOW_SECONDS)
        return outcomes

    def slow_one(*given: Any, **options: Any) -> Any:
        nonlocal left
        tired()
        outcome = one(*given, **options)
        left -= not outcome.replayed
        return outcome

    app.execute, door.one = slow, slow_one  # type: ignore[method-assign]
    try:
        world.found()
        world.live(world.days_done(), days, lambda day: None)
    except Stopped:
        return False
    return True


def counted(world: World) -> Any:
    """How often which kind of command took effect, and was refused."""
    return msgspec.to_builtins(commands(world.app.connection))


def kill_when(process: "subprocess.Popen[str]", database: Database, batches: int) -> bool:
    """`kill -9` when the database has so many batches. False when the process ended before."""
    until = seconds() + LONGEST_SECONDS
    with connect(database.app_url) as connection:
        while process.poll() is None and seconds() < until:
            if _batches(connection) >= batches:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
    process.communicate(timeout=LONGEST_SECONDS)
    return process.returncode == -signal.SIGKILL


def _batches(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM journal").fetchone()
    assert row is not None
    return int(row[0])


def test_the_clock_of_a_real_business_is_never_moved(tmp_path: Path, database: Database) -> None:
    build(database.app_url)
    for arguments in (("--days", "1"), ("--days", "1", "--fresh")):
        out, err = finished(demo(tmp_path / "home", *arguments, database=database), status=2)
        assert "real business" in err and not out
    with connect(database.app_url) as connection:
        assert connection.execute("SELECT clock_offset_us FROM installation").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM merchant").fetchone() == (3,)


def test_another_town_needs_fresh(tmp_path: Path, database: Database) -> None:
    first = figures(tmp_path / "home", "--days", "1", "--holders", "5", database=database)
    out, err = finished(demo(tmp_path / "home", "--seed", "2", database=database), status=2)
    assert "seed 1 and 5 holders" in err and not out
    assert figures(tmp_path / "home", "--days", "0", database=database) == first


def test_the_simulation_ends_yesterday(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_on(database, Charter(seed=1, holders=3))
    today = world.date_of(4)
    monkeypatch.setattr(command, "system_now", lambda: shanghai(today))
    command._live(world, 30, Screen("en", False))
    assert world.days_done() == 4
    command._live(world, 30, Screen("en", False))
    assert world.days_done() == 4


def test_forty_days_hold_no_surprise_and_the_table_adds_up(database: Database) -> None:
    """The town's own idea of every card agrees with every decision, so that the demo tells of what it shows."""
    world = world_on(database, Charter(seed=11, holders=60))
    world.found()
    world.live(0, 40, lambda day: None)
    assert world.surprises == []
    assert [proof.name for proof in proofs(world.app.connection) if not proof.ok] == []
    columns = command._columns(world)
    assert [*columns] == ["xiaofeibao", "hongbaoka", "jingxika", command.ALL]
    for section in sections([*columns.values()], {}):
        for column in range(len(columns)):
            signed = [(line.sign, line.numbers[column]) for line in section.lines if line.sign]
            parts = sum(number if sign == "+" else -number for sign, number in signed if sign != "=")
            assert [number for sign, number in signed if sign == "="] == ([parts] if signed else []), section.words
        for line in section.lines:
            assert sum(line.numbers[:-1]) == line.numbers[-1], line.words
    happened = msgspec.to_builtins(columns[command.ALL].more)
    rare = {
        "vouchers_returned",
        "reserves_released",
        "lots_expired",
        "referrals_clawed_back",
        "vouchers_taken_back",
        "rebates_clawed_back",
        "closings_kept",
        "closings_open",
        "closings_unpaid",
        "closings_unpaid_fen",
        "owed_holders_fen",
        "refunded_outside_fen",
        *(f"payouts_{word}" for word in ("failed", "returned", "again", "open", "open_fen", "waiting", "sent")),
        *(f"disputes_{word}" for word in ("merchant", "holder", "open", "open_fen")),
    }
    assert {name for name, count in happened.items() if not count} <= rare | {"holds", "rebates_cancelled"}
    lines = [*export(world.app.connection)]
    for code, one in columns.items():
        own = msgspec.to_builtins(one.totals)
        assert add_up(lines, "" if code == command.ALL else code) == own, code
        more = msgspec.to_builtins(one.more)
        for name, fen in add_up_more(lines, "" if code == command.ALL else code).items():
            assert more[name] == fen, (code, name)
    explained(world, happened)


def explained(world: World, happened: dict[str, int]) -> None:
    """What is open is listed one by one, with its day, and comes to what the table counts."""
    found = {one.code: one for one in still_open(world.app.connection)}
    for code, name in LISTED.items():
        assert sum(len(found[one].items) for one in code.split()) == happened[name], code
    held = sum(one.amount for one in found["disputes"].items)
    assert held == happened["disputes_open_fen"] and happened["payouts_confirmed"] > 0 < happened["cards_closed"]
    assert all(one.words[0] and one.words[1] and item.day for one in found.values() for item in one.items)


LISTED = {
    "closings_asked": "closings_open",
    "closings_owed": "closings_unpaid",
    "payouts_instructed": "payouts_waiting",
    "payouts_sent": "payouts_sent",
    "payouts_failed payouts_returned payouts_withheld": "payouts_open",
    "disputes": "disputes_open",
}
"""What the list of open things calls them, and where the table counts them."""


def world_on(database: Database, charter: Charter) -> World:
    """A town that is not founded yet."""
    app = Kaquan(connect(database.app_url), b"k" * 32)
    return World(app, load_scenario(), charter, lambda: run_due(app))
