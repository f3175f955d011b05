"""What happens to a voucher that somebody has: reserved, released, voided, expired. Pure."""

from datetime import datetime, timedelta

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.funders.rules import promised, release_legs
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post
from kaquan.programs.catalogue import Catalogue, Stock
from kaquan.vouchers import errors
from kaquan.vouchers.lifecycle import WORDS_ZH, Operation, after
from kaquan.vouchers.model import (
    NOBODY,
    ExpireVoucher,
    ReleaseVoucher,
    ReserveVoucher,
    SpendingFacts,
    VoidVoucher,
    Voucher,
    VoucherCommand,
    VoucherState,
)

RESERVE_MINUTES_MAX = 60  # a basket that waits longer is a new one


def reservation(merchant: Id, order_no: str) -> Id:
    """Under what holder a merchant's order reserves vouchers: the same for whoever pays the order."""
    return derived_id(merchant, b"reserved for " + order_no.encode("utf-8", "surrogatepass"))


def decide(entry: Entry, facts: SpendingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Reserve, release, void or expire."""
    command: VoucherCommand = entry.command
    voucher = facts.vouchers.get(command.voucher)
    if voucher is None:
        return Refusal(errors.VOUCHER_UNKNOWN)
    if isinstance(command, ReserveVoucher | ReleaseVoucher) and not command.caller.reaches(command.merchant):
        return Refusal(errors.VOUCHER_UNKNOWN)
    stock = catalogue.stock(voucher.terms, voucher.stock)
    match command:
        case ReserveVoucher():
            return _reserve(command, voucher, stock, at)
        case ReleaseVoucher():
            return _release(command, voucher)
        case VoidVoucher():
            if voucher.held_by_other(NOBODY, microseconds(at)):
                return Refusal(errors.VOUCHER_HELD, {"held_until": shown(instant(voucher.held_us))})
            return _give_back(entry, voucher, stock, "void", command.reason)
        case ExpireVoucher():
            if voucher.expires_us > microseconds(at) or voucher.held_by_other(NOBODY, microseconds(at)):
                return Refusal(errors.VOUCHER_NOT_EXPIRED)
            if after(voucher.state, "expire") is None:
                return Refusal(errors.VOUCHER_NOT_EXPIRED)
            return _give_back(entry, voucher, stock, "expire", "")
    raise TypeError(f"not a command about a voucher: {type(command).__name__}")


def not_possible(voucher: Voucher, operation: Operation) -> Refusal | None:
    """Whether the voucher's state allows the operation."""
    return _state_refusal(voucher) if after(voucher.state, operation) is None else None


def _state_refusal(voucher: Voucher) -> Refusal:
    state = VoucherState(voucher.state)
    return Refusal(errors.VOUCHER_STATE, {"state": state.name.lower(), "state_zh": WORDS_ZH[state]})


def _reserve(command: ReserveVoucher, voucher: Voucher, stock: Stock, at: datetime) -> Plan | Refusal:
    at_us, holder = microseconds(at), reservation(command.merchant, command.order_no)
    if not 0 < command.minutes <= RESERVE_MINUTES_MAX:
        return Refusal(errors.RESERVE_MINUTES, {"minutes_max": RESERVE_MINUTES_MAX})
    if refusal := not_possible(voucher, "hold"):
        return refusal
    if at_us >= voucher.expires_us:
        return Refusal(errors.VOUCHER_EXPIRED, {"expired": shown(instant(voucher.expires_us))})
    if at_us < voucher.valid_us:
        return Refusal(errors.VOUCHER_NOT_YET, {"valid_from": shown(instant(voucher.valid_us))})
    if voucher.held_by_other(holder, at_us):
        return Refusal(errors.VOUCHER_HELD, {"held_until": shown(instant(voucher.held_us))})
    until = microseconds(at + timedelta(minutes=command.minutes))
    return _moved(
        voucher, (VoucherState.HELD, voucher.used, until, holder), "voucher.reserved.v1", held_until_us=until
    )


def _release(command: ReleaseVoucher, voucher: Voucher) -> Plan | Refusal:
    if refusal := not_possible(voucher, "release"):
        return refusal
    if voucher.holder != reservation(command.merchant, command.order_no):
        return Refusal(errors.VOUCHER_HELD, {"held_until": shown(instant(voucher.held_us))})
    return _moved(voucher, (VoucherState.ISSUED, voucher.used, 0, NOBODY), "voucher.released.v1")


def _give_back(entry: Entry, voucher: Voucher, stock: Stock, operation: Operation, reason: str) -> Plan | Refusal:
    """The voucher ends, and what its funders promised is free again."""
    state = after(voucher.state, operation)
    if state is None:
        return _state_refusal(voucher)
    name = "voided" if operation == "void" else "expired"
    parts = promised(stock.funding, Money(voucher.face))
    facts = {"released_fen": sum(part for fund, part in parts if fund is not None)}
    plan = _moved(voucher, (state, voucher.used, 0, NOBODY), f"voucher.{name}.v1", reason=reason, **facts)
    plan.postings = post(entry.id, stock.terms.ledger, release_legs(parts))
    return plan


Values = tuple[VoucherState, int, int, Id]
"""What a voucher becomes: state, used, held_us, holder."""


def _moved(voucher: Voucher, values: Values, event: str, reason: str = "", **facts: int) -> Plan:
    answer: dict[str, object] = {"state": values[0].name.lower(), "voucher": voucher.id.hex(), **facts}
    if reason:
        answer["reason"] = reason
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event=event,
        subject=voucher.wallet,
        person=person(voucher),
        changes=((voucher, values),),
    )


def person(voucher: Voucher) -> bytes:
    """The person part of a leaf about this voucher."""
    return b'{"voucher":"%b","wallet":"%b"}' % (voucher.id.hex().encode(), voucher.wallet.hex().encode())
