"""Voucher codes: bring batches in, look, stop; claim by code. Codes come in bodies alone, and never out."""

from typing import Annotated, Any

from pydantic import Field, SecretStr

from kaquan.api.authorization import ISSUERS, OPERATOR
from kaquan.api.calls import Call
from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Limit, PathText
from kaquan.api.pages import part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind, Outcome, Refused
from kaquan.documents.answers import instant
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id, public
from kaquan.vouchers import service
from kaquan.vouchers.codes import LENGTH_MAX, OpenCodes, StopCodes, adding, batch_id, digest, normalise
from kaquan.vouchers.model import ClaimByCode

routes = Routes("codes", "券码 Codes")
claim_routes = Routes("vouchers", "券 Vouchers")
"""A claim is a claim, by code or not: the same scope allows it."""

CODES_AT_ONCE = 10_000  # of one request: some 200 kB; more come in several batches
_OPEN = 1
_LOOKERS = ISSUERS | {Role.REGULATOR}
Typed = Annotated[SecretStr, Field(min_length=1, max_length=4 * LENGTH_MAX)]
Outside = Annotated[str | None, Field(max_length=256)]


class Batch(Body):
    """Codes that were made elsewhere, for a stock that is handed out by code."""

    program: Code
    stock: Code
    codes: Annotated[list[Typed], Field(min_length=1, max_length=CODES_AT_ONCE)]


class ByCode(Body):
    """Who claims, and the code. What is told of device and payment account counts towards limits."""

    wallet: str
    code: Typed
    device: Outside = None
    payee: Outside = None


@routes.writes(
    "/code-batches", ISSUERS, example={"program": "$program", "stock": "$code_stock", "codes": ["$new_voucher_code"]}
)
def import_codes(call: Call, body: Batch) -> dict[str, Any]:
    """导入券码 Bring in a batch of codes, which count from now on; codes that are known stay whose they are

    A request that broke off goes on under the same id.
    """
    stock = call.objects.stock(body.program, body.stock)
    read = {_read(one, f"codes.{number}") for number, one in enumerate(body.codes)}
    secret = service.code_key(call.app.master)
    digests = {digest(secret, one): one[-4:] for one in read}
    batch = batch_id(call.caller, call.key, body.program, stock.code)
    added = known = 0
    for command in adding(batch, call.caller, body.program, stock.code, digests):
        outcome = _effective(call.decided(Kind.ADD_CODES, command))
        added += outcome["added"]
        known += len(outcome["known"])
    return call.act_told(
        Kind.OPEN_CODES,
        OpenCodes,
        lambda _: {"added": added, "known": known},
        batch=batch,
        program=body.program,
        stock=stock.code,
        count=len(read),
    )


@routes.reads("/programs/{program}/stocks/{stock}/code-batches", _LOOKERS, made="code_stock")
def list_code_batches(
    call: Call, program: PathText, stock: PathText, limit: Limit = PAGE_MAX, after: After = None
) -> dict[str, Any]:
    """列出券码批次 List the batches of codes of a stock, the earliest first"""
    place = typed_place(after, int, str)
    known = call.objects.stock(program, stock)
    found = service.code_batches_of(
        call.app.connection, known.id, None if place is None else (place[0], place_id(place[1]).hex()), limit + 1
    )
    return part(found, lambda one: (one.at, one.id.hex), limit, _batch)


@routes.reads("/code-batches/{batch}", _LOOKERS)
def show_code_batch(call: Call, batch: PathText) -> dict[str, Any]:
    """查看券码批次 A batch of codes: how many there are, how many were used"""
    found = call.objects.code_batch(batch)
    count, used = service.code_counts(call.app.connection, Id(found.id.bytes))
    return {**_batch(found), "count": count, "used": used}


@routes.writes("/code-batches/{batch}/stop", ISSUERS)
def stop_codes(call: Call, batch: PathText) -> dict[str, Any]:
    """停用券码批次 Stop a batch: codes that nobody has used count no more"""
    return call.act(Kind.STOP_CODES, StopCodes, batch=Id(call.objects.code_batch(batch).id.bytes))


@claim_routes.writes(
    "/claims/by-code", OPERATOR | {Role.HOLDER}, example={"wallet": "$wallet", "code": "$voucher_code"}
)
def claim_by_code(call: Call, body: ByCode) -> dict[str, Any]:
    """凭码领券 Claim the voucher that a code is worth"""
    wallet = call.objects.customer(body.wallet)
    told = {
        kind: service.outside_digest(call.app.master, kind, text)
        for kind, text in (("device", body.device), ("payee", body.payee))
        if text is not None
    }
    secret = service.code_key(call.app.master)
    kept = digest(secret, _read(body.code, "code"))
    with call.serving.guesses.one(call.api_key.prefix):
        return call.act(Kind.CLAIM_BY_CODE, ClaimByCode, wallet=wallet, digest=kept, **told)


def _read(typed: SecretStr, where: str) -> str:
    read = normalise(typed.get_secret_value())
    if read is None:
        raise Problem(REQUEST_INVALID, {"where": where})
    return read


def _effective(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        raise Problem.of(outcome.refusal, replayed=outcome.replayed)
    return outcome.facts


def _batch(found: Any) -> dict[str, Any]:
    return {
        "batch": public("cbt", found.id.bytes),
        "program": found.program,
        "stock": found.stock,
        "state": "open" if found.state == _OPEN else "stopped",
        "count": found.count,
        "at": instant(found.at),
    }
