"""What bodies of payments ask for, as commands: out of memory, and what was never met looked up.

Card numbers that were never met are looked up many at once; whatever else is missing, one payment at a time.
"""

from collections.abc import Iterable, Mapping

import msgspec

from kaquan.api.bodies import KeyedPayment, PaymentBody
from kaquan.api.calls import outside_key
from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.hot import HotCall
from kaquan.api.memory import Forgotten
from kaquan.api.objects import Objects
from kaquan.api.problems import Problem
from kaquan.api.remembered import Remembered
from kaquan.api.serving import Serving
from kaquan.cards import service as cards
from kaquan.commands.model import Kind
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.model import Authorize, Pay
from kaquan.vouchers.orders import Line

Wish = tuple[Kind, Pay] | Problem
"""A command that a body asks for, or why it asks for none."""


def shown(caller: Caller, body: PaymentBody) -> bool:
    """Whether a body shows what could be guessed: a code, or to a till a card's number."""
    return body.code is not None or (body.card is not None and caller.merchant is not None)


def looked_up(asked: HotCall, body: PaymentBody, key: str) -> tuple[Kind, Pay]:
    """The command that a body asks for. Raises `Problem`."""
    with asked.serving.looking(hot=True) as app:
        return _looked_up(asked.serving, Objects(app, asked.caller), asked.caller, body, key)


class Unmet(Forgotten):
    """All that a payment names is remembered but whose card its number is: when that is known, so is the command."""

    def __init__(self, kind: Kind, command: Pay, number: str) -> None:
        super().__init__()
        self._kind, self._command = kind, command
        self.number = number

    def by(self, card: Id) -> tuple[Kind, Pay]:
        """The command, with the card of the number."""
        return self._kind, msgspec.structs.replace(self._command, card=card)


def remembered(serving: Serving, caller: Caller, body: PaymentBody, key: str) -> tuple[Kind, Pay]:
    """The command that a body asks for, out of memory. Raises `Unmet` when only its card number is to be looked up,
    `Forgotten` or `Problem` when everything is."""
    objects = Remembered(serving.memory, caller)
    kind, command = command_of(objects, caller, body, key)
    if objects.unmet is not None:
        raise Unmet(kind, command, objects.unmet)
    return kind, command


def cards_of(serving: Serving, numbers: Iterable[str]) -> dict[str, Id]:
    """The cards of numbers that were never met, which from now on are. Raises `Problem` when nothing is known."""
    with serving.looking(hot=True) as app:
        return _met(serving, app, numbers)


def _met(serving: Serving, app: Kaquan, numbers: Iterable[str]) -> dict[str, Id]:
    found = cards.by_numbers(app.connection, numbers)
    serving.memory.meet(found)
    return found


def wishes_of(asked: HotCall, bodies: list[KeyedPayment]) -> list[Wish]:
    """What the payments of a batch ask for: out of memory; card numbers never met in one query; what else must be
    looked up one by one, on the same connection."""
    wishes = [_wish(asked, one) for one in bodies]
    unmet = {one.number for one in wishes if isinstance(one, Unmet)}
    if not unmet and None not in wishes:
        return [one for one in wishes if one is not None and not isinstance(one, Unmet)]
    with asked.serving.looking(hot=True) as app:
        objects = Objects(app, asked.caller)
        found = _met(asked.serving, app, unmet) if unmet else {}
        return [_known(one, found) or _read(asked, objects, body) for one, body in zip(wishes, bodies, strict=True)]


def _known(wish: "Wish | Unmet | None", found: Mapping[str, Id]) -> Wish | None:
    """What is known of a wish once numbers were looked up; None for what must be looked up by itself."""
    if isinstance(wish, Unmet):
        return wish.by(found[wish.number]) if wish.number in found else None
    return wish


def _wish(asked: HotCall, body: KeyedPayment) -> Wish | Unmet | None:
    """None for what must be looked up."""
    made: Wish | Unmet
    try:
        made = remembered(asked.serving, asked.caller, body, outside_key(body.idempotency_key))
    except Unmet as unmet:
        made = unmet
    except (Forgotten, Problem):
        return None
    try:
        if shown(asked.caller, body):
            asked.serving.guesses.allowed(asked.key.prefix)
    except Problem as stopped:
        return stopped
    return made


def _read(asked: HotCall, objects: Objects, body: KeyedPayment) -> Wish:
    """A card that is there was no wrong guess; whether a code was one turns out when it is decided."""
    try:
        if body.code is not None:
            asked.serving.guesses.begin(asked.key.prefix)
        with asked.serving.guesses.one(asked.key.prefix, body.code is None and shown(asked.caller, body)):
            key = outside_key(body.idempotency_key)
            return _looked_up(asked.serving, objects, asked.caller, body, key)
    except Problem as problem:
        return problem


def _looked_up(serving: Serving, objects: Objects, caller: Caller, body: PaymentBody, key: str) -> tuple[Kind, Pay]:
    kind, command = command_of(objects, caller, body, key)
    serving.memory.learn(objects.catalogue, command.number, command.card)
    return kind, command


def command_of(objects: Objects, caller: Caller, body: PaymentBody, key: str) -> tuple[Kind, Pay]:
    """The command that a body asks for. Raises `Problem`."""
    if sum(one is not None for one in (body.card, body.code, body.wallet)) != 1:
        raise Problem(REQUEST_INVALID, {"where": "card, code, wallet"})
    shown = objects.payer(body.code) if body.code is not None else None
    wallet = shown.wallet if shown else objects.wallet(body.wallet) if body.wallet is not None else None
    merchant = objects.any_merchant(body.merchant) if caller.role is Role.HOLDER else objects.merchant(body.merchant)
    card, number = objects.shown_card(body.card) if body.card is not None else (None, None)
    made = (Pay if body.capture else Authorize)(
        key=key,
        caller=caller,
        card=card,
        number=number,
        wallet=wallet,
        code=shown.code if shown else None,
        merchant=merchant,
        store=objects.store(body.store, merchant),
        amount=Money(body.amount_fen),
        order_no=body.order_no,
        vouchers=tuple(objects.named_voucher(text) for text in body.vouchers),
        outside=Money(body.outside_fen),
        lines=tuple(Line(one.goods, Money(one.amount_fen)) for one in body.lines),
    )
    return (Kind.PAY if body.capture else Kind.AUTHORIZE), made
