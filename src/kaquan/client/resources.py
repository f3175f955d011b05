"""The resources of the interface as attributes of a client: each method is one operation."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from kaquan.client.answers import Answer, Card, Fen, Holder, NewPayment, Quote, Voucher, read
from kaquan.client.errors import Unknown
from kaquan.client.keys import new_key
from kaquan.client.retries import Patience
from kaquan.client.transport import Request

Read = TypeVar("Read", bound=Answer)


class Calls(Protocol):
    """What a resource needs of its client."""

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        dry_run: bool = False,
        reads: bool = False,
    ) -> dict[str, Any]:
        """See `Client.call`."""

    def patience(self) -> Patience:
        """See `Client.patience`."""

    def send(self, request: Request, patience: Patience) -> dict[str, Any]:
        """See `Client.send`."""


class Resource:
    """Operations on one kind of object."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def _look(self, path: str, kind: type[Read], query: Mapping[str, str] | None = None) -> Read:
        return understood(self._calls.call("GET", path, query=query), kind)

    def _act(self, path: str, kind: type[Read], body: Mapping[str, Any], key: str | None, dry_run: bool) -> Read:
        sent = {name: given for name, given in body.items() if given is not None}
        key = key or new_key()
        return understood(self._calls.call("POST", path, sent, key=key, dry_run=dry_run), kind, key)


class Quotes(Resource):
    """试算 Quotes: nothing is taken."""

    def create(self, order: NewPayment) -> Quote:
        """What the order would cost, which vouchers save most and why. Raises as `Client.call`."""
        return understood(self._calls.call("POST", "/v1/quotes", order.body(), reads=True), Quote)


