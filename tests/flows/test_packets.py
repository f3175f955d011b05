"""Random packets on a real database: opened, taken, ended, revealed, checked by somebody else's script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.rewards.packet_model import EndPackets, OpenPacket
from support.database import Database
from support.rewards import (
    assert_proved,
    free,
    open_packets,
    packet_stock,
    packets_text,
    pool_left,
    promised,
    run,
    take_packet,
    town_with,
)
from support.town import Town

SCRIPT = Path(__file__).parents[1] / "support" / "check_packets.py"


@pytest.fixture
def town(database: Database) -> Town:
    return town_with(database.app_url, packet_stock(), packets_text(), stocks=("packet",), city=10_000)


def holders(town: Town, count: int) -> list[Id]:
    return [town.holder(f"138{number:08d}", identified=False) for number in range(count)]


def test_all_packets_together_are_the_total_and_each_is_opened_once(town: Town) -> None:
    pool = open_packets(town)
    assert (free(town), promised(town)) == (0, 10_000)
    assert pool_left(town, pool.id) == (20, 10_000)
    outcomes = [take_packet(town, wallet, pool.id) for wallet in holders(town, 21)]
    taken = [one.facts for one in outcomes[:20] if isinstance(one, Effect)]
    assert sorted(one["number"] for one in taken) == list(range(1, 21))
    assert sum(one["amount_fen"] for one in taken) == 10_000
    assert isinstance(outcomes[20], Refused) and outcomes[20].refusal.code.code == "packets_gone"
    assert (free(town), promised(town)) == (0, 10_000)
    assert_proved(town)


def test_what_nobody_took_goes_back_to_the_fund_and_can_be_promised_again(town: Town) -> None:
    pool = open_packets(town)
    taken = [take_packet(town, wallet, pool.id).facts["amount_fen"] for wallet in holders(town, 5)]
    town.tick(hours=71, minutes=59)
    assert Kind.END_PACKETS not in run(town)
    town.tick(minutes=1)
    assert run(town)[Kind.END_PACKETS] == 1
    assert (free(town), promised(town)) == (10_000 - sum(taken), sum(taken))
    assert pool_left(town, pool.id) == (0, 0)
    assert pool_left(town, town.app.catalogue.funds["city"].id)[1] == 10_000 - sum(taken)
    stock = town.app.catalogue.stock_by_code("jingxika", "packet")
    assert stock is not None and pool_left(town, stock.pool) == (15, 10_000 - sum(taken))
    assert_proved(town)


def test_the_order_is_sealed_until_the_end_and_committed_to_from_the_beginning(town: Town) -> None:
    seed = b"nobody may know this before it's over"[:32]
    pool = open_packets(town, seed)
    dump = str(town.rows("SELECT q::text FROM packet_pool q"))
    assert seed.hex() not in dump
    told = pool.facts["commitment"]
    town.tick(hours=72)
    run(town)
    revealed, commitment = town.rows("SELECT revealed, commitment FROM packet_pool")[0]
    assert revealed[:32] == seed and commitment.hex() == told


def test_somebody_elses_script_checks_a_receipt(town: Town, tmp_path: Path) -> None:
    pool = open_packets(town)
    taken = take_packet(town, town.holder(), pool.id).facts
    town.tick(hours=72)
    run(town)
    count, total, commitment, revealed = town.rows("SELECT count, total, commitment, revealed FROM packet_pool")[0]
    amounts = [int.from_bytes(revealed[at : at + 4], "big") for at in range(32, len(revealed), 4)]
    receipt = {
        "amount_fen": taken["amount_fen"],
        "amounts_fen": amounts,
        "commitment": commitment.hex(),
        "count": count,
        "max_fen": 5_000,
        "min_fen": 1,
        "number": taken["number"],
        "seed": revealed[:32].hex(),
        "total_fen": total,
    }
    assert check(receipt, tmp_path) == (0, "ok")
    assert check({**receipt, "amount_fen": taken["amount_fen"] + 1}, tmp_path)[0] == 1
    assert check({**receipt, "amounts_fen": [*amounts[1:], amounts[0]]}, tmp_path)[0] == 1


def check(receipt: dict[str, object], folder: Path) -> tuple[int, str]:
    path = folder / "receipt.json"
    path.write_text(json.dumps(receipt))
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip()


def test_a_batch_of_takers_gets_a_packet_each(town: Town) -> None:
    pool = open_packets(town)
    takers = [OpenPacket(key="k", caller=OPERATOR, wallet=wallet, pool=pool.id) for wallet in holders(town, 20)]
    outcomes = town.app.execute(Kind.OPEN_PACKET, takers)
    assert sorted(one.facts["number"] for one in outcomes) == list(range(1, 21))
    assert_proved(town)


def test_two_ends_of_one_pool_give_back_once(town: Town) -> None:
    pool = open_packets(town)
    town.tick(hours=72)
    first, second = town.app.execute(
        Kind.END_PACKETS, [EndPackets(key=f"k{n}", caller=SYSTEM, pool=pool.id) for n in range(2)]
    )
    assert isinstance(first, Effect) and isinstance(second, Refused)
    assert (free(town), promised(town)) == (10_000, 0)
    assert_proved(town)


def test_funders_of_a_pool_promise_each_packet_to_the_fen(database: Database) -> None:
    shares = (("city", 3_333), ("platform", 6_667))
    stock = packet_stock(*shares, shared_budget=True)
    town = town_with(database.app_url, stock, packets_text(), stocks=(), city=10_000)
    town.fund("platform", 10_000)
    town.stock("packet")
    pool = open_packets(town)
    assert promised(town) == 10_000
    for wallet in holders(town, 7):
        take_packet(town, wallet, pool.id)
    assert_proved(town)
    town.tick(hours=72)
    run(town)
    assert_proved(town)
