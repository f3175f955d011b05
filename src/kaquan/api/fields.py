"""Fields that several bodies share, with their limits. Amounts are whole fen; nothing is taken for something else."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from kaquan.payments.model import AMOUNT_MAX, ORDER_NO_LENGTH_MAX, REASON_LENGTH_MAX

PAGE_MAX = 100


class Body(BaseModel):
    """A body of a request: what it does not name is refused, and a string is no number."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


AmountFen = Annotated[int, Field(ge=1, le=AMOUNT_MAX, description="Whole fen (分), above zero.", examples=[1230])]
SumFen = Annotated[int, Field(ge=0, le=AMOUNT_MAX, description="Whole fen (分).", examples=[0])]
Code = Annotated[str, Field(min_length=1, max_length=64, description="A code, as it was registered.")]
Reference = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX, description="Why: kept with the decision.")]
OrderNo = Annotated[
    str, Field(min_length=1, max_length=ORDER_NO_LENGTH_MAX, description="The merchant's own order number.")
]
VoucherIds = Annotated[list[str], Field(max_length=20, description="Vouchers: `vch_…`.")]
Channel = Annotated[str, Field(min_length=1, max_length=32, description="The payment channel that took the money.")]

PathText = Annotated[str, Path(min_length=1, max_length=64)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many to give at most.")]
After = Annotated[
    str | None, Query(max_length=128, description="The `next` of the page before; leave it out for the first page.")
]


def _day(given: Any) -> date:
    read = date.fromisoformat(given) if isinstance(given, str) and len(given) == len("2025-06-01") else None
    if read is None or not _YEARS[0] <= read.year <= _YEARS[1]:
        raise ValueError("a day is written 2025-06-01")
    return read


def _instant(given: Any) -> datetime:
    read = datetime.fromisoformat(given) if isinstance(given, str) else None
    if read is None or read.tzinfo is None or not _YEARS[0] <= read.year <= _YEARS[1]:
        raise ValueError("an instant is written 2025-06-01T12:00:00+08:00")
    return read


_YEARS = (1970, 9998)  # what microseconds count, with room for a time zone

Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A day in Shanghai."""

Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
"""An instant in ISO 8601, with its time zone."""


class Reasoned(Body):
    """A step that needs a reason."""

    reason: Reason
