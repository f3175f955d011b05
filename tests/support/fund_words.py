"""The teller's words about funds and stocks: `入金 pay-in city 100`, `停止 stop-stock off-10`."""

from datetime import date
from typing import Any

from kaquan.commands.model import Kind
from kaquan.funders.model import PayInFund, PayOutFund, RegisterFund, SweepFund, fund_id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import FundMode
from kaquan.reporting.model import MakeStatement, PartyKind
from kaquan.reporting.service import horizon
from kaquan.stocks.model import OpenStock, PauseStock, RaiseStock, ResumeStock, StopStock
from support.words import Words, fen, nothing


class FundWords(Words):
    """What the teller says of funds and stocks."""

    def _fund(self, told: dict[str, str], code: str, mode: str = "prepaid") -> Any:
        source = told.get("source", "fiscal")
        fields = {
            "code": code,
            "name": code,
            "organisation": told.get("of", self.town.issuer),
            "book": told.get("in", self.town.issuer),
        }
        return self._do(
            Kind.REGISTER_FUND,
            RegisterFund,
            told,
            mode=FundMode[mode.upper()],
            source=Source[source.upper()],
            **fields,
        )

    def _pay_in(self, told: dict[str, str], fund: str, amount: str) -> Any:
        reference = told.get("reference", "bank-1").strip('"')
        return self._do(Kind.PAY_IN_FUND, PayInFund, told, fund=fund, amount=fen(amount), reference=reference)

    def _pay_out(self, told: dict[str, str], fund: str, amount: str) -> Any:
        reference = told.get("reference", "bank-2").strip('"')
        return self._do(Kind.PAY_OUT_FUND, PayOutFund, told, fund=fund, amount=fen(amount), reference=reference)

    def _sweep(self, told: dict[str, str], fund: str) -> Any:
        return self._do(Kind.SWEEP_FUND, SweepFund, told, fund=fund)

    def _open_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._do(Kind.OPEN_STOCK, OpenStock, told, program=told.get("program", self.town.program), stock=stock)

    def _pause_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._step(Kind.PAUSE_STOCK, PauseStock, told, stock)

    def _resume_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._step(Kind.RESUME_STOCK, ResumeStock, told, stock)

    def _stop_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._step(Kind.STOP_STOCK, StopStock, told, stock)

    def _step(self, kind: Kind, shape: Any, told: dict[str, str], stock: str) -> Any:
        reason = told.get("because", "checked").strip('"')
        return self._do(kind, shape, told, program=told.get("program", self.town.program), stock=stock, reason=reason)

    def _raise_stock(self, told: dict[str, str], stock: str, count: str, budget: str) -> Any:
        """`raise-stock off-10 from 100 vouchers worth 1000`: what was seen."""
        fields = {"stock": stock, "count": int(count), "budget": Money(fen(budget))}
        return self._do(Kind.RAISE_STOCK, RaiseStock, told, program=told.get("program", self.town.program), **fields)

    def _statement(self, told: dict[str, str], kind: str, who: str, until: str) -> Any:
        """`statement merchant mall-1 2025-05-31`: a merchant, a fund (`funder`) or a holder by name."""
        known = {"merchant": self.town.merchants, "funder": {who: fund_id(who)}, "holder": self.wallets}[kind]
        day = date.fromisoformat(until)
        below = horizon(self.town.app.connection)
        party = {"party": PartyKind[kind.upper()], "who": known.get(who, nothing(who)), "below": below}
        return self._do(Kind.MAKE_STATEMENT, MakeStatement, told, until=day, **party)
