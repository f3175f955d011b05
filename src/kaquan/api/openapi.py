"""The description of the interface, OpenAPI 3.1: FastAPI's part, the hot endpoints, problems, roles, examples."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kaquan.api.hot import BODIES
from kaquan.api.operations import OPERATIONS, Operation
from kaquan.api.problems import MEDIA_TYPE
from kaquan.api.routes import DRY_RUN_MEANING, KEY_MEANING
from kaquan.cards.numbers import number_for
from kaquan.kernel.ids import Id

SAMPLES: Mapping[str, str] = {
    "device": "dev_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "api_key": "key_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "delivery": "whd_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "endpoint": "whe_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "organisation": "jingxi",
    "batch": "cbt_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "card": "crd_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "card_number": number_for(Id(bytes(16))),
    "closing": "cls_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "closed_stock": "summer-10",
    "code_stock": "printed-10",
    "draw_stock": "phone",
    "group": "jingxi-stores",
    "hook_url": "https://shop.example.com/kaquan",
    "invite_code": "K7QX-2M9R-TV",
    "issuer": "jingxi",
    "job": "job_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "key": "0199d3a4-8a51-7c1e-9a7b-0d3c5b1f2a10",
    "known_phone": "13800138000",
    "later": "2026-12-01T12:00:00+08:00",
    "merchant": "mall-1",
    "new_account": "6222020200112230",
    "new_code": "riverside",
    "new_order_no": "20261124-000123",
    "new_text": '[program]\ncode = "jingxika"\n# …',
    "new_voucher_code": "ABCD-EFGH-JKMN",
    "open_day": "2026-11-23",
    "order_no": "20261124-000122",
    "packets": "lucky",
    "payment": "pay_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "phone": "13800138000",
    "program": "jingxika",
    "program_text": '[program]\ncode = "jingxika"\n# …',
    "receiver": "wal_06f8kzq4m5w7v2n9r3t1x0y6bc",
    "referral_program": "jingxika",
    "stock": "welcome-5",
    "tighter_text": '[program]\ncode = "jingxika"\n# …',
    "voucher_code": "ABCD-EFGH-JKMN",
    "voucher": "vch_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "wallet": "wal_06f8kzq4m5w7v2n9r3t1x0y6ba",
}
"""What stands in examples for names of objects."""

NAMES: Mapping[str, str] = {
    "account": "An account of the chart, by name.",
    "api_key": "A key: its prefix, or `key_…`.",
    "approval": "A request: `apr_…`.",
    "batch": "A batch of codes: `cbt_…`.",
    "book": "A book, by the code of its organisation.",
    "card": "A card: its number, or `crd_…`.",
    "closing": "A request to return a card: `cls_…`.",
    "code": "A code, as it was registered.",
    "delivery": "A delivery: `whd_…`.",
    "device": "A device: `dev_…`.",
    "draw": "A draw: `drw_…`.",
    "endpoint": "An endpoint: `whe_…`.",
    "entry": "An entry of a draw: `ent_…`.",
    "every": "Also what is used, expired or voided.",
    "fund": "A fund, by its code.",
    "invitation": "An invitation: `inv_…`.",
    "issuer": "An organisation that keeps a book, by its code.",
    "job": "A bulk job: `job_…`.",
    "language": "`zh` or `en`.",
    "merchant": "A merchant: its code, or `mer_…`.",
    "operation": "Only this operation, by its id in this document.",
    "order_no": "The merchant's own order number.",
    "organisation": "An organisation, by its code.",
    "packet": "A packet: `pkt_…`.",
    "payment": "A payment: `pay_…`.",
    "period_end": "The last day of the period, `YYYY-MM-DD`.",
    "person": "Only what this person did.",
    "plan": "A plan: `pln_…`.",
    "pool": "A pool of packets: `pol_…`, or its code.",
    "program": "A program, by its code.",
    "referral": "A referral: `ref_…`.",
    "settlement": "A settlement: `stl_…`.",
    "since": "From this instant on (ISO 8601).",
    "state": "Only what is in this state.",
    "statement": "A statement: `stm_…`.",
    "store": "A store, by its code.",
    "stock": "A stock of the program, by its code.",
    "transfer": "A transfer: `trf_…`.",
    "until": "Before this instant (ISO 8601).",
    "version": "A version, by its number.",
    "voucher": "A voucher: `vch_…`.",
    "wallet": "A wallet: `wal_…`.",
}
"""What names in paths and queries mean, where an operation says nothing of its own."""

_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "`zh` or `en`: the language of words.",
    "schema": {"type": "string", "maxLength": 200},
}
_BY_HAND: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": KEY_MEANING,
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "example": "0199d3a4-8a51-7c1e-9a7b-0d3c5b1f2a10",
    },
    "dry_run": {
        "name": "dry_run",
        "in": "query",
        "description": DRY_RUN_MEANING,
        "schema": {"type": "boolean", "default": False},
    },
}
_TAKES: dict[str, tuple[str, ...]] = {"quote_payment": (), "create_payments": ("dry_run",)}
"""What the hot operations take beside their bodies: a quote nothing, a batch names an id with each payment."""

ANSWERS: Mapping[str, Any] = msgspec.json.decode(files(__package__).joinpath("answers.json").read_bytes())
"""What operations answered when `tests/api/test_answers.py` asked; it asks each time whether they still do."""

_OBJECT = {"schema": {"type": "object"}}
_ANY = {"application/json": _OBJECT}
_HEADERS = {
    "X-Request-Id": {"description": "The name of this request in our log.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` when the same id was answered before: this is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "Seconds to wait before the next attempt.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that this address takes.", "schema": {"type": "string"}},
}
_HEADERS_OF = {"401": ["WWW-Authenticate"], "405": ["Allow"], "429": ["Retry-After"], "503": ["Retry-After"]}
_READING = (400, 401, 403, 404, 405, 408, 413, 422, 429, 500, 503)
_WRITING = (*_READING, 409)
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details. `code` is stable; `retryable` tells whether the same wish may succeed "
    "later, under a new id when it was decided, under the same one when it was not (429, 503, 500).",
    "required": ["type", "title", "status", "detail", "code", "facts", "remedy", "retryable", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "facts": {"type": "object"},
        "remedy": {"type": "string"},
        "article": {"type": "string", "description": "The article of the law that said no."},
        "retryable": {"type": "boolean"},
        "replayed": {"type": "boolean", "description": "The same id was refused before, for this reason."},
        "request_id": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def filled(example: Any, names: Mapping[str, str]) -> Any:
    """An example with the `$names` of objects filled in."""
    if isinstance(example, str):
        return names[example[1:]] if example.startswith("$") else example
    if isinstance(example, Mapping):
        return {name: filled(given, names) for name, given in example.items()}
    return [filled(one, names) for one in example] if isinstance(example, list) else example


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Kaquan 卡券",
        version=version("kaquan"),
        openapi_version="3.1.0",
        summary="消费券充值购物卡 Consumption vouchers and prepaid cards",
        description="金额为整数分（CNY）。Amounts are whole fen (CNY); instants are UTC in ISO 8601.",
        routes=app.routes,
    )
    components = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    components["Problem"] = _PROBLEM
    document["components"]["headers"] = _HEADERS
    _, structs = msgspec.json.schema_components(list(BODIES.values()), ref_template="#/components/schemas/{name}")
    components.update(structs)
    for name, body in BODIES.items():
        operation = OPERATIONS[name]
        document["paths"].setdefault(operation.path, {})["post"] = _hot(operation, body)
    for operation in OPERATIONS.values():
        _complete(document["paths"][operation.path][operation.method.lower()], operation)
    return document


def _hot(operation: Operation, body: type[msgspec.Struct]) -> dict[str, Any]:
    tag = "券 Vouchers" if operation.scope.startswith("vouchers") else "支付 Payments"
    parameters = [_LANGUAGE, *(_BY_HAND[name] for name in _TAKES.get(operation.name, ("Idempotency-Key", "dry_run")))]
    return {
        "tags": [tag],
        "summary": operation.summary,
        "operationId": operation.name,
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}},
        },
        "responses": {"200": {"description": "Done", "content": _ANY}},
        "security": [{"api_key": []}],
    }


def _complete(told: dict[str, Any], operation: Operation) -> None:
    for parameter in told.get("parameters", ()):
        _described(parameter)
    responses = told["responses"]
    responses.pop("422", None)
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    if operation.second:
        responses["202"] = {"description": "Waits for a second person", "content": _ANY}
    if operation.name in ANSWERS:
        responses["200"]["content"]["application/json"] = {**_OBJECT, "example": ANSWERS[operation.name]}
    if operation.also:
        responses["200"]["content"][operation.also] = {"schema": {"type": "string"}}
    for status in _READING if operation.method == "GET" else _WRITING:
        responses[str(status)] = {"description": "Problem", **problem}
    for status, response in responses.items():
        names = ["X-Request-Id", *_HEADERS_OF.get(status, ())]
        if status == "200" and operation.method == "POST":
            names.append("Idempotent-Replayed")
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    told["x-roles"] = sorted(role.value for role in operation.roles)
    told["x-scope"] = operation.scope
    if operation.example is not None:
        content = told["requestBody"]["content"]["application/json"]
        content["examples"] = {"usual": {"value": filled(operation.example, SAMPLES)}}


def _described(parameter: dict[str, Any]) -> None:
    """What a name in a path or query means; a parameter that may be left out is no null."""
    choices = parameter["schema"].pop("anyOf", None)
    if choices is not None:
        parameter["schema"] |= next(one for one in choices if one.get("type") != "null")
    told = parameter["schema"].pop("description", None)
    if "description" not in parameter:
        parameter["description"] = told or NAMES[parameter["name"]]


def as_text(app: FastAPI) -> str:
    """The document as it is checked in."""
    return json.dumps(describe(app), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
