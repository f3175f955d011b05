"""A fund as a document: whose it is, where its money lies, what of it is free, promised, used."""

from typing import Any

import msgspec

from kaquan.funders.model import FundBooks
from kaquan.ledger.service import Discount
from kaquan.programs.catalogue import Catalogue, Fund
from kaquan.programs.grants import MERCHANT


def fund_row(fund: Fund, books: FundBooks, catalogue: Catalogue) -> dict[str, Any]:
    """A fund with what the books say of it."""
    parties = {number: code for code, (number, _) in catalogue.organisations.items()}
    return {
        "code": fund.code,
        "name": fund.name,
        "organisation": parties[fund.organisation],
        "book": catalogue.books[fund.book],
        "mode": fund.mode.name.lower(),
        "source": fund.source.name.lower(),
        **msgspec.structs.asdict(books),
    }


def discount_row(one: Discount, catalogue: Catalogue) -> dict[str, Any]:
    """What a funder, or the merchants, paid for the vouchers of a program."""
    codes = {number: code for code, number in catalogue.programs.items()}
    return {
        "program": codes.get(one.program, ""),
        "fund": catalogue.funds_by_id[one.fund].code if one.fund else MERCHANT,
        "merchants_fen": one.merchants_fen,
        "cards_fen": one.cards_fen,
        "returned_fen": one.returned_fen,
        "net_fen": one.net_fen,
    }
