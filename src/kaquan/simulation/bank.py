"""The offices' business with the bank: payouts told in files, answers that fit or do not, failures told again.

The bank of the town fails some payouts for a wrong account, which the merchant corrects, and sends some back after
it had confirmed them. Which ones follows from merchant and period, so that the same seed fails the same payouts.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zlib import crc32

from kaquan.commands.model import Kind, Refused
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import Money, text
from kaquan.ledger.chart import Source
from kaquan.main import Kaquan
from kaquan.merchants.model import BindBankAccount, VerifyBankAccount
from kaquan.payouts import service as payouts
from kaquan.payouts.lifecycle import PayoutState
from kaquan.payouts.model import ExplainException, FileFormat, FileState, OpenFile, ReissuePayout, Verdict
from kaquan.simulation.diary import WHOLE_BPS
from kaquan.simulation.scenario import BankHabits

LISTED_MAX = 100_000
"""More than a town ever pays out."""

SECOND = "second"
"""Who explains exceptions together with the operator."""

STRANGE_WEEKDAY = 3
"""On this day of the week the bank tells of something that is nobody's."""

_HEADINGS = ",".join(("打款编号", "结果", "金额（元）", "银行流水号", "失败原因"))
_WRONG = "账号与户名不符"
_CORRECTED = "商户已更正账号"
_SENT_BACK = "收款行退汇"
_NOT_OURS = "经与银行核对，不属于本平台"
_PROOF = "小额打款验证"


