"""Reference data for pure tests: stocks of vouchers, vouchers, orders, payments, without a database."""

from typing import Any

from kaquan.cards.model import Lot, LotKind, LotState
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.ledger.model import Ledger
from kaquan.programs.catalogue import Catalogue, Fund, FundMode, FundShare, Merchant, Stock, StockState, Terms
from kaquan.programs.compiler import parse_program
from kaquan.programs.grants import Stock as StockTerms
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.terms import ProgramTerms
from kaquan.quotas.model import pool_id
from kaquan.vouchers.model import NOBODY, Voucher, VoucherState
from kaquan.vouchers.orders import Line, Order
from support.town import program_text

LAST = 2**60
"""An instant that no test reaches."""


def identity(number: int) -> Id:
    """An id that shows its number."""
    return Id(number.to_bytes(16, "big"))


def _terms() -> Terms:
    read = parse_program(
        program_text(("one_payment_per_order = true", "one_payment_per_order = true\nvouchers_max = 20"))
    )
    assert isinstance(read, ProgramTerms)
    names = {"issuer_name": "发行方", "platform_names": ("商户组",), "platforms": {1: "all"}, "enrolments": {}}
    return Terms(id=1, program=1, version=1, terms=read, ledger=Ledger(1, 1), state=ProgramState.RUNNING, **names)


TERMS = _terms()
BUREAU = Fund(identity(901), "bureau", "商务局", 1, 1, FundMode.PREPAID, Source.FISCAL)
MALL = Fund(identity(902), "mall", "商场", 1, 1, FundMode.PLEDGED, Source.OPERATING)
SPLIT = (FundShare(BUREAU, 6_000), FundShare(MALL, 4_000))
SHOP = Merchant(identity(801), "shop", "店", 1, None, True, "工商银行", "6222", True)


def stock(number: int, *funding: FundShare, **rules: Any) -> Stock:
    """A stock whose vouchers are in a category of their own; 60/40 by two funders unless told otherwise."""
    told = {"code": f"s{number}", "kind": "instant", "face_fen": 1_000, "category": f"c{number}"}
    told |= {"count": 100, "valid_days": 30} | rules
    terms = StockTerms(name_zh="券", name_en="Voucher", **told)
    return Stock(number, terms.code, TERMS, terms, funding or SPLIT, StockState.RUNNING, pool_id("stock", number))


def voucher(number: int, of: Stock, **values: Any) -> Voucher:
    """A voucher that counts now and for ever, unless told otherwise."""
    told = {"state": VoucherState.ISSUED, "face": of.rules.face_fen, "used": 0, "valid_us": 0, "expires_us": LAST}
    told |= {"held_us": 0, "holder": NOBODY} | values
    return Voucher(id=identity(number), version=1, wallet=identity(700), stock=of.id, terms=of.terms.id, **told)


def order(amount: int, *lines: tuple[str, int]) -> Order:
    """An order at the shop."""
    goods = tuple(Line(code, Money(part)) for code, part in lines)
    return Order(Money(amount), goods, "shop", None, identity(600), lambda: identity(601))


def lot(number: int, balance: int, kind: LotKind = LotKind.PRINCIPAL) -> Lot:
    """A lot of one card, spendable for ever."""
    return Lot(identity(number), 1, identity(500), kind, Source.CUSTODY, LotState.LIVE, balance, 0, 0, 0)


def catalogue(*stocks: Stock) -> Catalogue:
    """Reference data with these stocks."""
    known = Catalogue(lambda connection, catalogue: None)
    known.terms = known.latest = {TERMS.id: TERMS}
    known.merchants = {SHOP.id: SHOP}
    known.stocks = {(TERMS.id, one.id): one for one in stocks}
    known.funds_by_id = {BUREAU.id: BUREAU, MALL.id: MALL}
    return known
