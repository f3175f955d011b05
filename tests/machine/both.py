"""The door and the model side by side, compared after every step, and the books proved."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.vouchers.model import VoucherState
from machine.books import AT_THE_END, FUND_BOOKS, OFFENCES, SIDES
from machine.model import Card, Model, Payment
from machine.vouchers import FUNDS, PLEDGED, STOCKS, TEXT, Voucher
from support.database import Database
from support.town import Town, build
from support.voucher_words import open_for

STATES = {"authorized": 1, "captured": 2, "voided": 3, "expired": 4, "refunded": 5}
STATES["partly_refunded"] = 6
VOUCHERS = {state.name.lower(): int(state) for state in VoucherState}
REWARDS = {"waiting": 1, "granted": 2, "cancelled": 3, "clawed_back": 4}


class Both(RuleBasedStateMachine):
    """What every step stands on. `fresh` opens a database; the test sets it."""

    fresh: Callable[[], AbstractContextManager[Database]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.town: Town = build(self.stack.enter_context(type(self).fresh()).app_url, more=TEXT)
        funds = [f"{code} {amount // 100}" + " pledged" * (code == PLEDGED) for code, amount in FUNDS.items()]
        open_for(self.town, funds, list(STOCKS))
        self.stack.callback(self.town.app.connection.close)
        self.app = self.town.app
        self.wallet = self.town.holder()
        self.model = Model(self.now())
        self.ids: dict[Any, bytes] = {}  # of the model's cards and payments
        self.done: list[tuple[Kind, Any, Any]] = []
        self.before = self.count("command")
        self.decided = 0

    def teardown(self) -> None:
        with self.stack:
            self.hold(AT_THE_END)

    def hold(self, rules: dict[str, str]) -> None:
        """Nothing in the books offends."""
        for rule_, statement in rules.items():
            found = self.town.rows(statement)
            assert not found, f"{rule_}: {found}"

    def now(self) -> int:
        return microseconds(self.town.now)

    def count(self, table: str) -> int:
        return int(self.town.rows(f"SELECT count(*) FROM {table}")[0][0])

    def do(self, kind: Kind, shape: Any, expected: str, **fields: Any) -> Any:
        """Execute a new command and compare with what the model said."""
        command = shape(key=self.town.key(), caller=OPERATOR, **fields)
        outcome = self.app.one(kind, command)
        return self.compare(kind, command, outcome, expected)

    def compare(self, kind: Kind, command: Any, outcome: Any, expected: str) -> Any:
        told = outcome.refusal.code.code if isinstance(outcome, Refused) else ""
        assert told == expected, f"the door said {outcome}, the model {expected or 'yes'}"
        assert not outcome.replayed
        if isinstance(outcome, Refused) and not outcome.refusal.code.burns:
            return outcome
        self.done.append((kind, command, outcome))
        self.decided += 1
        return outcome

    def learn(self, card: Card, origin: bytes) -> None:
        """Take over the ids of the lots that the model has just made."""
        found = dict(
            self.town.rows("SELECT kind, id FROM lot WHERE id = %s OR origin = %s", origin.hex(), origin.hex())
        )
        for lot in card.lots:
            lot.id = lot.id or found[lot.kind].bytes

    def card(self, number: int) -> Card:
        return self.model.cards[number % len(self.model.cards)]

    def some_vouchers(self, picks: tuple[int, ...]) -> list[Voucher]:
        """Vouchers: mostly those that may count, never one twice."""
        live = [one for one in self.model.vouchers if one.live and one.until > self.model.at]
        found = [
            pool[number // 8 % len(pool)]
            for number in picks
            if (pool := live if number % 8 and live else self.model.vouchers)
        ]
        return list(dict.fromkeys(found))

    def payment(self, number: int, *likely: str) -> Payment:
        """A payment: mostly one that is in a likely state, sometimes any."""
        found = [old for old in self.model.payments if {old.state, old.reward} & set(likely)]
        some = found if found and number % 4 else self.model.payments
        return some[number // 4 % len(some)]

    @invariant()
    def lots_are_what_the_model_says(self) -> None:
        stored = {row[0].bytes: row[1:] for row in self.town.rows("SELECT id, balance, held, state FROM lot")}
        lots = [lot for card in self.model.cards for lot in card.lots]
        assert stored == {lot.id: (lot.balance, lot.held, int(lot.expired)) for lot in lots}

    @invariant()
    def payments_are_what_the_model_says(self) -> None:
        rows = self.town.rows(
            "SELECT p.id, p.state, p.captured, p.refunded, p.outside, coalesce(r.state, 0), coalesce(r.amount, 0),"
            " coalesce(r.cut, 0)"
            " FROM payment p LEFT JOIN reward r USING (bucket, id)"
        )
        assert {row[0].bytes: row[1:] for row in rows} == {
            self.ids[old]: (
                *(STATES[old.state], old.captured, old.refunded, old.outside),
                *(REWARDS.get(old.reward, 0), old.rebate, old.cut),
            )
            for old in self.model.payments
        }

    @invariant()
    def vouchers_are_what_the_model_says(self) -> None:
        rows = self.town.rows("SELECT id, state, used, holder FROM voucher")
        assert {row[0].bytes: (*row[1:3], row[3] and row[3].bytes) for row in rows} == {
            one.id: (VOUCHERS[one.state], one.used, self.ids.get(one.holder)) for one in self.model.vouchers
        }

    @invariant()
    def funders_money_is_where_the_model_says(self) -> None:
        model = self.model
        assert {row[0]: row[1:] for row in self.town.rows(FUND_BOOKS)} == {
            code: (model.free[code], model.promised[code], model.used[code] if code == PLEDGED else 0)
            for code in FUNDS
        }
        uses = {row[0]: row[1] for row in self.town.rows("SELECT day, count FROM tally WHERE count > 0")}
        assert sorted(uses.values()) == sorted(count for count in model.uses.values() if count)

    @invariant()
    def every_fen_that_came_in_is_somewhere(self) -> None:
        lots = sum(lot.balance for card in self.model.cards for lot in card.lots)
        taken = [old for old in self.model.payments if old.captured]
        owed = sum(old.captured - old.refunded - old.outside + old.returned["outside"] for old in taken)
        funds = sum(self.model.free.values()) + sum(self.model.promised.values())
        assert self.model.paid + self.model.granted + sum(FUNDS.values()) == lots + owed + funds
        came_in, kept = self.town.rows(SIDES)[0]
        assert came_in == kept == lots + owed + funds

    @invariant()
    def the_books_hold(self) -> None:
        self.hold(OFFENCES)
        assert self.count("command") - self.before == self.decided, "one key, one decision"


def answer(outcome: Any) -> Any:
    """What was told: a retry is told the same."""
    return outcome.answer if isinstance(outcome, Effect) else outcome.refusal
