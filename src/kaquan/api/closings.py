"""Returning cards: ask, quote, close, cancel, pay out, look."""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from kaquan.api.authorization import HOLDERS, ISSUERS
from kaquan.api.calls import Call
from kaquan.api.fields import PAGE_MAX, After, Body, Limit, PathText, Reason, Reasoned, Reference, SumFen
from kaquan.api.pages import page
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Effect, Kind
from kaquan.documents.closings import closing_document, closing_lines
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.rules import normalise_id_number, normalise_name
from kaquan.sales import closing_service as service
from kaquan.sales.closing_model import CancelClosing, CloseCard, RequestClosing

routes = Routes("closings", "退卡 Returned cards")
_LOOKERS = HOLDERS | {Role.REGULATOR}
Personal = Annotated[SecretStr, Field(min_length=1, max_length=64, description="Personal data: sealed on arrival.")]


class CardReturn(Body):
    """A card to be returned, or one purchase on it."""

    cause: Annotated[Literal["issuer", "holder"], Field(description="Whose cause it is.")] = "holder"
    reason: Reason
    purchase: Annotated[
        str | None, Field(description="Only this purchase, `trf_…`, not active yet or in the time to withdraw.")
    ] = None


class Closing(Body):
    """What is kept of what comes back, where the law allows it."""

    cost_fen: SumFen = 0
    cost_reference: Annotated[str, Field(max_length=64, description="The document that shows the cost.")] = ""


class PayOut(Body):
    """How what is owed was paid. A payee is told unless it went back the way it came."""

    route: Literal["original", "bank", "cash"] = "original"
    reference: Annotated[Reference, Field(description="The bank's or app's receipt.")]
    payee_name: Personal | None = None
    account_bank: Annotated[str, Field(max_length=64)] = ""
    account_no: Personal | None = None
    id_number: Personal | None = None


@routes.writes("/cards/{card}/closings", HOLDERS, example={"cause": "holder", "reason": "moves away"})
def request_closing(call: Call, card: PathText, body: CardReturn) -> dict[str, Any]:
    """申请退卡 Ask for a card to be returned: the legal clock starts, the card stops; a dry run is a quote"""
    purchase = None if body.purchase is None else call.objects.purchase(body.purchase)
    told = {"cause": body.cause, "reason": body.reason, "purchase": purchase}
    return call.act_told(Kind.REQUEST_CLOSING, RequestClosing, _lines, card=call.objects.card(card), **told)


@routes.reads("/cards/{card}/closings", _LOOKERS)
def list_card_closings(call: Call, card: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """一张卡的退卡申请 The requests about a card"""
    found = service.closings_of(call.app.connection, call.objects.card(card))
    return _page(call, sorted(found, key=lambda one: (one.at, one.id)), (limit, after))


@routes.reads("/closings", ISSUERS | {Role.REGULATOR}, owned=False)
def list_closings(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """未付清的退卡申请 Requests that are not paid, the oldest first"""
    found = service.closings_of(call.app.connection, None)
    visible = [one for one in found if call.sees_program(one.program_code)]
    return _page(call, sorted(visible, key=lambda one: (one.at, one.id)), (limit, after))


@routes.reads("/closings/{closing}", _LOOKERS)
def show_closing(call: Call, closing: PathText) -> dict[str, Any]:
    """查看退卡申请 A request: what it came to, line by line, with the article of each"""
    return closing_document(call.objects.closing(closing), call.app.door.at())


@routes.writes("/closings/{closing}/close", ISSUERS, example={})
def close_card(call: Call, closing: PathText, body: Closing) -> dict[str, Any]:
    """结清 Take everything from the card and owe its holder what comes back; a dry run is a quote"""
    told = {"cost": Money(body.cost_fen), "cost_reference": body.cost_reference}
    return call.act_told(Kind.CLOSE_CARD, CloseCard, _lines, closing=_id(call, closing), **told)


@routes.writes("/closings/{closing}/cancel", HOLDERS, example={"reason": "keeps it after all"})
def cancel_closing(call: Call, closing: PathText, body: Reasoned) -> dict[str, Any]:
    """撤销退卡 Cancel a request: the card is what it was"""
    return call.act(Kind.CANCEL_CLOSING, CancelClosing, closing=_id(call, closing), reason=body.reason)


@routes.writes("/closings/{closing}/pay-out", ISSUERS, example={"reference": "20261201-1"}, prepare="close_card")
def pay_out_closing(call: Call, closing: PathText, body: PayOut) -> dict[str, Any]:
    """登记付款 Record that it was paid, with interest up to today; to an account or in cash, to the holder alone"""
    target, payee = _id(call, closing), _payee(body)

    def make(key: str, caller: Any) -> Any:
        told: dict[str, Any] = {"route": body.route, "reference": body.reference, "payee": payee}
        return service.paying_out(call.app.connection, call.app.master, caller, key, closing=target, **told)

    return call.act(Kind.PAY_OUT_CLOSING, make)


def _id(call: Call, text: str) -> Id:
    return Id(call.objects.closing(text).id.bytes)


def _page(call: Call, found: list[Any], asked: tuple[int, str | None]) -> dict[str, Any]:
    at = call.app.door.at()
    return page(found, lambda one: (one.at, one.id.hex), asked, lambda one: closing_document(one, at))


def _lines(done: Effect) -> dict[str, Any]:
    """The quote's lines as the outside sees them."""
    return {"lines": closing_lines(done.facts["lines"])}


def _payee(body: PayOut) -> service.Payee | None:
    """Who is paid, in normalised form. Raises `Problem`."""
    if body.payee_name is None:
        return None
    name = normalise_name(body.payee_name.get_secret_value())
    number = None if body.id_number is None else normalise_id_number(body.id_number.get_secret_value())
    for read in (name, number):
        if isinstance(read, Refusal):
            raise Problem.of(read)
    account = "" if body.account_no is None else body.account_no.get_secret_value().replace(" ", "")
    return service.Payee(str(name), body.account_bank, account, number if isinstance(number, str) else None)
