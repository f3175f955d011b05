"""Custody in a town: a day that is short, a deposit, a release."""

from datetime import timedelta

from kaquan.commands.model import Kind
from kaquan.custody.model import AssessCustody, DepositCustody, ReleaseCustody
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.money import Money
from support.town import Town


def in_custody(town: Town) -> None:
    """A day that was short, money into custody, a day that was not, and some of it out again."""
    today, program = business_date(town.now), {"program": town.program}
    moved = {**program, "reference": "bank-5"}
    for day, amount in ((today - timedelta(days=1), 50_000), (today, 0)):
        town.now = shanghai(day + timedelta(days=1)) + timedelta(hours=9)
        town.ok(Kind.ASSESS_CUSTODY, AssessCustody(key=town.key(), caller=SYSTEM, day=day, **program))
        if amount:
            told = {"amount": Money(amount), **moved}
            town.ok(Kind.DEPOSIT_CUSTODY, DepositCustody(key=town.key(), caller=OPERATOR, **told))
    told = {"amount": Money(99), "approved_by": "wang", **moved}
    town.ok(Kind.RELEASE_CUSTODY, ReleaseCustody(key=town.key(), caller=OPERATOR, **told))
