"""The teller's words about getting vouchers: by claim, by code, by an operator, by draw.

Vouchers, batches of codes, draws and entries have names; codes are told as they are printed. `device phone-7` and
`payee li@bank` say where a claim comes from; `set-out-claim` claims and dies on the way, before it is decided.
"""

from datetime import datetime
from typing import Any

from kaquan.commands.model import Effect, Entry, Kind, Refused, scoped_id
from kaquan.draws import service as draws
from kaquan.draws.model import Award, EndDraw, EnterDraw, ListDraw, drawn
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import SHANGHAI, microseconds
from kaquan.kernel.ids import Id
from kaquan.stocks.model import PauseStock, ResumeStock, StopStock
from kaquan.vouchers import codes
from kaquan.vouchers.model import Claim, ClaimByCode, IssueVoucher
from kaquan.vouchers.service import code_key, outside_digest
from support.words import Words, nothing


class ClaimWords(Words):
    """What the teller says of claims, codes and draws."""

    def _got(self, name: str, outcome: Any) -> Any:
        if isinstance(outcome, Effect):
            self.vouchers.setdefault(name, outcome.id)
        return outcome

    def _wallet_told(self, told: dict[str, str]) -> Id:
        to = told.get("to", "zhang")
        return self.wallets.get(to, nothing(to))

    def _claiming(self, told: dict[str, str], stock: str) -> dict[str, Any]:
        outside = {
            kind: outside_digest(self.town.app.master, kind, told[kind])
            for kind in ("device", "payee")
            if kind in told
        }
        program = told.get("program", self.town.program)
        return {"wallet": self._wallet_told(told), "program": program, "stock": stock, **outside}

    def _claim(self, told: dict[str, str], name: str, stock: str) -> Any:
        return self._got(name, self._do(Kind.CLAIM, Claim, told, **self._claiming(told, stock)))

    def _set_out_claim(self, told: dict[str, str], stock: str) -> None:
        command = Claim(key=told["key"], caller=OPERATOR, **self._claiming(told, stock))
        identity = scoped_id(OPERATOR.organisation, command.subject, command.key)
        app, entry = self.town.app, Entry(command, identity, bytes(16))
        app.catalogue.refresh(app.connection, -1)
        app.handlers[Kind.CLAIM].route(app.door._cursor, [entry], app.door.at(), False)

    def _issue(self, told: dict[str, str], name: str, stock: str) -> Any:
        fields = {"wallet": self._wallet_told(told), "program": self.town.program, "stock": stock}
        reason = told.get("because", "complaint")
        return self._got(name, self._do(Kind.ISSUE_VOUCHER, IssueVoucher, told, **fields, reason=reason))

    # Codes

    def _add_codes(self, told: dict[str, str], batch: str, stock: str, *texts: str) -> Any:
        """Bring codes in, and let the batch count; the outcome of the last step, or the first refusal."""
        identity = codes.batch_id(OPERATOR, batch, self.town.program, stock)
        digests = {self._digest(text): text[-4:] for text in texts}
        for command in codes.adding(identity, OPERATOR, self.town.program, stock, digests):
            outcome = self.town.app.one(Kind.ADD_CODES, command)
            if isinstance(outcome, Refused):
                return outcome
        fields = {"batch": identity, "program": self.town.program, "stock": stock, "count": len(texts)}
        return self._do(Kind.OPEN_CODES, codes.OpenCodes, told | {"key": batch}, **fields)

    def _stop_codes(self, told: dict[str, str], batch: str, stock: str) -> Any:
        identity = codes.batch_id(OPERATOR, batch, self.town.program, stock)
        return self._do(Kind.STOP_CODES, codes.StopCodes, told, batch=identity)

    def _use_code(self, told: dict[str, str], name: str, text: str) -> Any:
        fields = {"wallet": self._wallet_told(told), "digest": self._digest(text)}
        return self._got(name, self._do(Kind.CLAIM_BY_CODE, ClaimByCode, told, **fields))

    def _digest(self, text: str) -> Id:
        read = codes.normalise(text)
        assert read is not None, f"not a code: {text}"
        return codes.digest(code_key(self.town.app.master), read)

    # Draws

    def _open_draw(self, told: dict[str, str], name: str, stock: str, *until: str) -> Any:
        """`open-draw d-1 drawn seats 2 05-22T12:00`: entries from now on until then, or between two times."""
        times = [_instant(text) for text in until]
        asked = {"opens_us": times[0] if len(times) > 1 else microseconds(self.town.now), "closes_us": times[-1]}
        seats = int(told.get("seats", "1"))
        app = self.town.app
        command = draws.opening(
            app.master, OPERATOR, told["key"], program=self.town.program, stock=stock, seats=seats, **asked
        )
        outcome = app.one(Kind.OPEN_DRAW, command)
        if isinstance(outcome, Effect):
            self.draws[name] = outcome.id
        return outcome

    def _enter(self, told: dict[str, str], name: str, draw: str) -> Any:
        fields = {"draw": self._draw(draw), "wallet": self._wallet_told(told)}
        outcome = self._do(Kind.ENTER_DRAW, EnterDraw, told, **fields)
        if isinstance(outcome, Effect):
            self.entries[name] = outcome.id
        return outcome

    def _end_draw(self, told: dict[str, str], draw: str) -> Any:
        return self._do(Kind.END_DRAW, EndDraw, told, draw=self._draw(draw))

    def _list_draw(self, told: dict[str, str], draw: str) -> Any:
        return self._do(Kind.LIST_DRAW, ListDraw, told, draw=self._draw(draw))

    def _reveal_draw(self, told: dict[str, str], draw: str) -> Any:
        app = self.town.app
        command = draws.revealing(app.connection, app.master, OPERATOR, told["key"], self._draw(draw))
        return app.one(Kind.REVEAL_DRAW, command)

    def _award(self, told: dict[str, str], draw: str) -> None:
        """Give the winners of a draw what they won; again, and nobody gets anything."""
        app = self.town.app
        found = draws.find(app.connection, [self._draw(draw)])[self._draw(draw)]
        outcomes = app.execute(Kind.AWARD, draws.awards(app.connection, app.catalogue, found))
        assert all(isinstance(one, Effect) for one in outcomes), outcomes
        for number, one in enumerate(outcomes, 1):
            self.vouchers[f"w{number}"] = one.id

    def _award_entry(self, told: dict[str, str], draw: str, entry: str) -> Any:
        """Ask for an entry's voucher, whether it won or not."""
        app = self.town.app
        rows = dict(draws.entries(app.connection, self._draw(draw)))
        identity = self.entries[entry]
        fields = {
            "program": self.town.program,
            "stock": told.get("of", "drawn"),
            "draw": self._draw(draw),
            "entry": identity,
        }
        return self._do(Kind.AWARD, Award, told, **fields, wallet=Id(rows[identity]))

    def _award_last(self, told: dict[str, str], draw: str) -> Any:
        """Ask for the voucher of the entry that came last."""
        connection = self.town.app.connection
        found = draws.find(connection, [self._draw(draw)])[self._draw(draw)]
        last = drawn(found.seed, [entry for entry, _ in draws.entries(connection, found.id)])[-1]
        name = next(name for name, identity in self.entries.items() if identity == last)
        return self._award_entry(told, draw, name)

    def _draw(self, name: str) -> Id:
        return self.draws.get(name, nothing(name))

    # What becomes of stocks

    def _pause_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._do(Kind.PAUSE_STOCK, PauseStock, told, program=self.town.program, stock=stock, reason="checked")

    def _resume_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._do(Kind.RESUME_STOCK, ResumeStock, told, program=self.town.program, stock=stock, reason="fine")

    def _stop_stock(self, told: dict[str, str], stock: str) -> Any:
        return self._do(Kind.STOP_STOCK, StopStock, told, program=self.town.program, stock=stock, reason="over")


def _instant(text: str) -> int:
    at = datetime.strptime(f"2025-{text}", "%Y-%m-%dT%H:%M").replace(tzinfo=SHANGHAI)
    return microseconds(at)
