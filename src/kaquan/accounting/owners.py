"""Accounts and owners of one book as titles and names. Pure."""

from collections.abc import Iterable

from kaquan.accounting import errors
from kaquan.accounting.mapping import KIND_OF_CLASS, TitleMap
from kaquan.accounting.model import BookKind, Title
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.ledger.chart import CHART, Account
from kaquan.ledger.model import book_owner
from kaquan.programs.catalogue import Catalogue, FundMode
from kaquan.sales.value import CHANNELS

OF_FUNDS = frozenset(
    {Account.FUNDER_BUDGET, Account.FUNDER_COMMITTED, Account.FUNDER_RECEIVABLE, Account.FUNDER_PLEDGE}
)
_KNOWN = frozenset(map(int, Account))


def kind_of(book: str, catalogue: Catalogue, mapping: TitleMap) -> BookKind | Refusal:
    """What kind of entity keeps a book: as the operator says, else as the programs of it are."""
    if book in mapping.books:
        return mapping.books[book]
    number = catalogue.organisations[book][1]
    found = {
        KIND_OF_CLASS[one.terms.program.legal_class] for one in catalogue.latest.values() if one.ledger.book == number
    }
    if len(found) > 1:
        return Refusal(errors.KIND_UNCLEAR, {"book": book, "kinds": ", ".join(sorted(found))})
    return found.pop() if found else BookKind.PLATFORM


class Titles:
    """The titles of one book's accounts, and the names of their owners."""

    def __init__(self, book: str, kind: BookKind, mapping: TitleMap, catalogue: Catalogue) -> None:
        self.book = book
        self.kind = kind
        self._mapping = mapping
        self._pledged = {id_ for id_, fund in catalogue.funds_by_id.items() if fund.mode is FundMode.PLEDGED}
        self._names: dict[bytes, str] = {
            **{id_: one.code for id_, one in catalogue.merchants.items()},
            **{id_: one.code for id_, one in catalogue.funds_by_id.items()},
            **{book_owner(number): code for number, code in catalogue.books.items()},
            **{id_: name for name, id_ in CHANNELS.items()},
        }
        self._found: dict[tuple[int, bytes | None], tuple[Title, str, str]] = {}

    def missing(self, accounts: Iterable[tuple[int, Id | None]]) -> Refusal | None:
        """The refusal for the first account without a title, or None."""
        for account, owner in accounts:
            if self._look(account, owner) is None:
                facts = {"book": self.book, "kind": self.kind.value, "account": account_name(account)}
                return Refusal(errors.ACCOUNT_UNMAPPED, facts)
        return None

    def of(self, account: int, owner: bytes | None) -> tuple[Title, str, str]:
        """Title, name of our account, name of the owner (empty for lots, cards and the entity itself)."""
        if owner is not None and owner not in self._names:
            owner = None  # a lot or card: too many to name, or to remember
        found = self._found.get((account, owner))
        if found is None:
            title = self._look(account, owner)
            if title is None:
                raise Fault(f"account {account} lost its title during an export")
            found = title, account_name(account), "" if owner is None else self._names.get(owner, "")
            self._found[account, owner] = found
        return found

    def _look(self, account: int, owner: bytes | None) -> Title | None:
        pledged = account in OF_FUNDS and owner in self._pledged
        return self._mapping.title(self.book, self.kind, account_name(account), pledged)


def account_name(account: int) -> str:
    """An account's name in our chart; its number for one that this version does not know."""
    return CHART[Account(account)].name if account in _KNOWN else f"account-{account}"
