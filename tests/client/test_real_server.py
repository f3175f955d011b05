"""The client against a server of our own, whatever happens between them: an order is paid once."""

import os
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from secrets import randbelow
from time import sleep

import psycopg
import pytest
from msgspec.structs import replace

from kaquan.client import (
    Client,
    Forbidden,
    Invalid,
    Line,
    NewPayment,
    NotFound,
    Refused,
    Retries,
    Unauthorized,
    Unknown,
)
from kaquan.kernel.caller import Role
from support.database import Database
from support.fake_server import closed_port
from support.pipe import Pipe
from support.serve_process import Serve
from support.service import issue, set_clock
from support.town import Town, build

UP_SECONDS = 60
PATIENT = Retries(attempts=1_000, total_seconds=180, first_wait_ms=20, longest_wait_ms=200)


class Shop:
    """A town whose till and office have keys, a card of 500 yuan, and a server that can be killed."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.town: Town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
        self.wallet = self.town.holder()
        card = self.town.sell(self.wallet)
        self.number = str(self.town.rows("SELECT number FROM card WHERE id = %s", card.hex())[0][0])
        self.till = issue(self.town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
        self.office = issue(self.town, Role.OPERATOR)
        set_clock(database.owner_url, self.town)
        self.port = closed_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.url = database.owner_url
        self.serve = Serve(database, folder)

    def start(self) -> subprocess.Popen[str]:
        """A server on always the same port, to be killed."""
        return self.serve.start("--no-jobs", port=self.port)[0]

    def open(self) -> AbstractContextManager[str]:
        """The server for a while; it ends in order."""
        return self.serve.running("--no-jobs", port=self.port)

    def order(self, order_no: str, amount: int = 100) -> NewPayment:
        """An order that the card pays."""
        return NewPayment(merchant="mall-1", amount_fen=amount, order_no=order_no, card=self.number)

    def paid(self) -> list[tuple[str, int]]:
        """Every payment: order number and amount."""
        with psycopg.connect(self.url) as books:
            return books.execute("SELECT order_no, amount FROM kaquan.payment ORDER BY order_no").fetchall()


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    return Shop(database, tmp_path)


def test_a_day_at_the_till(shop: Shop) -> None:
    phone = "13912345678"
    with shop.open(), Client(shop.address, shop.office) as office, Client(shop.address, shop.till) as till:
        holder = office.holders.register(name="李四", phone=phone, id_number="11010519491231002X")
        assert office.holders.find(phone).wallet == holder.wallet and holder.wallet.startswith("wal_")
        tried = office.cards.sell(holder.wallet, "jingxika", 50_000, dry_run=True)
        card = office.cards.sell(holder.wallet, "jingxika", 50_000)
        assert (tried.dry_run, card.dry_run, card.face_fen) == (True, False, 50_000)
        assert [one.card for one in office.holders.cards(holder.wallet)] == [card.card]
        lines = [Line(goods="tea", amount_fen=3_000), Line(goods="cup", amount_fen=2_000)]
        order = NewPayment(merchant="mall-1", amount_fen=5_000, order_no="A1", card=card.number, lines=lines)
        assert till.quotes.create(order).amount_fen == 5_000
        paid = till.payments.create(order)
        assert (paid.state, paid.amount_fen, paid.replayed) == ("captured", 5_000, False)
        assert till.payments.create(order, key=paid.key).replayed
        back = till.payments.refund(paid.payment, lines=[2], reason="broken")
        assert (back.state, back.amount_fen) == ("partly_refunded", 2_000)
        assert till.payments.show_order("mall-1", "A1").refunded_fen == 2_000
        held = till.payments.create(replace(order, order_no="A2", capture=False, lines=()))
        assert till.payments.capture(held.payment, 1_000).state == "captured"
        held = till.payments.create(replace(order, order_no="A3", capture=False, lines=()))
        assert till.payments.void(held.payment).state == "voided"
        assert till.payments.reverse("mall-1", "A2").refund is not None
        assert till.payments.reverse("mall-1", "never").state == "nothing_taken"
        assert office.cards.show(card.number).available_fen == 50_000 - 3_000
        assert office.cards.freeze(card.card, "asked").state == "frozen"
        with pytest.raises(Refused) as no:
            till.payments.create(replace(order, order_no="A4"))
        assert (no.value.code, no.value.replayed) == ("card_frozen", False) and no.value.remedy
    log = shop.serve.log.read_text("utf-8")
    assert "serve.stopped" in log
    for secret in (phone, "李四", "11010519491231002X", shop.till, shop.office, card.number):
        assert secret not in log


def test_every_no_of_the_server_has_its_class(shop: Shop) -> None:
    with shop.open(), Client(shop.address, shop.till, language="en") as till:
        with pytest.raises(Refused) as no:
            till.payments.create(shop.order("B1", 60_000), key="b1")
        assert (no.value.code, no.value.facts["missing_fen"]) == ("balance_insufficient", 10_000)
        with pytest.raises(Refused) as no:
            till.payments.create(shop.order("B1", 60_000), key="b1")
        assert no.value.replayed
        with pytest.raises(Refused) as no:
            till.payments.create(shop.order("B1", 100), key="b1")
        assert no.value.code == "key_reused"
        with pytest.raises(NotFound):
            till.payments.show("pay_00000000000000000000000000")
        with pytest.raises(Forbidden):
            till.holders.find("13800138000")
        with pytest.raises(Invalid) as wrong:
            till.call("POST", "/v1/payments", {"merchant": "mall-1"})
        assert wrong.value.details
        with Client(shop.address, "kq_live_nobody") as stranger, pytest.raises(Unauthorized):
            stranger.payments.show("pay_00000000000000000000000000")
        ended = till.payments.create_many([shop.order("B2"), shop.order("B3", 60_000), shop.order("B4")])
        assert [getattr(one, "code", "paid") for one in ended] == ["paid", "balance_insufficient", "paid"]
    assert shop.paid() == [("B2", 100), ("B4", 100)]


def test_a_server_killed_before_its_answer_pays_once(shop: Shop) -> None:
    """The pipe holds the answer back; the server is killed, started again on its port; the client is told."""
    running = [shop.start()]
    try:
        for number in range(5):
            with Pipe(shop.port) as pipe, Client(pipe.address, shop.till, retries=PATIENT, timeout=20) as till:
                pipe.hold_answers()
                caller = threading.Thread(target=till.payments.create, args=(shop.order(f"K{number}"),))
                caller.start()
                assert pipe.answer_came.wait(UP_SECONDS)
                running[0].kill()
                running[0].wait()
                pipe.cut_all()
                sleep(0.1)
                running[0] = shop.start()
                pipe.pass_answers()
                caller.join(UP_SECONDS)
                assert not caller.is_alive()
                assert till.payments.show_order("mall-1", f"K{number}").state == "captured"
    finally:
        running[0].kill()
        running[0].wait()
    assert shop.paid() == [(f"K{number}", 100) for number in range(5)]


def test_a_server_killed_at_any_moment_pays_once(shop: Shop) -> None:
    seed = int(os.environ.get("KAQUAN_TEST_SEED") or randbelow(2**32))
    print(f"seed {seed}", file=sys.stderr)
    pick, running, done, kills = Random(seed), [shop.start()], threading.Event(), 0

    def pay(till: Client, number: int) -> None:
        for order in range(40):
            till.payments.create(shop.order(f"C{number}-{order:02}"))

    def kill() -> None:
        nonlocal kills
        while not done.wait(pick.uniform(0.05, 0.6)) and kills < 5:
            kills += 1
            running[0].kill()
            running[0].wait()
            running[0] = shop.start()

    try:
        with Client(shop.address, shop.till, retries=PATIENT) as till:
            callers = [threading.Thread(target=pay, args=(till, number)) for number in range(4)]
            killer = threading.Thread(target=kill)
            for one in (*callers, killer):
                one.start()
            for one in callers:
                one.join()
            done.set()
            killer.join()
    finally:
        running[0].kill()
        running[0].wait()
    assert kills > 0
    assert shop.paid() == [(f"C{number}-{order:02}", 100) for number in range(4) for order in range(40)]


def test_connections_cut_after_the_request_pay_once(shop: Shop) -> None:
    with shop.open(), Pipe(shop.port) as pipe, Client(pipe.address, shop.till, retries=PATIENT) as till:
        keys = []
        for number in range(40):
            pipe.cut_next(number % 3)
            paid = till.payments.create(shop.order(f"X{number:02}"))
            keys.append(paid.key)
            assert paid.replayed is bool(number % 3)
        pipe.cut_next(2)
        ended = till.payments.create_many([shop.order(f"Y{number:02}") for number in range(20)])
        assert all(getattr(one, "replayed", False) for one in ended)
    assert len(set(keys)) == 40 and pipe.cut == 13 * 3 + 2
    orders = [(f"X{number:02}", 100) for number in range(40)] + [(f"Y{number:02}", 100) for number in range(20)]
    assert shop.paid() == orders


def test_when_patience_ends_the_key_tells_later(shop: Shop) -> None:
    with shop.open(), Pipe(shop.port) as pipe:
        with Client(pipe.address, shop.till, retries=Retries(attempts=3, first_wait_ms=1)) as till:
            pipe.cut_next(3)
            with pytest.raises(Unknown) as lost:
                till.payments.create(shop.order("U1"))
        assert shop.paid() == [("U1", 100)] and lost.value.key is not None
        with Client(shop.address, shop.till) as later:
            assert later.payments.create(shop.order("U1"), key=lost.value.key).replayed
    assert shop.paid() == [("U1", 100)]
