"""Devices of a wallet that show payment codes. A device's secret is in one answer, and never again."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import OPERATOR
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import Body, PathText
from kaquan.api.objects import identity
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.db.wire import raw_cursor
from kaquan.documents.devices import device_document
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import service
from kaquan.payment_codes.model import LABEL_LENGTH_MAX, RemoveDevice

routes = Routes("holders", "付款码 Payment codes")
_OWNERS = OPERATOR | {Role.HOLDER}
"""A device pays from every card of its wallet, whoever issued it: so it is not for any one of the issuers."""


class Device(Body):
    """A phone that shows codes of a wallet, with or without a network."""

    label: Annotated[str, Field(min_length=1, max_length=LABEL_LENGTH_MAX, description="What its holder calls it.")]
    card: Annotated[str, Field(max_length=64, description="The card that pays first, when it can.")] | None = None


@routes.writes("/wallets/{wallet}/devices", _OWNERS, example={"label": "my phone"})
def add_device(call: Call, wallet: PathText, body: Device) -> dict[str, Any]:
    """添加设备 Add a device; `handle` and `secret` are what it makes codes from, told only now"""
    owner, app = call.objects.wallet(wallet), call.app
    card = call.objects.card(body.card) if body.card is not None else None
    label, caller = body.label, call.caller
    made = service.adding(
        raw_cursor(app.connection), app.master, caller, call.key, wallet=owner, label=label, card=card
    )
    if isinstance(made, Refusal):
        raise Problem.of(made)
    command, secret = made
    answer = call.act(Kind.ADD_DEVICE, lambda **_: command)
    if answer["dry_run"] or answer["replayed"]:
        return answer
    known = service.devices_of(app.connection, app.master, owner)
    device = next(one.id for one in known if one.handle == answer["handle"])
    return {**answer, "device": public("dev", device), "secret": secret.hex()}


@routes.reads("/wallets/{wallet}/devices", _OWNERS)
def list_devices(call: Call, wallet: PathText) -> dict[str, Any]:
    """列出设备 The devices of a wallet; their secrets are nobody's to read"""
    found = service.devices_of(call.app.connection, call.app.master, call.objects.wallet(wallet))
    return {"items": [device_document(one) for one in found], "next": None}


@routes.writes("/wallets/{wallet}/devices/{device}/remove", _OWNERS)
def remove_device(call: Call, wallet: PathText, device: PathText) -> dict[str, Any]:
    """停用设备 Remove a device: its codes count no more"""
    return call.act(Kind.REMOVE_DEVICE, RemoveDevice, device=_of(call, call.objects.wallet(wallet), device))


def _of(call: Call, wallet: Id, text: str) -> Id:
    target = identity("dev", text)
    if target not in {one.id for one in service.devices_of(call.app.connection, call.app.master, wallet)}:
        raise Problem(NOT_FOUND)
    return target
