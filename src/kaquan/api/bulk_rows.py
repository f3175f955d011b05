"""Which operations a bulk job may be of, what their rows hold, and how one row is carried out: as if sent alone."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

import msgspec
from pydantic import BaseModel, ValidationError

from kaquan.api import cards, holders, payments, vouchers  # they declare the operations
from kaquan.api.bodies import ClaimBody
from kaquan.api.calls import Asked, Call
from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.hot import HotCall
from kaquan.api.operations import BODY, ENDPOINTS, OPERATIONS, Operation
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import Serving
from kaquan.api.spending import claimed
from kaquan.bulk.model import Column, Columns, FieldKind, Row
from kaquan.identity.model import Key
from kaquan.main import Kaquan

BulkOperation = Literal[
    "claim_voucher",
    "freeze_card",
    "identify_holder",
    "issue_voucher",
    "refund_payment",
    "register_holder",
    "sell_card",
    "top_up_card",
    "unfreeze_card",
    "void_voucher",
]
"""A closed list: what many rows are usual for, and what shows no secret in its answer, which nobody would see."""

NAMES: tuple[str, ...] = get_args(BulkOperation)
DECLARED = (cards.routes, holders.routes, payments.routes, vouchers.routes)
NAME_LENGTH_MAX = 64  # like `fields.PathText`

_KINDS = {"integer": FieldKind.NUMBER, "boolean": FieldKind.FLAG}
_OF_A_PERSON = frozenset({"device", "payee"})
_HOT: Mapping[str, tuple[type[msgspec.Struct], Callable[..., Any]]] = {"claim_voucher": (ClaimBody, claimed)}


class InTheName(NamedTuple):
    """Of whom a row is carried out, under which id, and how its log lines are named."""

    key: Key
    wish: str
    words: Words


@cache
def columns(operation: str) -> Columns:
    """The fields that a row of an operation may have: what its path names, then its body's."""
    named = {name: Column(FieldKind.TEXT) for name in _in_path(OPERATIONS[operation])}
    if operation in _HOT:
        fields = _HOT[operation][0].__struct_fields__
        return named | {name: Column(FieldKind.TEXT, name in _OF_A_PERSON) for name in fields}
    model = ENDPOINTS[operation][1]
    schema = model.model_json_schema()["properties"] if model is not None else {}
    return named | {name: _column(told) for name, told in schema.items()}


def carry_out(serving: Serving, app: Kaquan, operation: str, row: Row, by: InTheName) -> bool:
    """One row; whether it took effect: otherwise it waits for a second person. Raises `Problem`."""
    if not row.keys() <= columns(operation).keys():
        told = [{"field": "row", "message": "a field that this operation has not"}]
        raise Problem(REQUEST_INVALID, {"where": "row"}, {"details": told})
    if operation in _HOT:
        model, endpoint = _HOT[operation]
        asked = HotCall(serving, by.key, by.words, by.wish, False, _uncounted)
        endpoint(asked, _converted(row, model))
        return True
    path = {name: _name(row, name) for name in _in_path(OPERATIONS[operation])}
    endpoint, body = ENDPOINTS[operation][0], _body(operation, row, path)
    call = Call(serving, app, by.key, by.words, wish=by.wish)
    call.asked = Asked(operation, path, body.model_dump(mode="json") if body is not None else {})
    with call.noted(operation, path):
        endpoint(call, **path, **({} if body is None else {BODY: body}))
    return call.status == 200


def _uncounted(_: int) -> None:
    """A job was counted when it was sent."""


def _body(operation: str, row: Row, path: Mapping[str, str]) -> BaseModel | None:
    model = ENDPOINTS[operation][1]
    if model is None:
        return None
    try:
        return model.model_validate({name: given for name, given in row.items() if name not in path})
    except ValidationError as wrong:
        details = [
            {"field": ".".join(map(str, one["loc"])), "message": str(one["msg"])}
            for one in wrong.errors(include_url=False, include_input=False)
        ]
    where = ", ".join(dict.fromkeys(one["field"] for one in details))[:200]
    raise Problem(REQUEST_INVALID, {"where": where}, {"details": details})


def _converted(row: Row, model: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.convert(row, model)
    except msgspec.ValidationError as wrong:
        told = [{"field": "row", "message": str(wrong)}]
    raise Problem(REQUEST_INVALID, {"where": "row"}, {"details": told})


def _name(row: Row, name: str) -> str:
    given = row.get(name)
    if not isinstance(given, str) or not 1 <= len(given) <= NAME_LENGTH_MAX or "\0" in given:
        raise Problem(REQUEST_INVALID, {"where": name}, {"details": [{"field": name, "message": "a name is needed"}]})
    return given


def _in_path(operation: Operation) -> list[str]:
    return [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]


def _column(told: Mapping[str, Any]) -> Column:
    """How a field is written in CSV, by what its schema says."""
    told = next((one for one in told.get("anyOf", ()) if one.get("type") != "null"), told)
    if told.get("type") == "array":
        return Column(FieldKind.NUMBERS if told["items"].get("type") == "integer" else FieldKind.LIST)
    return Column(_KINDS.get(told.get("type", ""), FieldKind.TEXT), told.get("format") == "password")
