"""The teller's words about payouts: `银行 bank-says mall-1 confirmed ref B-1`."""

from datetime import date
from typing import Any

from kaquan.casework.model import About, AnswerDispute, DisputeState, OpenDispute, ResolveDispute
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.payouts import service
from kaquan.payouts.model import (
    CloseFile,
    ExplainException,
    FileFormat,
    OpenFile,
    ReissuePayout,
    Said,
    SendPayout,
    SetSourceAccount,
    Verdict,
)
from kaquan.payouts.reading import Told
from support.words import CALLERS, Words, fen, nothing


class PayoutWords(Words):
    """What the teller says of payouts. A payout is called by its merchant's code; files and exceptions have names."""

    def _name_account(self, told: dict[str, str], book: str = "jingxi") -> Any:
        fields = {"organisation": book, "source": _source(told), "account_name": "京西商业有限公司"}
        number = "" if told.get("number") == "none" else "0200001"
        return self._do(
            Kind.SET_SOURCE_ACCOUNT, SetSourceAccount, told, **fields, account_bank="工商银行", account_no=number
        )

    def _list_file(self, told: dict[str, str], name: str, book: str = "jingxi") -> Any:
        """Only the list: nothing is in the file yet."""
        day = date.fromisoformat(told.get("on", "2025-06-05"))
        fields = {"organisation": book, "source": _source(told), "format": FileFormat.PAIN_001, "until": day}
        outcome = self._do(Kind.OPEN_PAYOUT_FILE, OpenFile, told, **fields)
        if isinstance(outcome, Effect):
            self.files[name] = outcome.id
        return outcome

    def _make_file(self, told: dict[str, str], name: str, book: str = "jingxi") -> Any:
        """The whole of it, as it is done at the desk."""
        opened = self._list_file(told, name, book)
        app = self.town.app
        return service.finish_file(app.door, app.handlers, opened.id) if isinstance(opened, Effect) else opened

    def _put(self, told: dict[str, str], merchant: str, name: str) -> Any:
        fields = {"payout": self._payout(merchant), "file": self.files.get(name, nothing(name))}
        return self._do(Kind.SEND_PAYOUT, SendPayout, told, **fields)

    def _write_file(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.CLOSE_PAYOUT_FILE, CloseFile, told, file=self.files.get(name, nothing(name)))

    def _bank_says(self, told: dict[str, str], merchant: str, result: str, name: str = "e-1") -> Any:
        """A line of the bank; what becomes an exception is called `name`."""
        payout = self._payout(merchant)
        amount = fen(told["amount"]) if "amount" in told else self._outgoing(payout)
        attempt = int(told.get("try", "1"))
        number = service.instruction(payout, attempt)
        line = Told(payout, attempt, Said[result.upper()], amount, number, told.get("ref", ""), "")
        command = service.result_command(line, CALLERS[told["by"]])
        outcome = self.town.app.one(Kind.RECORD_PAYOUT_RESULT, command)
        if isinstance(outcome, Effect) and "exception" in outcome.facts:
            self.bank_exceptions[name] = outcome.id
        return outcome

    def _bank_file(self, told: dict[str, str], content: str) -> Any:
        app = self.town.app
        found = service.import_results(
            app.door, app.handlers[Kind.RECORD_PAYOUT_RESULT], content.encode(), CALLERS[told["by"]]
        )
        return Refused(nothing("file"), found) if isinstance(found, Refusal) else found

    def _tell_again(self, told: dict[str, str], merchant: str) -> Any:
        reason = told.get("because", "account corrected").strip('"')
        return self._do(Kind.REISSUE_PAYOUT, ReissuePayout, told, payout=self._payout(merchant), reason=reason)

    def _explain(self, told: dict[str, str], name: str, verdict: str) -> Any:
        fields = {
            "exception": self.bank_exceptions.get(name, nothing(name)),
            "verdict": Verdict[verdict.upper()],
            "explanation": told.get("because", "asked the bank").strip('"'),
            "approved_by": told.get("approved-by", "li"),
        }
        return self._do(Kind.EXPLAIN_EXCEPTION, ExplainException, told, **fields)

    def _dispute(self, told: dict[str, str], what: str, amount: str, name: str = "d-1") -> Any:
        """`dispute o-1 100`: a payment; `dispute payout-of-mall-1 100`: the payout of a merchant."""
        merchant = what.removeprefix("payout-of-")
        about = About.PAYMENT if merchant == what else About.PAYOUT
        target = self._payout(merchant) if about is About.PAYOUT else self.payments.get(what, nothing(what))
        fields = {"about": about, "object": target, "amount": fen(amount), "reason": _said(told, "never delivered")}
        outcome = self._do(Kind.OPEN_DISPUTE, OpenDispute, told, **fields)
        if isinstance(outcome, Effect):
            self.disputes[name] = outcome.id
        return outcome

    def _answer(self, told: dict[str, str], name: str) -> Any:
        fields = {"dispute": self.disputes.get(name, nothing(name)), "text": _said(told, "it was delivered")}
        return self._do(Kind.ANSWER_DISPUTE, AnswerDispute, told, **fields)

    def _resolve(self, told: dict[str, str], name: str, side: str) -> Any:
        fields = {"dispute": self.disputes.get(name, nothing(name)), "text": _said(told, "papers seen")}
        state = DisputeState[f"FOR_{side.upper()}"]
        return self._do(Kind.RESOLVE_DISPUTE, ResolveDispute, told, **fields, side=state)

    def _payout(self, merchant: str) -> Id:
        owner = self.town.merchants.get(merchant, nothing(merchant)).hex()
        rows = self.town.rows("SELECT id FROM payout WHERE merchant = %s AND source = 1 ORDER BY id", owner)
        return Id(rows[0][0].bytes) if rows else nothing(merchant)

    def _outgoing(self, payout: Id) -> Any:
        rows = self.town.rows("SELECT amount - held FROM payout WHERE id = %s", payout.hex())
        return rows[0][0] if rows else 100


def _said(told: dict[str, str], otherwise: str) -> str:
    return told.get("because", otherwise).strip('"')


def _source(told: dict[str, str]) -> Source:
    return Source[told.get("of", "custody").upper()]
