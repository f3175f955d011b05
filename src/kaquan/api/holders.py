"""Holders: register, identify, find. Personal data goes straight into the vault, and never out whole."""

from typing import Annotated, Any

from pydantic import Field, SecretStr

from kaquan.api.authorization import HOLDERS, ISSUERS, READERS
from kaquan.api.calls import Call
from kaquan.api.fields import Body, PathText
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.cards.model import CardState
from kaquan.cards.service import of_wallet
from kaquan.commands.model import Kind
from kaquan.holders import service
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.rules import normalise_id_number, normalise_name, normalise_phone
from kaquan.privacy.rules import person as read_typed
from kaquan.sales.errors import PHONE_UNKNOWN

routes = Routes("holders", "持卡人 Holders")
Personal = Annotated[SecretStr, Field(min_length=1, max_length=64, description="Personal data: sealed on arrival.")]


class Registration(Body):
    """Who opens a wallet. Nothing at all opens an anonymous one, for bearer cards."""

    name: Personal | None = None
    phone: Personal | None = None
    id_number: Personal | None = None


class Identity(Body):
    """Who holds a wallet, put on record afterwards."""

    name: Personal
    id_number: Personal


class ByPhone(Body):
    """Whose wallet is looked for. In a body, so that no log or history keeps it."""

    phone: Personal


_IDENTITY = {"name": "张三", "id_number": "11010519491231002X"}


def _plain(given: SecretStr | None) -> str | None:
    return None if given is None else given.get_secret_value()


@routes.writes("/holders", ISSUERS, example={"name": "张三", "phone": "$phone"}, owned=False)
def register_holder(call: Call, body: Registration) -> dict[str, Any]:
    """登记持卡人 Register a holder: opens a wallet"""
    person = None
    if body.name is not None or body.phone is not None or body.id_number is not None:
        read = read_typed(_plain(body.name) or "", _plain(body.phone), _plain(body.id_number))
        if isinstance(read, Refusal):
            raise Problem.of(read)
        person = read

    def make(key: str, caller: Any) -> Any:
        return service.registration(call.app.master, caller, key, person)

    return call.act_told(Kind.REGISTER_HOLDER, make, lambda done: {"wallet": public("wal", done.id)})


@routes.writes("/holders/{wallet}/identity", ISSUERS, example=_IDENTITY, made="unidentified")
def identify_holder(call: Call, wallet: PathText, body: Identity) -> dict[str, Any]:
    """实名 Put on record who holds a wallet that was opened without an identity number"""
    name, number = normalise_name(_plain(body.name) or ""), normalise_id_number(_plain(body.id_number) or "")
    if isinstance(name, Refusal):
        raise Problem.of(name)
    if isinstance(number, Refusal):
        raise Problem.of(number)
    target = call.objects.wallet(wallet)

    def make(key: str, caller: Any) -> Any:
        connection, master = call.app.connection, call.app.master
        return service.identification(connection, master, caller, key, wallet=target, name=name, id_number=number)

    return call.act(Kind.IDENTIFY_HOLDER, make)


@routes.tries("/holders/search", ISSUERS, example={"phone": "$known_phone"})
def find_holder(call: Call, body: ByPhone) -> dict[str, Any]:
    """按手机号查找 The wallet of a phone number"""
    digits = normalise_phone(_plain(body.phone) or "")
    if isinstance(digits, Refusal):
        raise Problem.of(digits)
    found = service.find_by_phone(call.app.connection, call.app.master, digits)
    wallet = None if found is None else public("wal", found)
    if wallet is None or not _reached(call, wallet):
        raise Problem.of(Refusal(PHONE_UNKNOWN))
    return {"wallet": wallet}


def _reached(call: Call, wallet: str) -> bool:
    """Whether a wallet is the caller's: that somebody has a phone number elsewhere is not for it to learn."""
    try:
        call.objects.wallet(wallet)
    except Problem:
        return False
    return True


@routes.reads("/wallets/{wallet}/cards", HOLDERS | (READERS & {Role.REGULATOR}))
def list_cards(call: Call, wallet: PathText) -> dict[str, Any]:
    """列出卡 A holder's cards"""
    rows = of_wallet(call.app.connection, call.objects.wallet(wallet))
    visible = [one for one in rows if call.sees_program(one.program)]
    items = [
        {
            "card": public("crd", one.id.bytes),
            "number": one.number,
            "program": one.program,
            "state": CardState(one.state).name.lower(),
        }
        for one in visible
    ]
    return {"items": items, "next": None}