class Bank:
    """The bank's side and the office's, morning by morning. `surprises` takes what was refused."""

    def __init__(self, app: Kaquan, habits: BankHabits, surprises: list[str]) -> None:
        self._app = app
        self._habits = habits
        self._surprises = surprises

    def clear_up(self) -> None:
        """What fitted nothing is explained, what failed is told again."""
        self._explain()
        self._tell_again(self._today())

    def answer(self) -> None:
        """The bank answers to what it was told."""
        self._answers(self._today())

    def send(self) -> None:
        """Files that were left unfinished are finished, what is due today is told."""
        for row in payouts.files(self._app.connection):
            if row.state == FileState.OPEN:
                made = payouts.finish_file(self._app.door, self._app.handlers, Id(row.id.bytes))
                self._note(Kind.CLOSE_PAYOUT_FILE, made)
        self._files(self._today())

    def _today(self) -> date:
        return business_date(self._app.door.at())

    def _explain(self) -> None:
        for one in payouts.exceptions(self._app.connection):
            command = ExplainException(
                key=_key("explain", Id(one.id.bytes)),
                caller=OPERATOR,
                exception=Id(one.id.bytes),
                verdict=Verdict.DISMISSED,
                explanation=_NOT_OURS,
                approved_by=SECOND,
            )
            self._one(Kind.EXPLAIN_EXCEPTION, command)

    def _tell_again(self, today: date) -> None:
        """A merchant corrects its account; then the payout goes out again under its number."""
        for state in (PayoutState.FAILED, PayoutState.RETURNED):
            for row in self._in(state):
                if self._still_wrong(row, today):
                    continue
                identity = Id(row.id.bytes)
                number = _new_account(row)
                bind = BindBankAccount(
                    key=_key("bind", identity),
                    caller=OPERATOR,
                    merchant=row.code,
                    account_bank=row.account_bank,
                    account_no=number,
                )
                verify = VerifyBankAccount(
                    key=_key("verify", identity), caller=OPERATOR, merchant=row.code, account_no=number, proof=_PROOF
                )
                self._one(Kind.BIND_BANK_ACCOUNT, bind)
                self._one(Kind.VERIFY_BANK_ACCOUNT, verify)
                again = ReissuePayout(
                    key=_key("again", identity), caller=OPERATOR, payout=identity, reason=_CORRECTED
                )
                self._one(Kind.REISSUE_PAYOUT, again)

    def _still_wrong(self, row: Any, today: date) -> bool:
        """Whether the merchant has not said yet what its account is."""
        return bool((today - row.pay_on).days < self._habits.corrected_after_days)

    def _answers(self, today: date) -> None:
        """A file of the bank: what it was told is paid, or fails; what it had paid some days before comes back."""
        lines = [*self._told(today)]
        if lines and today.isoweekday() == STRANGE_WEEKDAY:
            lines.append(f"EXT{today:%Y%m%d},confirmed,88.00,B{today:%Y%m%d}X,")
        if not lines:
            return
        content = "\n".join([_HEADINGS, *lines]).encode()
        came = payouts.import_results(
            self._app.door, self._app.handlers[Kind.RECORD_PAYOUT_RESULT], content, OPERATOR
        )
        if not isinstance(came, payouts.Imported) or came.broken:
            self._surprises.append(f"RECORD_PAYOUT_RESULT {today}: {came}")

    def _told(self, today: date) -> Iterator[str]:
        for row in self._in(PayoutState.SENT):
            fails = row.attempt == 1 and self._drawn("fails", row) < self._habits.fails_bps
            said, why = ("失败", _WRONG) if fails else ("成功", "")
            yield self._line(row, said, f"B{_draw('reference', row):010d}{row.attempt}", why)
        for row in self._in(PayoutState.CONFIRMED):
            late = (today - row.pay_on).days >= self._habits.returned_after_days
            if row.attempt == 1 and late and self._drawn("returned", row) < self._habits.returned_bps:
                yield self._line(row, "退汇", f"B{_draw('reference', row):010d}R", _SENT_BACK)

    def _line(self, row: Any, said: str, reference: str, why: str) -> str:
        number = payouts.instruction(row.id.bytes, row.attempt)
        return f"{number},{said},{text(Money(row.amount - row.held)).replace(',', '')},{reference},{why}"

    def _files(self, today: date) -> None:
        catalogue = self._app.catalogue
        books = {book: code for code, (_, book) in catalogue.organisations.items() if book}
        wanted: set[tuple[str, Source]] = set()
        for row in self._in(PayoutState.INSTRUCTED):
            merchant = catalogue.merchants[catalogue.merchant_codes[row.code]]
            terms = catalogue.latest[catalogue.programs[row.program]]
            may = merchant.account_no and (
                merchant.bank_verified or not terms.terms.settlement.requires_verified_bank
            )
            if row.pay_on <= today and not row.questions and may:
                wanted.add((books[terms.ledger_of(merchant).book], Source(row.source)))
        for organisation, source in sorted(wanted):
            command = OpenFile(
                key=f"file {organisation} {source.name} {today}",
                caller=OPERATOR,
                organisation=organisation,
                source=source,
                format=FileFormat.PAIN_001,
                until=today,
            )
            self._note(Kind.OPEN_PAYOUT_FILE, payouts.make_file(self._app.door, self._app.handlers, command))

    def _in(self, state: PayoutState) -> Sequence[Any]:
        rows = payouts.listed(self._app.connection, state, most=LISTED_MAX)
        return sorted(rows, key=lambda row: (row.pay_on, row.code, row.program, row.source))

    def _drawn(self, what: str, row: Any) -> int:
        return _draw(what, row) % WHOLE_BPS

    def _one(self, kind: Kind, command: Any) -> None:
        self._note(kind, self._app.one(kind, command))

    def _note(self, kind: Kind, outcome: Any) -> None:
        if isinstance(outcome, Refused):
            self._surprises.append(f"{kind.name} {outcome.id.hex()}: {outcome.refusal.code.code}")


def _draw(what: str, row: Any) -> int:
    """A number that merchant, program, source and period decide."""
    return crc32(f"{what} {row.code} {row.program} {row.source} {row.period_end}".encode())


def _new_account(row: Any) -> str:
    return f"62220219{_draw('account', row):010d}"


def _key(what: str, identity: Id) -> str:
    return str(UUID(bytes=derived_id(identity, b"bank " + what.encode())))
