"""A town whose merchants are settled and then paid by a bank that says what became of it."""

from datetime import date, timedelta
from typing import Any

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.ledger.service import proofs
from kaquan.main import Kaquan
from kaquan.merchants.model import VerifyBankAccount
from kaquan.payouts import service
from kaquan.payouts.model import (
    ExplainException,
    FileFormat,
    OpenFile,
    ReissuePayout,
    SetSourceAccount,
    Verdict,
    instruction,
)
from kaquan.payouts.service import Imported
from kaquan.settlement import service as settlement
from support.database import Database
from support.town import build

PAY_DAY = date(2025, 6, 5)
NUMBER = "6222020200112230"
HEADINGS = "打款编号,结果,金额（元）,银行流水号,原因"


class Desk:
    """May is settled: mall-1 gets 536.76 yuan, mall-2 89.46. The book of jingxi pays from its custody account."""

    def __init__(self, database: Database, *edits: tuple[str, str]) -> None:
        self.database = database
        self.town = build(database.app_url, *edits)
        self.card = self.town.sell(self.town.holder(), 100_000)
        self.town.tick(days=1)
        for amount, merchant in ((60_000, "mall-1"), (10_000, "mall-2")):
            assert isinstance(self.town.pay(self.card, amount, merchant=merchant), Effect)
        self.until(PAY_DAY)
        for source in (Source.CUSTODY, Source.OPERATING):
            self.name_account(source)

    @property
    def app(self) -> Kaquan:
        return self.town.app

    def until(self, day: date, hour: int = 9) -> None:
        self.town.now = shanghai(day) + timedelta(hours=hour)

    def name_account(self, source: Source, organisation: str = "jingxi") -> Any:
        command = SetSourceAccount(
            key=self.town.key(),
            caller=OPERATOR,
            organisation=organisation,
            source=source,
            account_name="京西商业有限公司",
            account_bank="工商银行北京分行",
            account_no=f"020000{source:04d}",
        )
        return self.app.one(Kind.SET_SOURCE_ACCOUNT, command)

    def settle(self, period_end: date = date(2025, 5, 31)) -> None:
        app = self.app
        seen = settlement.preview(app.connection, app.catalogue, app.calendar, 1, period_end)
        assert not isinstance(seen, Refusal)
        for outcome in settlement.run(app.door, app.handlers[Kind.SETTLE], seen):
            assert isinstance(outcome, Effect), outcome
        self.town.ok(Kind.CLOSE_PERIOD, settlement.close_command(seen))

    def opening(self, **changed: Any) -> OpenFile:
        told = {
            "key": self.town.key(),
            "caller": OPERATOR,
            "organisation": "jingxi",
            "source": Source.CUSTODY,
            "format": FileFormat.CSV_UTF8,
            "until": PAY_DAY,
        }
        return OpenFile(**(told | changed))

    def make(self, **changed: Any) -> Any:
        return service.make_file(self.app.door, self.app.handlers, self.opening(**changed))

    def made(self, **changed: Any) -> Id:
        outcome = self.make(**changed)
        assert isinstance(outcome, Effect), outcome
        return service.file_id(outcome.facts)

    def content(self, file: Id) -> bytes:
        found = service.content(self.app.connection, self.app.master, file)
        assert not isinstance(found, Refusal), found
        return found[1]

    def payouts(self, merchant: str = "mall-1", source: Source = Source.CUSTODY) -> Id:
        owner = self.town.merchants[merchant].hex()
        rows = self.town.rows("SELECT id FROM payout WHERE merchant = %s AND source = %s", owner, int(source))
        return Id(rows[0][0].bytes)

    def said(self, payout: Id, result: str, attempt: int = 1, reference: str = "B-1", fen: int | None = None) -> str:
        """A line of the bank."""
        if fen is None:
            fen = self.town.rows("SELECT amount - held FROM payout WHERE id = %s", payout.hex())[0][0]
        return f"{instruction(payout, attempt)},{result},{fen / 100:.2f},{reference},"

    def told(self, *lines: str) -> Imported:
        """The bank says these lines."""
        content = "\r\n".join((HEADINGS, *lines)).encode("gb18030")
        handler = self.app.handlers[Kind.RECORD_PAYOUT_RESULT]
        found = service.import_results(self.app.door, handler, content, OPERATOR)
        assert isinstance(found, Imported), found
        assert not found.broken
        return found

    def reissue(self, payout: Id, reason: str = "account corrected") -> Any:
        command = ReissuePayout(key=self.town.key(), caller=OPERATOR, payout=payout, reason=reason)
        return self.app.one(Kind.REISSUE_PAYOUT, command)

    def explain(self, exception: str, verdict: Verdict, explanation: str = "asked the bank") -> Any:
        command = ExplainException(
            key=self.town.key(),
            caller=OPERATOR,
            exception=Id(bytes.fromhex(exception)),
            verdict=verdict,
            explanation=explanation,
            approved_by="li",
        )
        return self.app.one(Kind.EXPLAIN_EXCEPTION, command)

    def verify(self, merchant: str, account_no: str = NUMBER) -> None:
        command = VerifyBankAccount(
            key=self.town.key(), caller=OPERATOR, merchant=merchant, account_no=account_no, proof="TT-1"
        )
        self.town.ok(Kind.VERIFY_BANK_ACCOUNT, command)

    def state(self, payout: Id) -> tuple[str, int, int]:
        """State, attempt, open exceptions."""
        found = service.view(self.app.connection, payout)
        assert found is not None
        return service.state_word(found.state), found.attempt, found.questions

    def balance(self, account: int, merchant: str = "mall-1") -> int:
        owner = self.town.merchants[merchant].hex()
        sql = (
            "SELECT coalesce(sum(CASE WHEN credit = %s THEN amount ELSE -amount END), 0)::bigint FROM posting"
            " WHERE (credit = %s AND credit_owner = %s) OR (debit = %s AND debit_owner = %s)"
        )
        return int(self.town.rows(sql, account, account, owner, account, owner)[0][0])

    def moved(self) -> tuple[int, ...]:
        tables = ("posting", "payout_step", "payout_exception")
        return tuple(self.town.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables)

    def proved(self) -> None:
        broken = [proof for proof in proofs(self.app.connection) if not proof.ok]
        assert not broken, str(broken)


def code(outcome: Any) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.code.code
