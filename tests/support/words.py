"""What all words of a teller stand on: the town, the names given so far, how a command is said."""

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR, SYSTEM, Caller, Role
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from support.town import Town

TILL = Caller(organisation=1, role=Role.MERCHANT)
CALLERS = {
    "operator": OPERATOR,
    "till": TILL,
    "timetable": SYSTEM,
    "issuer": Caller(organisation=1, role=Role.ISSUER, person="chen"),
    "funder": Caller(organisation=1, role=Role.FUNDER, person="zhao"),
    "others": Caller(organisation=3, role=Role.ISSUER, person="qian"),
    "merchant": Caller(organisation=2, role=Role.MERCHANT, person="sun"),
    "cashier": Caller(organisation=2, role=Role.CASHIER, person="zhou"),
}


def fen(yuan: str) -> Money:
    """Fen from an amount in yuan."""
    return Money(int(Decimal(yuan.replace(",", "")) * 100))


def nothing(name: str) -> Id:
    """An id that nobody bears."""
    return Id(sha256(b"nothing" + name.encode()).digest()[:16])


class Words:
    """One story's ids by the names it gives them; `given` are referrals by invitee and pools of packets by name."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.wallets: dict[str, Id] = {"zhang": town.holder()}
        self.cards: dict[str, Id] = {}
        self.payments: dict[str, Id] = {}
        self.payers: dict[str, Id] = {}
        self.lots: dict[str, Id] = {}
        self.vouchers: dict[str, Id] = {}
        self.draws: dict[str, Id] = {}
        self.entries: dict[str, Id] = {}
        self.given: dict[str, Id] = {}
        self.api_keys: dict[str, Id] = {}
        self.approvals: dict[str, Id] = {}
        self.files: dict[str, Id] = {}
        self.disputes: dict[str, Id] = {}
        self.bank_exceptions: dict[str, Id] = {}

    def _do(self, kind: Kind, shape: Any, told: dict[str, str], **fields: Any) -> Any:
        caller = CALLERS[told["by"]]
        if "as" in told:
            caller = msgspec.structs.replace(caller, person=told["as"].strip('"'))
        return self.town.app.one(kind, shape(key=told["key"], caller=caller, **fields))

    def _card(self, name: str) -> Id:
        return self.cards.get(name, nothing(name))
