"""Objects by the names that callers give them, if they are the caller's.

A look-up ends in `_own` or `kept`: what is unknown and what is another's get the same answer. Open on purpose are
those that say so: what is shown at a till (`shown_card`, `named_voucher`, `payer`), a wallet whose id one was told
(`customer`, `receiver`), and what everybody may see (`any_merchant`, `any_program`).
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from kaquan.api.authorization import Owners, keeps, reaches
from kaquan.api.errors import NOT_FOUND
from kaquan.api.problems import Problem
from kaquan.api.serving import up_to_date
from kaquan.cards import service as cards
from kaquan.cards.numbers import typed_number
from kaquan.draws import service as draws
from kaquan.draws.model import Draw
from kaquan.kernel import ids
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import Id, IdError
from kaquan.kernel.refusal import Refusal
from kaquan.main import Kaquan
from kaquan.payment_codes.rules import invalid
from kaquan.payment_codes.service import Payer, payer
from kaquan.payments import service as payments
from kaquan.programs import service as programs
from kaquan.programs.catalogue import Catalogue, Fund, Stock, Terms
from kaquan.programs.model import Life
from kaquan.reporting import service as reporting
from kaquan.reporting.model import PartyKind, Stored
from kaquan.rewards import service as rewards
from kaquan.sales import closing_service as closings
from kaquan.settlement import service as settlements
from kaquan.vouchers import service as vouchers

SHOWN_CARDS = frozenset({Role.MERCHANT, Role.CASHIER})
"""Who may pay with a card that is shown to them, by its number, and reaches no card by its id."""


class Objects:
    """Look-ups for one caller. They raise the `Problem` `not_found`; `payer` the one answer for codes."""

    def __init__(self, app: Kaquan, caller: Caller) -> None:
        self._app = app
        self._caller = caller

    @cached_property
    def catalogue(self) -> Catalogue:
        """Programs, merchants and stores as they are now."""
        return up_to_date(self._app)

    def issuers(self, programs: Iterable[str]) -> frozenset[int]:
        """The organisations that issue these programs."""
        found = (self.catalogue.program(code) for code in programs)
        issuers = (terms.terms.program.issuer for terms in found if terms is not None)
        return frozenset(
            self.catalogue.organisations[code][0] for code in issuers if code in self.catalogue.organisations
        )

    def card(self, text: str) -> Id:
        """The caller's card, by its id or number."""
        card = cards.find(self._app.connection, text)
        found = cards.view(self._app.connection, card) if card is not None else None
        if card is None or found is None:
            raise Problem(NOT_FOUND)
        row = found.card
        self._own(Owners(wallet=Id(row.wallet.bytes), issuers=self.issuers([row.program])))
        return card

    def shown_card(self, text: str) -> tuple[Id, str | None]:
        """The card that somebody shows at a till: by number for merchants, who own no card; else the caller's. With
        the number that was shown, if one was."""
        number = typed_number(text)
        if self._caller.role not in SHOWN_CARDS:
            return self.card(text), number
        card = None if text.startswith("crd_") else cards.find(self._app.connection, text)
        if card is None:
            raise Problem(NOT_FOUND)
        return card, number

    def payer(self, code: str) -> Payer:
        """Whose wallet a payment code names. Whether it counts is judged when the payment is."""
        found = payer(self._app.connection, code)
        if isinstance(found, Refusal):
            raise Problem.of(found)
        if not self._caller.reaches_wallet(found.wallet):
            raise Problem.of(invalid())  # a holder who photographed another's phone
        return found

    def wallet(self, text: str) -> Id:
        """The caller's wallet: an issuer's is one that has a card or voucher of its programs."""
        wallet = identity("wal", text)
        programs: list[str] = []
        if self._caller.role is Role.ISSUER:
            connection, terms = self._app.connection, self.catalogue.terms
            programs = [one.program for one in cards.of_wallet(connection, wallet)]
            programs += [
                terms[one.terms].terms.program.code for one in vouchers.of_wallet(connection, wallet, every=True)
            ]
        self._own(Owners(wallet=wallet, issuers=self.issuers(programs)))
        return wallet

    def customer(self, text: str) -> Id:
        """A wallet that something is sold or given to. Who was told its id may do that; a holder only to her own."""
        wallet = identity("wal", text)
        if self._caller.role is Role.HOLDER:
            self._own(Owners(wallet=wallet))
        return wallet

    def receiver(self, text: str) -> Id:
        """A wallet that something is given to. Who was told its id may do that."""
        return identity("wal", text)

    def payment(self, text: str) -> Id:
        """The caller's payment: paid from its wallet, at its merchant, or from a card or voucher of its programs."""
        payment = identity("pay", text)
        self.owned_payment(payment)
        return payment

    def owned_payment(self, payment: Id) -> Any:
        """The payment's row, for display."""
        found = payments.payment(self._app.connection, payment)
        if found is None:
            raise Problem(NOT_FOUND)
        program = self.catalogue.terms[found.terms].terms.program.code
        self._own(
            Owners(wallet=Id(found.wallet.bytes), merchant=Id(found.merchant.bytes), issuers=self.issuers([program]))
        )
        return found

    def voucher(self, text: str) -> Id:
        """The caller's voucher."""
        voucher = identity("vch", text)
        found = vouchers.view(self._app.connection, voucher)
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(wallet=Id(found.wallet.bytes), issuers=self.issuers([found.program])))
        return voucher

    def named_voucher(self, text: str) -> Id:
        """A voucher that somebody shows at a till; elsewhere the caller's. The payment asks whose it is."""
        return identity("vch", text) if self._caller.role in SHOWN_CARDS else self.voucher(text)

    def merchant(self, text: str) -> Id:
        """The caller's merchant, by code or id."""
        merchant = self.any_merchant(text)
        issuers = self._accepted_by(merchant) if self._caller.role is Role.ISSUER else frozenset[int]()
        self._own(Owners(merchant=merchant, issuers=issuers))
        return merchant

    def any_merchant(self, text: str) -> Id:
        """A merchant, by code or id."""
        found = self.catalogue.merchant_codes.get(text) or identity("mer", text)
        if found not in self.catalogue.merchants:
            raise Problem(NOT_FOUND)
        return found

    def _accepted_by(self, merchant: Id) -> frozenset[int]:
        known = self.catalogue.merchants[merchant]
        return self.issuers(
            terms.terms.program.code for terms in self.catalogue.latest.values() if terms.accepts(known)
        )

    def store(self, code: str | None, merchant: Id) -> Id | None:
        """A store of the merchant; None for none."""
        if code is None:
            return None
        found = self.catalogue.stores.get(code)
        if found is None or found[1] != merchant:
            raise Problem(NOT_FOUND)
        return found[0]

    def program(self, code: str) -> Terms:
        """A program that the caller's organisation issues."""
        found = self.any_program(code)
        self._own(Owners(issuers=self.issuers([code])))
        return found

    def any_program(self, code: str) -> Terms:
        """A program by its code: what it sells and where is everybody's to see."""
        found = self.catalogue.program(code)
        if found is None:
            raise Problem(NOT_FOUND)
        return found

    def claimable(self, code: str) -> Terms:
        """A program whose vouchers the caller may have handed out: its own, any to a holder."""
        return self.any_program(code) if self._caller.role is Role.HOLDER else self.program(code)

    def stock(self, program: str, code: str) -> Stock:
        """An opened stock of a program of the caller's."""
        self.program(program)
        found = self.catalogue.stock_by_code(program, code)
        if found is None:
            raise Problem(NOT_FOUND)
        return found

    def fund(self, code: str) -> Fund:
        """The caller's fund: its own organisation's, or one that its programs draw on."""
        found = self.catalogue.funds.get(code)
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(funders=frozenset({found.organisation}), issuers=self._fed_by(found)))
        return found

    def _fed_by(self, fund: Fund) -> frozenset[int]:
        return frozenset(
            number for number, book in self.catalogue.organisations.values() if book is not None and book == fund.book
        )

    def organisation(self, code: str) -> int:
        """The caller's organisation, by its code."""
        found = self.catalogue.organisations.get(code)
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(issuers=frozenset({found[0]}), funders=frozenset({found[0]})))
        return found[0]

    def life(self, code: str) -> Life:
        """A program of the caller's organisation, which may be a draft."""
        found = programs.lives(self._app.connection).get(code)
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(issuers=frozenset({found.issuer})))
        return found

    def funded_program(self, code: str) -> Terms:
        """A program that the caller's organisation issues, or gives money for."""
        found = self.any_program(code)
        funds = (self.catalogue.funds.get(one.fund) for one in found.terms.funding)
        funders = frozenset(one.organisation for one in funds if one is not None)
        self._own(Owners(issuers=self.issuers([code]), funders=funders))
        return found

    def funded_stock(self, program: str, code: str) -> Stock:
        """An opened stock of a program of the caller's, or one that its funds pay for."""
        self.any_program(program)
        found = self.catalogue.stock_by_code(program, code)
        if found is None:
            raise Problem(NOT_FOUND)
        funders = frozenset(share.fund.organisation for share in found.funding if share.fund is not None)
        self._own(Owners(issuers=self.issuers([program]), funders=funders))
        return found

    def code_batch(self, text: str) -> Any:
        """A batch of codes for a stock of the caller's: its row."""
        found = vouchers.code_batch(self._app.connection, identity("cbt", text))
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(issuers=self.issuers([found.program])))
        return found

    def draw(self, text: str) -> Draw:
        """A draw of a stock of the caller's."""
        found = self.any_draw(text)
        stock = self.catalogue.stock_now(found.stock)
        self._own(Owners(issuers=self.issuers([stock.terms.terms.program.code] if stock else [])))
        return found

    def any_draw(self, text: str) -> Draw:
        """A draw: what is published of it is everybody's to see, and any holder may enter."""
        draw = identity("drw", text)
        found = draws.find(self._app.connection, [draw]).get(draw)
        if found is None:
            raise Problem(NOT_FOUND)
        return found

    def pool(self, text: str) -> Any:
        """A pool of packets of a program of the caller's: its row."""
        found = self.any_pool(text)
        self._own(Owners(issuers=self.issuers([found.program])))
        return found

    def any_pool(self, text: str) -> Any:
        """A pool of packets: what is published of it is everybody's to see, and any holder may take one."""
        found = rewards.pool(self._app.connection, identity("pol", text))
        if found is None:
            raise Problem(NOT_FOUND)
        return found

    def packet(self, text: str) -> tuple[Any, Any]:
        """The caller's packet, with its pool: their rows."""
        found = rewards.packet(self._app.connection, identity("pkt", text))
        pool = rewards.pool(self._app.connection, Id(found.pool.bytes)) if found is not None else None
        if found is None or pool is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(wallet=Id(found.wallet.bytes), issuers=self.issuers([pool.program])))
        return found, pool

    def plan(self, text: str) -> Any:
        """The caller's monthly plan: its row."""
        found = rewards.plan(self._app.connection, identity("pln", text))
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(wallet=Id(found.wallet.bytes), issuers=self.issuers([found.program])))
        return found

    def closing(self, text: str) -> Any:
        """The caller's request to return a card: its row."""
        found = closings.closing(self._app.connection, identity("cls", text))
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(wallet=Id(found.wallet.bytes), issuers=self.issuers([found.program_code])))
        return found

    def purchase(self, text: str) -> Id:
        """A sale or top-up that is named beside its card: whether it is one of that card the command finds out."""
        return identity("trf", text)

    def referral(self, text: str) -> Any:
        """A referral of a program of the caller's: its row. It names both wallets, so it is neither's to see."""
        found = rewards.referral(self._app.connection, identity("ref", text))
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(issuers=self.issuers([found.program])))
        return found

    def settlement(self, text: str) -> Any:
        """The caller's settlement: its merchant's, or of a program that it issues. Its row."""
        found = settlements.settlement(self._app.connection, identity("stl", text))
        if found is None:
            raise Problem(NOT_FOUND)
        self._own(Owners(merchant=Id(found.merchant.bytes), issuers=self.issuers([found.program])))
        return found

    def statement(self, text: str) -> Stored:
        """The caller's statement: its merchant's, its organisation's fund's, or its wallet's."""
        found = reporting.statement_by_id(self._app.connection, identity("stm", text))
        if found is None:
            raise Problem(NOT_FOUND)
        match found.kind:
            case PartyKind.MERCHANT:
                owners = Owners(merchant=found.subject)
            case PartyKind.FUNDER:
                owners = Owners(funders=frozenset({self.catalogue.funds_by_id[found.subject].organisation}))
            case PartyKind.HOLDER:
                owners = Owners(wallet=found.subject)
        self._own(owners)
        return found

    def kept(self, organisation: int, merchant: Id | None = None) -> None:
        """Raises `Problem` unless what an organisation keeps for itself is the caller's."""
        if not keeps(self._caller, organisation, merchant):
            raise Problem(NOT_FOUND)

    def _own(self, owners: Owners) -> None:
        if not reaches(self._caller, owners):
            raise Problem(NOT_FOUND)


def identity(prefix: str, text: str) -> Id:
    """A public id, read. Raises `Problem`: what can't be an id names nothing."""
    try:
        return ids.parse(prefix, text)
    except IdError:
        raise Problem(NOT_FOUND) from None
