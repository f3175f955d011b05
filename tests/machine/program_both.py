"""A program behind the real door and in the model at once: what must hold after every step."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from hashlib import sha256
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.ledger.service import roll_up
from machine.books import FUND_BOOKS
from machine.both import VOUCHERS
from machine.program_model import Program
from machine.program_terms import EDITS, FUNDS, GIVEN, PLEDGED, POOL, TEXT, Merchant
from machine.replay import balances, stored_is_rebuilt
from support.database import Database
from support.rewards import assert_proved
from support.town import Town, build
from support.voucher_words import open_for

PROVED_EVERY = 8
GRANTED = """
    SELECT (SELECT count(*) FROM voucher), (SELECT count(*) FROM lot), (SELECT count(*) FROM packet_pool),
           (SELECT count(*) FROM packet), (SELECT coalesce(sum(given), 0)::bigint FROM plan),
           (SELECT count(*) FROM plan), (SELECT count(*) FROM reward WHERE state IN (2, 4))"""
"""How often anybody was given anything."""
OF_STOCK = """
    SELECT s.code, (SELECT count(*) FROM voucher v WHERE v.stock = s.id)
                 + (SELECT count(*) FROM packet_pool q WHERE q.stock = s.id) FROM stock s"""


class ProgramBoth(RuleBasedStateMachine):
    """What every step stands on. `fresh` opens a database; the test sets it."""

    fresh: Callable[[], AbstractContextManager[Database]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.town: Town = build(self.stack.enter_context(type(self).fresh()).app_url, *EDITS, more=TEXT)
        self.stack.callback(self.town.app.connection.close)
        funds = [f"{code} {amount // 100}" + " pledged" * (code == PLEDGED) for code, amount in FUNDS.items()]
        open_for(self.town, funds, list(GIVEN))
        self.app = self.town.app
        self.wallet, self.other = self.town.holder(), self.town.holder("13900139000", identified=False)
        self.card = self.town.sell(self.wallet, 50_000)
        self.program = Program(self.now())
        self.told("", self.program.buy(50_000))
        self.learn()
        self.paused_with: tuple[Any, ...] | None = None
        self.stopped_with: dict[str, int] = {}
        self.steps = 0

    def teardown(self) -> None:
        with self.stack:
            assert_proved(self.town)
            stored_is_rebuilt(self.town)

    def now(self) -> int:
        """The instant at the door."""
        return microseconds(self.town.now)

    def told(self, found: str, expected: str) -> bool:
        """Whether it took effect, as the model said."""
        assert found == expected, f"the door said {found or 'yes'}, the model {expected or 'yes'}"
        return not found

    def do(self, kind: Kind, shape: Any, expected: str, **fields: Any) -> Effect | None:
        """Execute a new command and compare with what the model said; nothing when it was refused."""
        before = self.moved()
        outcome = self.app.one(kind, shape(key=self.town.key(), caller=OPERATOR, **fields))
        refused = isinstance(outcome, Refused)
        self.told(outcome.refusal.code.code if refused else "", expected)
        assert not refused or self.moved() == before, "a refusal moves nothing"
        return None if refused else outcome

    def moved(self) -> int:
        """Entries in the books."""
        return int(self.town.rows("SELECT count(*) FROM posting")[0][0])

    def learn(self) -> None:
        """Take over the ids of the lots and plans that the model has just made."""
        found = self.town.rows("SELECT id, kind, balance, coalesce(expires_at, 0), fund FROM lot")
        known = {lot.id for lot in self.program.lots}
        new = [row for row in found if row[0].bytes not in known]
        funds = {fund.id: code for code, fund in self.app.catalogue.funds.items()}
        for lot in self.program.lots:
            if not lot.id:
                said = (lot.kind, lot.balance, lot.expires, lot.fund)
                row = next(one for one in new if (*one[1:4], (one[4] and funds[one[4].bytes]) or "") == said)
                new.remove(row)
                lot.id = row[0].bytes
        plans = {row[0].bytes for row in self.town.rows("SELECT id FROM plan")}
        fresh = plans - {plan.id for plan in self.program.plans}
        for plan in self.program.plans:
            plan.id = plan.id or fresh.pop()
        assert not new and not fresh, "the door gave more than the model"

    # Invariants 2, 5 and 7, for top-ups and grants

    @invariant()
    def lots_and_vouchers_are_what_the_model_says(self) -> None:
        rows = self.town.rows("SELECT id, balance, state FROM lot")
        lots = {lot.id: (lot.balance, int(lot.expired)) for lot in self.program.lots}
        assert {row[0].bytes: row[1:] for row in rows} == lots
        rows = self.town.rows("SELECT id, state, used, face FROM voucher")
        assert {row[0].bytes: row[1:] for row in rows} == {
            one.id: (VOUCHERS[one.state], one.used, one.face) for one in self.program.vouchers
        }

    @invariant()
    def funders_money_is_where_the_model_says(self) -> None:
        program = self.program
        assert {row[0]: row[1:] for row in self.town.rows(FUND_BOOKS)} == {
            code: (program.free[code], program.promised[code], program.used[code] if code == PLEDGED else 0)
            for code in FUNDS
        }
        assert min([*program.free.values(), *program.promised.values(), *program.used.values()]) >= 0
        left = "SELECT s.code, sum(l.count_left)::bigint FROM stock s JOIN slice l ON l.pool = pool_of('stock', s.id)"
        assert dict(self.town.rows(f"{left} GROUP BY 1")) == dict(program.left)

    # Invariant 8

    @invariant()
    def packets_are_their_pool(self) -> None:
        for pool in self.program.pools:
            sql = "SELECT number, amount FROM packet WHERE pool = %s"
            rows = self.town.rows(sql, pool.id.hex())
            assert len(rows) == len(pool.taken) and dict(rows) == pool.taken, "none twice, none changed"
            sql = "SELECT coalesce(sum(count_left), 0)::bigint, coalesce(sum(fen_left), 0)::bigint FROM slice"
            assert self.town.rows(f"{sql} WHERE pool = %s", pool.id.hex())[0] == pool.left
            (revealed,) = self.town.rows("SELECT revealed FROM packet_pool WHERE id = %s", pool.id.hex())[0]
            assert (revealed is not None) == pool.ended, "nobody sees the order before the end"
            if pool.ended:
                parts = [int.from_bytes(revealed[at : at + 4], "big") for at in range(32, len(revealed), 4)]
                assert sum(parts) == POOL["total_fen"] and len(parts) == POOL["count"]
                assert all(POOL["min_fen"] <= part <= POOL["max_fen"] for part in parts)
                assert all(parts[number - 1] == amount for number, amount in pool.taken.items())
                assert sha256(revealed).hexdigest() == pool.commitment

    # Invariants 9 and 11; nothing applies a reserve to a debt, so what is held is withheld less released

    @invariant()
    def merchants_have_what_the_model_says(self) -> None:
        found = balances(self.town)
        for merchant in self.program.merchants.values():
            owner = self.owner(merchant)
            accounts = {account: fen for (account, who), fen in found.items() if who and who.bytes == owner}
            assert accounts.get(41, 0) == merchant.held, "held = withheld - released"
            assert accounts.get(42, 0) == merchant.paid, "each period is paid once"
            assert accounts.get(40, 0) == merchant.payable

    def owner(self, merchant: Merchant) -> bytes:
        """Its id."""
        return self.town.merchants[merchant.code]

    # Invariant 12

    @invariant()
    def what_is_paused_grants_nothing(self) -> None:
        granted = self.town.rows(GRANTED)[0]
        if self.program.state != "paused":
            self.paused_with = None
        else:
            self.paused_with = self.paused_with or granted
            assert granted == self.paused_with, "a paused program has granted something"
        given = dict(self.town.rows(OF_STOCK))
        closed = {code for code in GIVEN if self.program.stocks[code] == "paused"}
        self.stopped_with = {code: self.stopped_with.get(code, given[code]) for code in closed}
        assert self.stopped_with == {code: given[code] for code in closed}, "a paused stock has handed out something"

    # Invariants 1 and 10, every few steps and at the end

    @invariant()
    def the_books_are_proved(self) -> None:
        self.steps += 1
        if self.steps % PROVED_EVERY == 0:
            roll_up(self.app.connection)
            assert_proved(self.town)
            stored_is_rebuilt(self.town)

    def hold(self) -> None:
        """All of it at once, for a life that is told step by step."""
        self.steps = PROVED_EVERY - 1
        for rule in (
            self.lots_and_vouchers_are_what_the_model_says,
            self.funders_money_is_where_the_model_says,
            self.packets_are_their_pool,
            self.merchants_have_what_the_model_says,
            self.what_is_paused_grants_nothing,
            self.the_books_are_proved,
        ):
            rule()
