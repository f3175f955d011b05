"""The teller's words about custody: `存入 deposit jingxika 100`, `核对 assess jingxika 2025-07-01`."""

from datetime import date
from typing import Any

from kaquan.commands.model import Kind, Refused
from kaquan.custody import camt
from kaquan.custody.model import AssessCustody, DepositCustody, LiftStop, ReleaseCustody
from kaquan.custody.statement_model import EnterStatement, ExplainDiscrepancy, ImportStatement, LookAtStatement
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from support.camt import ACCOUNT_NO, camt_file
from support.words import Words, fen, nothing


class CustodyWords(Words):
    """What the teller says of custody; `approved-by` names the second person."""

    def _deposit(self, told: dict[str, str], program: str, amount: str) -> Any:
        reference = told.get("reference", "bank-3").strip('"')
        return self._do(
            Kind.DEPOSIT_CUSTODY, DepositCustody, told, program=program, amount=fen(amount), reference=reference
        )

    def _withdraw(self, told: dict[str, str], program: str, amount: str) -> Any:
        reference = told.get("reference", "bank-4").strip('"')
        fields = {"program": program, "amount": fen(amount), "reference": reference}
        return self._do(Kind.RELEASE_CUSTODY, ReleaseCustody, told, approved_by=_second(told), **fields)

    def _assess(self, told: dict[str, str], program: str, day: str) -> Any:
        return self._do(Kind.ASSESS_CUSTODY, AssessCustody, told, program=program, day=date.fromisoformat(day))

    def _lift(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.LIFT_STOP, LiftStop, told, program=program, approved_by=_second(told))

    def _enter_statement(self, told: dict[str, str], program: str, number: str, opening: str, closing: str) -> Any:
        """A statement on paper up to the day `on`."""
        amounts = {"opening": fen(opening), "closing": fen(closing)}
        fields = {"number": number.strip('"'), "day": date.fromisoformat(told["on"]), **amounts}
        reference = told.get("reference", "paper-1").strip('"')
        return self._do(Kind.ENTER_STATEMENT, EnterStatement, told, program=program, reference=reference, **fields)

    def _look(self, told: dict[str, str], program: str, number: str, opinion: str = "agree") -> Any:
        fields = {"program": program, "number": number, "agrees": opinion == "agree"}
        return self._do(Kind.LOOK_AT_STATEMENT, LookAtStatement, told, **fields)

    def _import(
        self, told: dict[str, str], program: str, number: str, opening: str, closing: str, *moved: str
    ) -> Any:
        """The bank's file up to the day `on`: entries are written `+100/reference`."""
        day = date.fromisoformat(told["on"])
        xml = camt_file(number, told.get("account", ACCOUNT_NO), day, (opening, closing), moved)
        found = camt.read(xml)
        if isinstance(found, Refusal):
            return Refused(nothing(number), found)
        (one,) = found
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        return self._do(Kind.IMPORT_STATEMENT, ImportStatement, told, program=program, **fields)

    def _explain_difference(self, told: dict[str, str], program: str, number: str) -> Any:
        """The discrepancy with this place in the list of those that are open, oldest first."""
        sql = "SELECT id FROM custody_discrepancy WHERE state = 1 ORDER BY day, id"
        rows = self.town.rows(sql)
        known = Id(rows[int(number) - 1][0].bytes) if int(number) <= len(rows) else nothing(number)
        fields = {"program": program, "discrepancy": known, "reason": told.get("because", "").strip('"')}
        return self._do(Kind.EXPLAIN_DISCREPANCY, ExplainDiscrepancy, told, **fields)


def _second(told: dict[str, str]) -> str:
    return told.get("approved-by", "wang").strip('"')
