"""The teller's words about vouchers and their funders: `领券 claim v1 off-10`, `支付 pay A 100 with v1 order o-1`.

Vouchers have names (`v1`). A payment names them `with v1,v2`, or `with auto`, as a quote would; `outside 20` is paid
in cash, `lines bread:60,tea:40` are its lines; `-` stands for no card, `wallet zhang` for whose vouchers they are.
"""

from decimal import Decimal
from typing import Any, get_args

import msgspec

from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO
from kaquan.ledger.chart import Source
from kaquan.payments.model import Pay
from kaquan.payments.service import quote
from kaquan.programs.catalogue import FundMode
from kaquan.programs.grants import Stock
from kaquan.stocks.model import OpenStock
from kaquan.vouchers.model import ExpireVoucher, ReleaseVoucher, ReserveVoucher, VoidVoucher, VoucherState
from kaquan.vouchers.orders import Line
from support.grants import stock_text
from support.town import Town
from support.words import Words, fen, nothing

_TERMS = {field.name: get_args(field.type)[0] for field in msgspec.structs.fields(Stock)}
"""Of each term of a stock, the type of its value."""


class VoucherWords(Words):
    """What the teller says of vouchers; of funds and stocks see `support.fund_words`."""

    def _voucher(self, name: str) -> Id:
        return self.vouchers.get(name, nothing(name))

    def _with(self, told: dict[str, str]) -> tuple[Id, ...]:
        """The vouchers that are named."""
        return tuple(self._voucher(name) for name in told.get("with", "").split(",") if name)

    def _expire_voucher(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.EXPIRE_VOUCHER, ExpireVoucher, told, voucher=self._voucher(name))

    def _void_voucher(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.VOID_VOUCHER, VoidVoucher, told, voucher=self._voucher(name), reason="complaint")

    def _reserve(self, told: dict[str, str], name: str) -> Any:
        fields = {**self._of_order(told), "minutes": int(told.get("minutes", "10"))}
        return self._do(Kind.RESERVE_VOUCHER, ReserveVoucher, told, voucher=self._voucher(name), **fields)

    def _unreserve(self, told: dict[str, str], name: str) -> Any:
        fields = self._of_order(told)
        return self._do(Kind.RELEASE_VOUCHER, ReleaseVoucher, told, voucher=self._voucher(name), **fields)

    def _of_order(self, told: dict[str, str]) -> dict[str, Any]:
        merchant = told.get("at", "mall-1")
        return {"merchant": self.town.merchants.get(merchant, nothing(merchant)), "order_no": told.get("order", "")}

    def _order_told(self, told: dict[str, str]) -> dict[str, Any]:
        """What a payment says of vouchers, lines and cash."""
        priced = [line.rpartition(":") for line in told.get("lines", "").split(",") if line]
        return {
            "wallet": self.wallets.get(told["wallet"], nothing(told["wallet"])) if "wallet" in told else None,
            "vouchers": self._with(told) if told.get("with") != "auto" else (),
            "outside": fen(told["outside"]) if "outside" in told else ZERO,
            "lines": tuple(Line(goods, fen(price)) for goods, _, price in priced),
        }

    def _quoted(self, kind: Kind, command: Pay) -> Any:
        """The payment with the vouchers that a quote names."""
        app = self.town.app
        return quote(app.door, app.catalogue, kind, command, app.master)

    def states(self) -> dict[str, str]:
        """Of each voucher by name: its state, and what it has taken off."""
        rows = {row[0].bytes: row[1:] for row in self.town.rows("SELECT id, state, used FROM voucher")}
        return {name: _state(*rows[identity]) for name, identity in self.vouchers.items()}


def _state(state: int, used: int) -> str:
    word = VoucherState(state).name.lower()
    return f"{word} {used / 100:.2f}" if used else word


def stock_told(words: str) -> str:
    """The text of a stock told as `off-10 face=10 min_order=100 by=city:60,mall:40`: amounts in yuan, shares in %."""
    code, *told = words.split()
    terms: dict[str, Any] = {}
    paying: list[tuple[str, int]] = []
    for one in told:
        name, _, value = one.partition("=")
        if name == "by":
            shares = [share.partition(":") for share in value.split(",")]
            paying = [(fund, int(Decimal(share or "100") * 100)) for fund, _, share in shares]
        elif f"{name}_fen" in _TERMS:
            terms[f"{name}_fen"] = fen(value)
        else:
            assert name in _TERMS, f"a stock has no term {name}"
            terms[name] = value == "true" if _TERMS[name] is bool else value.replace("T", " ")
            if _TERMS[name] is int or name == "rate_bps":
                terms[name] = int(value)
    if terms.get("kind", "threshold") != "threshold":
        terms.setdefault("min_order_fen", 0)
    return stock_text(code, *paying, **terms)


def open_for(town: Town, funds: list[str], stocks: list[str]) -> None:
    """Register funds told as `city 1000 pledged` or `shop 50 operating`, open the stocks; without funds, nothing."""
    if not funds:
        return
    for words in funds:
        code, amount, *said = [word.upper() for word in words.split()]
        told = {"mode": FundMode.PREPAID, "source": Source.FISCAL}
        for word in said:
            told |= {"mode": FundMode[word]} if word in FundMode.__members__ else {"source": Source[word]}
        town.fund(code.lower(), fen(amount), **told)
    for words in stocks:
        command = OpenStock(key=town.key(), caller=OPERATOR, program=town.program, stock=words.split()[0])
        town.ok(Kind.OPEN_STOCK, command)
