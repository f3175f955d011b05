"""Cards: sell, top up, show, freeze, report lost, replace."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import HOLDERS, ISSUERS, READERS
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import Body, Channel, Code, PathText, Reason, SumFen, VoucherIds
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.cards.model import Freeze, Replace, ReportLost, Unfreeze
from kaquan.commands.model import Kind
from kaquan.documents.cards import card_document
from kaquan.kernel.caller import Role
from kaquan.kernel.money import Money
from kaquan.sales.model import Sell, TopUp

routes = Routes("cards", "卡 Cards")
_LOOKERS = READERS - {Role.MERCHANT, Role.CASHIER, Role.FUNDER}


class Sale(Body):
    """A card to sell: the face names one of the program's offers."""

    wallet: Annotated[str, Field(description="Whose it will be: `wal_…`.")]
    program: Code
    face_fen: SumFen
    channel: Channel = "sandbox"
    vouchers: VoucherIds = []


class Load(Body):
    """An offer to add to a card, or with a face of zero what top-up vouchers are worth."""

    face_fen: SumFen = 0
    channel: Channel = "sandbox"
    vouchers: VoucherIds = []


class Why(Body):
    """A step that needs a reason."""

    reason: Reason


@routes.writes("/cards", ISSUERS, example={"wallet": "$wallet", "program": "$program", "face_fen": 50_000})
def sell_card(call: Call, body: Sale) -> dict[str, Any]:
    """售卡 Sell a card to a holder"""
    call.objects.program(body.program)
    return call.act(
        Kind.SELL,
        Sell,
        wallet=call.objects.customer(body.wallet),
        program=body.program,
        face=Money(body.face_fen),
        channel=body.channel,
        vouchers=tuple(map(call.objects.voucher, body.vouchers)),
    )


@routes.reads("/cards/{card}", _LOOKERS)
def show_card(call: Call, card: PathText) -> dict[str, Any]:
    """查看卡 A card with its balance and lots, by id or number"""
    found = card_document(call.app.connection, call.objects.card(card), call.app.door.at())
    if found is None:
        raise Problem(NOT_FOUND)
    return found


@routes.writes("/cards/{card}/top-ups", ISSUERS, example={"face_fen": 50_000})
def top_up_card(call: Call, card: PathText, body: Load) -> dict[str, Any]:
    """充值 Top a card up: with money, with vouchers, or both"""
    return call.act(
        Kind.TOP_UP,
        TopUp,
        card=call.objects.card(card),
        face=Money(body.face_fen),
        channel=body.channel,
        vouchers=tuple(map(call.objects.voucher, body.vouchers)),
    )


@routes.writes("/cards/{card}/freeze", ISSUERS, example={"reason": "asked by the holder"})
def freeze_card(call: Call, card: PathText, body: Why) -> dict[str, Any]:
    """冻结 Freeze: the card can't pay until it is unfrozen"""
    return call.act(Kind.FREEZE, Freeze, card=call.objects.card(card), reason=body.reason)


@routes.writes("/cards/{card}/unfreeze", ISSUERS, example={"reason": "asked by the holder"}, prepare="freeze_card")
def unfreeze_card(call: Call, card: PathText, body: Why) -> dict[str, Any]:
    """解冻 Unfreeze: the card can pay again"""
    return call.act(Kind.UNFREEZE, Unfreeze, card=call.objects.card(card), reason=body.reason)


@routes.writes("/cards/{card}/report-lost", HOLDERS)
def report_card_lost(call: Call, card: PathText) -> dict[str, Any]:
    """挂失 Report a registered card lost: it stops paying at once"""
    return call.act(Kind.REPORT_LOST, ReportLost, card=call.objects.card(card))


@routes.writes("/cards/{card}/replace", ISSUERS, prepare="report_card_lost")
def replace_card(call: Call, card: PathText) -> dict[str, Any]:
    """补卡 Replace a lost card: a new number; balance and history stay"""
    return call.act(Kind.REPLACE, Replace, card=call.objects.card(card))
