"""What a settlement writes: its row, its answer, its payouts or transfers, what it holds back, its postings. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg
from kaquan.programs.catalogue import Merchant, Terms
from kaquan.settlement.counting import after_draw
from kaquan.settlement.model import PART_FIELDS, PAYOUT_INSTRUCTED, Draw, Line, Part, Reserve, Settle, Statement
from kaquan.settlement.standing import stored

Cold = tuple[str, dict[str, Any]]


class Made(NamedTuple):
    """A settlement that is being made. `partners` are the merchants by the codes under which they share."""

    id: Id
    command: Settle
    terms: Terms
    merchant: Merchant
    sums: Statement
    pay_on: date
    reserves: list[Reserve]
    partners: Mapping[str, Id]
    at: datetime


def legs(made: Made) -> list[Leg]:
    """From what the merchant earned to the bank, to its reserve, to fee, tax and partners, source by source."""
    merchant, payable = made.command.merchant, Account.MERCHANT_PAYABLE
    found: list[Leg] = []
    for source, part in made.sums.parts.items():
        to = [
            (Account.MERCHANT_PAYOUT, merchant, part.paid),
            (Account.STORE_TRANSFER, merchant, part.transferred),
            (Account.MERCHANT_RESERVE, merchant, Money(part.reserved - part.drawn)),
            (Account.FEE_INCOME, None, Money(part.fee - part.tax)),
            (Account.TAX_PAYABLE, None, part.tax),
            *(
                (Account.PARTNER_PAYABLE, made.partners[code], by_source.get(source, Money(0)))
                for code, by_source in made.sums.shares.items()
            ),
        ]
        found += [_leg((payable, merchant), account, owner, source, amount) for account, owner, amount in to]
    return found


def _leg(payable: tuple[Account, Id], account: Account, owner: Id | None, source: Source, amount: Money) -> Leg:
    """To an account, or back from it when the amount is negative."""
    if amount < 0:
        return Leg(account, owner, *payable, source, Money(-amount))
    return Leg(*payable, account, owner, source, amount)


def answer(made: Made) -> bytes:
    """What the caller is told."""
    command, total = made.command, made.sums.total
    return msgspec.json.encode(
        {
            **{f"{name}_fen": getattr(total, name) for name in PART_FIELDS},
            "cut_us": command.cut.at_us,
            "cut_xid": command.cut.xid,
            "merchant": command.merchant.hex(),
            "pay_on": made.pay_on.isoformat(),
            "period_end": command.period_end.isoformat(),
            "program": command.program,
            "settlement": made.id.hex(),
            "terms": command.terms,
        },
        order="sorted",
    )


def rows(made: Made, number: int) -> tuple[Cold, ...]:
    """Everything that is written beside the postings. `number` is the settlement's in its chain."""
    command, sums = made.command, made.sums
    common = {
        "id": made.id.hex(),
        "merchant": command.merchant.hex(),
        "bucket": bucket_of(made.id),
        "at": microseconds(made.at),
    }
    row = {
        **common,
        **{name: getattr(sums.total, name) for name in PART_FIELDS},
        "cut_at": command.cut.at_us,
        "cut_xid": command.cut.xid,
        "period_end": command.period_end.isoformat(),
        "pay_on": made.pay_on.isoformat(),
        "terms": command.terms,
        "program": command.program,
        "number": number,
        "by_source": {_name(source): msgspec.to_builtins(part) for source, part in sums.parts.items()},
        "standing": stored(sums.after),
        "lines": [line_document(line) for line in sums.lines],
    }
    return (
        ("settlement", row),
        *(_payout(made, source, part, common) for source, part in sums.parts.items() if part.paid),
        *(_transfer(made, source, part, common) for source, part in sums.parts.items() if part.transferred),
        *(
            _share(made, code, by_source, common)
            for code, by_source in sums.shares.items()
            if any(by_source.values())
        ),
        *(_reserve(made, one, common) for one in made.reserves),
        *(_draw(one) for one in sums.draws),
    )


def line_document(line: Line) -> dict[str, Any]:
    """A line as it is stored and shown; what is empty is left out."""
    told = {"line": line.line, "amount_fen": line.amount, "rule": line.rule, "source": line.source}
    return {name: value for name, value in {**told, "funder": line.funder, **line.facts}.items() if value != ""}


def _reserve(made: Made, one: Reserve, common: dict[str, Any]) -> Cold:
    return (
        "reserve",
        {
            **common,
            "id": one.id.hex(),
            "settlement": made.id.hex(),
            "amount": one.amount,
            "release_on": one.release_on.isoformat(),
            "version": one.version,
            "program": one.program,
            "state": one.state,
            "by_source": {_name(source): amount for source, amount in one.by_source.items()},
            "drawn": 0,
            "drawn_by_source": {},
        },
    )


def _draw(draw: Draw) -> Cold:
    after = after_draw(draw).drawn_by_source
    return (
        "reserve_change",
        {
            "bucket": bucket_of(draw.reserve.id),
            "id": draw.reserve.id.hex(),
            "version": draw.reserve.version,
            "drawn": sum(after.values()),
            "drawn_by_source": {_name(source): amount for source, amount in after.items() if amount},
        },
    )


def _payout(made: Made, source: Source, part: Part, common: dict[str, Any]) -> Cold:
    return (
        "payout",
        {
            **common,
            "id": derived_id(made.id, b"payout from " + _name(source).encode()).hex(),
            "settlement": made.id.hex(),
            "amount": part.paid,
            "account_bank": made.merchant.account_bank,
            "account_no": made.merchant.account_no,
            "pay_on": made.pay_on.isoformat(),
            "source": source,
            "state": PAYOUT_INSTRUCTED,
            "version": 1,
            "attempt": 1,
            "held": 0,
            "questions": 0,
            "reference": "",
        },
    )


def _transfer(made: Made, source: Source, part: Part, common: dict[str, Any]) -> Cold:
    """The document of a transfer inside the issuer, instead of a payout."""
    return (
        "internal_transfer",
        {
            **common,
            "id": derived_id(made.id, b"transfer from " + _name(source).encode()).hex(),
            "settlement": made.id.hex(),
            "program": made.command.program,
            "period_end": made.command.period_end.isoformat(),
            "amount": part.transferred,
            "transfer_on": made.pay_on.isoformat(),
            "source": source,
        },
    )


def _share(made: Made, code: str, by_source: Mapping[Source, Money], common: dict[str, Any]) -> Cold:
    return (
        "partner_share",
        {
            **common,
            "id": derived_id(made.id, b"share of " + code.encode()).hex(),
            "settlement": made.id.hex(),
            "partner": made.partners[code].hex(),
            "program": made.command.program,
            "book": made.terms.ledger_of(made.merchant).book,
            "period_end": made.command.period_end.isoformat(),
            "amount": sum(by_source.values()),
            "by_source": {_name(source): amount for source, amount in by_source.items() if amount},
        },
    )


def _name(source: Source) -> str:
    return source.name.lower()
