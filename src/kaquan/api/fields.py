"""Fields that several bodies share, with their limits. Amounts are whole fen; nothing is taken for something else."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

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
