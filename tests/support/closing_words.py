"""The teller's words about returning cards: `退卡 return A holder`, `结清 close-card A`, `付款 repay A via bank`.

Requests are called by their card; `return A holder number 2` is about the second purchase on it only, and is called
`A.2`.
"""

from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.sales.closing_model import CancelClosing, CloseCard, NoteOverdue, RequestClosing
from kaquan.sales.closing_service import Payee, paying_out
from support.words import CALLERS, Words, fen, nothing

NAMES = {"holder": "张三", "somebody": "王五"}
"""Who may be paid: `zhang`, who holds every card unless a story says another, and somebody else."""


class ClosingWords(Words):
    """The words of a teller about leaving."""

    def _return(self, told: dict[str, str], card: str, cause: str = "holder") -> Any:
        number = told.get("number")
        fields = {"cause": cause, "reason": "asked", "purchase": self._bought(card, number) if number else None}
        outcome = self._do(Kind.REQUEST_CLOSING, RequestClosing, told, card=self._card(card), **fields)
        if isinstance(outcome, Effect):
            self.given[f"closing {card}.{number}" if number else f"closing {card}"] = outcome.id
        return outcome

    def _bought(self, card: str, number: str) -> Id:
        sql = (
            "SELECT DISTINCT c.at, c.id FROM command c JOIN lot l ON l.bucket = c.bucket AND l.origin = c.id"
            " WHERE l.card = %s AND l.kind = 0 ORDER BY c.at, c.id"
        )
        found = self.town.rows(sql, self._card(card).hex())
        return Id(found[int(number) - 1][1].bytes) if len(found) >= int(number) else nothing(number)

    def _closing(self, name: str) -> Id:
        return self.given.get(f"closing {name}", nothing(name))

    def _close_card(self, told: dict[str, str], name: str) -> Any:
        cost = fen(told["cost"]) if "cost" in told else Money(0)
        fields = {"cost": cost, "cost_reference": told.get("reference", "")}
        return self._do(Kind.CLOSE_CARD, CloseCard, told, closing=self._closing(name), **fields)

    def _keep(self, told: dict[str, str], name: str) -> Any:
        return self._do(
            Kind.CANCEL_CLOSING, CancelClosing, told, closing=self._closing(name), reason="the holder keeps it"
        )

    def _note_overdue(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.NOTE_OVERDUE, NoteOverdue, told, closing=self._closing(name))

    def _repay(self, told: dict[str, str], name: str) -> Any:
        """`named holder`, `passport` tell who is paid; nobody is told for the way the money came."""
        route: Any = told.get("via", "original")
        payee = None
        if "named" in told:
            payee = Payee(NAMES[told["named"]], "工商银行", "6222020200112230", told.get("passport"))
        app, told_reference = self.town.app, told.get("reference", "r-1")
        command = paying_out(
            app.connection,
            app.master,
            CALLERS[told["by"]],
            told["key"],
            closing=self._closing(name),
            route=route,
            reference=told_reference.strip('"'),
            payee=payee,
        )
        return app.one(Kind.PAY_OUT_CLOSING, command)
