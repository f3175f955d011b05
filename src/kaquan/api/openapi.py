"""The description of the interface, OpenAPI 3.1: FastAPI's part, the hot endpoints, problems, roles, examples."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kaquan.api.problems import MEDIA_TYPE
from kaquan.api.routes import OPERATIONS, Operation
from kaquan.api.spending import BODIES

SAMPLES: Mapping[str, str] = {
    "device": "dev_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "api_key": "key_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "delivery": "whd_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "endpoint": "whe_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "organisation": "jingxi",
    "batch": "cbt_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "card": "crd_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "card_number": "9286 0012 3456 7897",
    "closed_stock": "summer-10",
    "code_stock": "printed-10",
    "draw_stock": "phone",
    "group": "jingxi-stores",
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
    "order_no": "20261124-000122",
    "packets": "lucky",
    "payment": "pay_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "phone": "13800138000",
    "program": "jingxika",
    "program_text": '[program]\ncode = "jingxika"\n# …',
    "referral_program": "jingxika",
    "stock": "welcome-5",
    "tighter_text": '[program]\ncode = "jingxika"\n# …',
    "voucher_code": "ABCD-EFGH-JKMN",
    "voucher": "vch_06f8kzq4m5w7v2n9r3t1x0y6ba",
    "wallet": "wal_06f8kzq4m5w7v2n9r3t1x0y6ba",
}
"""What stands in examples for names of objects."""

_ANY = {"application/json": {"schema": {"type": "object"}}}
_SECOND = ("refund_payment", "void_voucher", "issue_key")
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
    parameters = [
        {"name": "Accept-Language", "in": "header", "schema": {"type": "string", "maxLength": 200}},
        {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 64}},
        {"name": "dry_run", "in": "query", "schema": {"type": "boolean", "default": False}},
    ]
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
    responses = told["responses"]
    responses.pop("422", None)
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    if any(operation.name == name for name in _SECOND):
        responses["202"] = {"description": "Waits for a second person", "content": _ANY}
    if operation.also:
        responses["200"]["content"][operation.also] = {"schema": {"type": "string"}}
    for status in _READING if operation.method == "GET" else _WRITING:
        responses[str(status)] = {"description": "Problem", **problem}
    told["x-roles"] = sorted(role.value for role in operation.roles)
    told["x-scope"] = operation.scope
    if operation.example is not None:
        content = told["requestBody"]["content"]["application/json"]
        content["examples"] = {"usual": {"value": filled(operation.example, SAMPLES)}}


def as_text(app: FastAPI) -> str:
    """The document as it is checked in."""
    return json.dumps(describe(app), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
