"""Commands on funds, and what they are decided on."""

from hashlib import sha256

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account, Source
from kaquan.programs.catalogue import FundMode
from kaquan.quotas.model import Quotas

REFERENCE_LENGTH_MAX = 64  # what a bank's reference or a document's number needs


def fund_id(code: str) -> Id:
    """A fund's id follows from its code, so that whoever names the one can address the other."""
    return Id(sha256(b"fund " + code.encode("utf-8", "surrogatepass")).digest()[:16])


class RegisterFund(Command, frozen=True, kw_only=True):
    """A party gives money for what programs give away, kept in the book of an organisation.

    `source` is where it lies: the operating or the fiscal account. A fund begins with nothing.
    """

    code: str
    name: str
    organisation: str
    book: str
    mode: FundMode
    source: Source

    @property
    def subject(self) -> Id:
        """The fund."""
        return fund_id(self.code)


class FundCommand(Command, frozen=True, kw_only=True):
    """A command on a fund, by its code."""

    fund: str

    @property
    def subject(self) -> Id:
        """The fund."""
        return fund_id(self.fund)


class PayInFund(FundCommand, frozen=True, kw_only=True):
    """Money came in for a prepaid fund, or its party pledged more. `reference`: of the bank or the document."""

    amount: Money
    reference: str


class PayOutFund(FundCommand, frozen=True, kw_only=True):
    """Give free budget back to its party, or take back part of a pledge."""

    amount: Money
    reference: str


class SweepFund(FundCommand, frozen=True, kw_only=True):
    """Make promisable again what came back from vouchers that expired, were voided or refunded."""


class FundFacts(msgspec.Struct):
    """Funds as a snapshot shows them: what the books say (credits less debits), and the slices of their budgets."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    balances: dict[tuple[bytes, int], int]
    quotas: Quotas
    born: set[str] = msgspec.field(default_factory=set)

    def budget(self, fund: Id) -> Money:
        """What the books say is free: what can be promised, and what came back and was not swept yet."""
        return Money(self.balances.get((fund, Account.FUNDER_BUDGET), 0))

    def absorb(self, plan: Plan) -> None:
        """What this batch has posted and registered counts from the next decision on."""
        for _, _, _, _, _, debit, debit_owner, credit, credit_owner, _, amount in plan.postings:
            for account, owner, fen in ((debit, debit_owner, -amount), (credit, credit_owner, amount)):
                if owner is not None:
                    self.balances[owner, account] = self.balances.get((owner, account), 0) + fen
        self.born |= {row["code"] for table, row in plan.cold if table == "fund"}


class FundBooks(msgspec.Struct, frozen=True):
    """A fund's money in fen, as the books say. Paid in or pledged = paid out + free + promised + used.

    `not_swept_fen` of what is free came back and can't be promised yet; `receivable_fen` is what a party that pledged
    owes for what was used.
    """

    paid_in_fen: Money
    paid_out_fen: Money
    free_fen: Money
    not_swept_fen: Money
    promised_fen: Money
    used_fen: Money
    receivable_fen: Money