class Claims(Resource):
    """领券 Claims."""

    def create(
        self,
        wallet: str,
        program: str,
        stock: str,
        *,
        device: str | None = None,
        payee: str | None = None,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Voucher:
        """A voucher of a stock for a wallet. `device` and `payee` count towards the stock's limits."""
        body = {"wallet": wallet, "program": program, "stock": stock, "device": device, "payee": payee}
        return self._act("/v1/claims", Voucher, body, key, dry_run)


class Cards(Resource):
    """卡 Cards, by `crd_…` or number."""

    def sell(
        self,
        wallet: str,
        program: str,
        face_fen: Fen,
        *,
        channel: str | None = None,
        vouchers: Sequence[str] = (),
        key: str | None = None,
        dry_run: bool = False,
    ) -> Card:
        """Sell one of the program's offers to a holder."""
        body = {"wallet": wallet, "program": program, "face_fen": face_fen, "channel": channel}
        return self._act("/v1/cards", Card, {**body, "vouchers": list(vouchers)}, key, dry_run)

    def show(self, card: str) -> Card:
        """State, balance, lots (in `facts`)."""
        return self._look(f"/v1/cards/{segment(card)}", Card)

    def top_up(
        self,
        card: str,
        face_fen: Fen = 0,
        *,
        channel: str | None = None,
        vouchers: Sequence[str] = (),
        key: str | None = None,
        dry_run: bool = False,
    ) -> Card:
        """Add an offer, what top-up vouchers are worth, or both."""
        body = {"face_fen": face_fen, "channel": channel, "vouchers": list(vouchers)}
        return self._act(f"/v1/cards/{segment(card)}/top-ups", Card, body, key, dry_run)

    def freeze(self, card: str, reason: str, *, key: str | None = None, dry_run: bool = False) -> Card:
        """The card can't pay until it is unfrozen."""
        return self._act(f"/v1/cards/{segment(card)}/freeze", Card, {"reason": reason}, key, dry_run)

    def unfreeze(self, card: str, reason: str, *, key: str | None = None, dry_run: bool = False) -> Card:
        """The card can pay again."""
        return self._act(f"/v1/cards/{segment(card)}/unfreeze", Card, {"reason": reason}, key, dry_run)

    def report_lost(self, card: str, *, key: str | None = None, dry_run: bool = False) -> Card:
        """A registered card stops paying at once."""
        return self._act(f"/v1/cards/{segment(card)}/report-lost", Card, {}, key, dry_run)

    def replace(self, card: str, *, key: str | None = None, dry_run: bool = False) -> Card:
        """A new number for a lost card; balance and history stay."""
        return self._act(f"/v1/cards/{segment(card)}/replace", Card, {}, key, dry_run)


class Holders(Resource):
    """持卡人 Holders. Personal data is sent in bodies only, and comes into no answer, repr or error."""

    def register(
        self,
        *,
        name: str | None = None,
        phone: str | None = None,
        id_number: str | None = None,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Holder:
        """Open a wallet; an anonymous one when nothing is told."""
        return self._act("/v1/holders", Holder, {"name": name, "phone": phone, "id_number": id_number}, key, dry_run)

    def identify(
        self, wallet: str, *, name: str, id_number: str, key: str | None = None, dry_run: bool = False
    ) -> Holder:
        """Put on record who holds a wallet that was opened without an identity number."""
        body = {"name": name, "id_number": id_number}
        return self._act(f"/v1/holders/{segment(wallet)}/identity", Holder, body, key, dry_run)

    def find(self, phone: str) -> Holder:
        """The wallet of a phone number. Raises `NotFound` when there is none."""
        return understood(self._calls.call("POST", "/v1/holders/search", {"phone": phone}, reads=True), Holder)

    def cards(self, wallet: str) -> list[Card]:
        """A holder's cards."""
        listed = self._calls.call("GET", f"/v1/wallets/{segment(wallet)}/cards")
        return [understood(one, Card) for one in listed["items"]]

    def vouchers(self, wallet: str, *, every: bool = False) -> list[Voucher]:
        """A holder's vouchers; with `every` also those used, expired or voided."""
        query = {"every": "true"} if every else {}
        listed = self._calls.call("GET", f"/v1/wallets/{segment(wallet)}/vouchers", query=query)
        return [understood(one, Voucher) for one in listed["items"]]


class Vouchers(Resource):
    """券 Vouchers, by `vch_…`."""

    def issue(
        self, wallet: str, program: str, stock: str, reason: str, *, key: str | None = None, dry_run: bool = False
    ) -> Voucher:
        """Give a holder a voucher, for a reason."""
        body = {"wallet": wallet, "program": program, "stock": stock, "reason": reason}
        return self._act("/v1/vouchers", Voucher, body, key, dry_run)

    def show(self, voucher: str) -> Voucher:
        """State, face, dates."""
        return self._look(f"/v1/vouchers/{segment(voucher)}", Voucher)

    def reserve(
        self,
        voucher: str,
        merchant: str,
        order_no: str,
        *,
        minutes: int = 15,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Voucher:
        """Keep a voucher for an order: that order takes it back."""
        body = {"merchant": merchant, "order_no": order_no, "minutes": minutes}
        return self._act(f"/v1/vouchers/{segment(voucher)}/reserve", Voucher, body, key, dry_run)

    def release(
        self, voucher: str, merchant: str, order_no: str, *, key: str | None = None, dry_run: bool = False
    ) -> Voucher:
        """Give up an order's reservation."""
        body = {"merchant": merchant, "order_no": order_no}
        return self._act(f"/v1/vouchers/{segment(voucher)}/release", Voucher, body, key, dry_run)

    def void(self, voucher: str, reason: str, *, key: str | None = None, dry_run: bool = False) -> Voucher:
        """Void: what was promised for it is its funders' again."""
        return self._act(f"/v1/vouchers/{segment(voucher)}/void", Voucher, {"reason": reason}, key, dry_run)


def understood(document: Mapping[str, Any], kind: type[Read], key: str | None = None) -> Read:
    """A document as a struct. Raises `Unknown` when it is not as this version of the SDK expects it."""
    try:
        return read(document, kind, **({"key": key} if key else {}))
    except msgspec.ValidationError as wrong:
        told = f"the answer is not as this version of the SDK expects a {kind.__name__}: {wrong}"
    raise Unknown(told, key=key)


def segment(text: str) -> str:
    """One step of a path. Raises `ValueError` for a text that would be another step."""
    if not text or text in (".", ".."):
        raise ValueError("an id is not empty")
    return quote(text, safe="")
