"""Every account has an accounting title in every kind of book, so that no export is refused for our own fault."""

from kaquan.accounting.mapping import NUMBERS, RESERVED, read_mapping, shipped
from kaquan.accounting.model import BookKind, Root
from tidy.sources import told


def test_every_account_has_a_title_in_every_kind_of_book() -> None:
    mapping = read_mapping(None)
    never = {(gone.account, kind) for gone in shipped().never for kind in gone.kinds}
    offenders = [
        f"{name} in {kind.value}"
        for name in NUMBERS
        for kind in BookKind
        if (name, kind) not in never and mapping.title("", kind, name, False) is None  # type: ignore[union-attr]
    ]
    way_out = "add a [[title]] to src/kaquan/accounting/titles.toml, with the standard it stands on"
    assert not offenders, told("every account of the chart has a title in each kind of book", way_out, offenders)


def test_titles_are_of_accounts_that_there_are_and_each_code_has_one_name() -> None:
    entries = shipped().title
    known = set(NUMBERS) | RESERVED
    offenders = [entry.account for entry in entries if entry.account not in known]
    for kind in BookKind:
        names: dict[str, str] = {}
        for entry in entries:
            if kind in entry.kinds and names.setdefault(entry.code, entry.zh) != entry.zh:
                offenders.append(f"{entry.code} in {kind.value}")
    way_out = "correct src/kaquan/accounting/titles.toml"
    assert not offenders, told("a title is of one account, and a code has one name", way_out, offenders)


def test_memo_accounts_are_memo_everywhere() -> None:
    beside = {entry.account for entry in shipped().title if entry.root is Root.MEMO and not entry.fund}
    inside = {entry.account for entry in shipped().title if entry.root is not Root.MEMO}
    assert not beside & inside, told("what is kept beside the balance sheet is so in every book", "one root", [])
