"""How many vouchers of a stock one person, phone, device or payment account may have, as tokens. Pure.

A person is whoever has one identity number, with all her wallets; of a wallet without one, the wallet itself. What a
wallet got before its holder was identified counts as well: the wallet needs a token beside its person. A phone number
has one wallet. What a person got counts for good, whatever became of it.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from hashlib import sha256

from kaquan.commands.errors import KEY_REUSED
from kaquan.commands.model import Entry
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal, RefusalCode
from kaquan.programs.catalogue import Stock
from kaquan.quotas.model import IN_ALL, Lost, Want
from kaquan.vouchers import errors
from kaquan.vouchers.model import Claim, ClaimByCode, Contested
from kaquan.vouchers.orders import day_number


class Limit(IntEnum):
    """What of a stock is limited. Stored in the number of a token's rule."""

    PERSON_TOTAL = 1
    PERSON_DAY = 2
    PHONE = 3
    DEVICE = 4
    PAYEE = 5
    ENTRY = 6


_RULES_PER_STOCK = 8
_FULL: dict[Limit, RefusalCode] = {
    Limit.PERSON_TOTAL: errors.CLAIM_PERSON_LIMIT,
    Limit.PERSON_DAY: errors.CLAIM_PERSON_DAY_LIMIT,
    Limit.PHONE: errors.CLAIM_PHONE_LIMIT,
    Limit.DEVICE: errors.CLAIM_DEVICE_LIMIT,
    Limit.PAYEE: errors.CLAIM_PAYEE_LIMIT,
}


def rule_number(stock: int, limit: Limit) -> int:
    """The rule under which tokens of a stock's limit are counted."""
    return stock * _RULES_PER_STOCK + limit


def any_of(stock: Stock) -> bool:
    """Whether the stock limits anybody at all."""
    rules = stock.rules
    return any((rules.person_total, rules.person_day, rules.phone_total, rules.device_total, rules.payee_total))


def wants(entry: Entry, stock: Stock, wallet: Id, person: Id, at: datetime) -> list[Want]:
    """The tokens that a voucher of the stock takes. Devices and payment accounts are known of claims only."""
    rules, command = stock.rules, entry.command
    limited = [(Limit.PHONE, wallet, IN_ALL, rules.phone_total)]
    for subject in person_subjects(person, wallet):
        limited.append((Limit.PERSON_TOTAL, subject, IN_ALL, rules.person_total))
        limited.append((Limit.PERSON_DAY, subject, day_number(at), rules.person_day))
    if isinstance(command, Claim | ClaimByCode):
        if command.device is not None:
            limited.append((Limit.DEVICE, outside_subject(b"device", command.device), IN_ALL, rules.device_total))
        if command.payee is not None:
            limited.append((Limit.PAYEE, outside_subject(b"payee", command.payee), IN_ALL, rules.payee_total))
    return [
        Want(subject, rule_number(stock.id, limit), day, most, entry.id, entry.content)
        for limit, subject, day, most in limited
        if most
    ]


def person_subjects(person: Id, wallet: Id) -> list[Id]:
    """Whose tokens a person's limit takes: hers, and the wallet's, which held them before she was identified."""
    return [person] if person == wallet else [person, wallet]


def untold(command: Claim | ClaimByCode, stock: Stock) -> Refusal | None:
    """A stock that counts by device or payment account must be told of them, or the limit would be none."""
    if stock.rules.device_total and command.device is None:
        return Refusal(errors.CLAIM_DEVICE_MISSING, {"stock": stock.code})
    if stock.rules.payee_total and command.payee is None:
        return Refusal(errors.CLAIM_PAYEE_MISSING, {"stock": stock.code})
    return None


def refusals(lost: Iterable[Lost]) -> dict[bytes, Refusal]:
    """Why commands that got no token may not go on, by command; what is used up comes before what is contested."""
    told: dict[bytes, Refusal] = {}
    for one in sorted(lost, key=lambda one: (bool(one.wait_seconds), one.want.rule)):
        code = _FULL[Limit(one.want.rule % _RULES_PER_STOCK)]
        told.setdefault(one.want.command, refusal_of(one, Refusal(code, {"limit": one.want.most})))
    return told


def refusal_of(lost: Lost, full: Refusal) -> Refusal:
    """Why a command that got no token may not go on: `full`, or that others may still give theirs up."""
    if not lost.wait_seconds:
        return full
    if lost.want.command in lost.holders:
        return Refusal(KEY_REUSED)  # its first attempt asked for something else, and may still arrive
    facts = {"wait_seconds": lost.wait_seconds}
    if not lost.holders:
        return Refusal(errors.CLAIM_IN_FLIGHT, {"wait_seconds": lost.wait_seconds})
    return Contested(errors.CLAIM_IN_FLIGHT, facts, lost.holders, full)


def outside_subject(kind: bytes, digest: bytes) -> Id:
    """The subject that stands for something outside, from the caller's digest of it."""
    return Id(sha256(kind + b"\0" + digest).digest()[:16])
