"""The teller's words about custody: `存入 deposit jingxika 100`, `核对 assess jingxika 2025-07-01`."""

from datetime import date
from typing import Any

from kaquan.commands.model import Kind
from kaquan.custody.model import AssessCustody, DepositCustody, LiftStop, ReleaseCustody
from support.words import Words, fen


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


def _second(told: dict[str, str]) -> str:
    return told.get("approved-by", "wang").strip('"')
