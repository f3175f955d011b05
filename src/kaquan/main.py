"""Assembly: the only place that wires capabilities together."""

import gc
from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg

from kaquan.accounting import service as accounting
from kaquan.approvals import service as approvals
from kaquan.cards.service import CardHandler
from kaquan.casework import service as casework
from kaquan.commands.execute import Door
from kaquan.commands.handler import Handler
from kaquan.commands.model import Kind
from kaquan.custody import service as custody
from kaquan.draws import service as draws
from kaquan.funders import service as funders
from kaquan.holders.service import HolderHandler, IdentifyHandler, Sealer
from kaquan.identity import service as identity
from kaquan.kernel.calendar import Calendar
from kaquan.merchants.service import BankHandler, ReferenceHandler
from kaquan.payment_codes import service as payment_codes
from kaquan.payments import service as payments
from kaquan.payouts import service as payouts
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs import service as programs
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.enrolment import EnrolmentHandler
from kaquan.reporting import service as reporting
from kaquan.rewards import service as rewards
from kaquan.sales import closing_service as closings
from kaquan.sales import leaving_service as leaving
from kaquan.sales.service import SellHandler, TopUpHandler
from kaquan.settings import Settings
from kaquan.settlement import service as settlement
from kaquan.stocks import service as stocks
from kaquan.vouchers import service as vouchers
from kaquan.webhooks import service as webhooks
from kaquan.webhooks.model import Reach

CAREFUL = Reach()
"""Webhooks go to public addresses over https."""


class Kaquan:
    """One connection's view of an installation: the door, and a handler for every kind of command.

    Not shared between threads. `master_key` is the installation's 32-byte root of all keys; `calendar` the business
    days that settlement goes by, our own table unless an operator has laid a newer year over it; `reach` is what
    webhooks may be sent to.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        master_key: bytes,
        lane: int = 0,
        calendar: Calendar | None = None,
        reach: Reach = CAREFUL,
    ) -> None:
        self.master = MasterKey(master_key)
        self.connection = connection
        self.catalogue = Catalogue(programs.read_catalogue)
        self.door = Door(connection, Sealer(self.master), lane)
        self.calendar = calendar or Calendar.load()
        self.reminded_on: date | None = None  # the day on which all cards were last looked at for idle ones
        self.handlers = {**_handlers(self.catalogue, self.calendar, self.master), **webhooks.handlers(reach)}

    def execute(self, kind: Kind, commands: Sequence[Any], *, dry_run: bool = False) -> list[Any]:
        """A batch of commands of one kind."""
        return self.door.execute(self.handlers[kind], commands, dry_run=dry_run)

    def one(self, kind: Kind, command: Any, *, dry_run: bool = False) -> Any:
        """One command. Raises what faults."""
        return self.door.one(self.handlers[kind], command, dry_run=dry_run)


def reach_of(settings: Settings) -> Reach:
    """What an installation's webhooks may be sent to."""
    return Reach(settings.webhooks_allow_http, settings.webhooks_allow_private)


def collect_rarely() -> None:
    """Let Python look for cycles rarely: for a process that executes batch after batch.

    A batch leaves some hundred thousand objects, hardly any of them in a cycle; at Python's own thresholds the search
    takes a seventh of a payment's time (docs/benchmarks.md). What stands at the call is never searched again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _handlers(catalogue: Catalogue, calendar: Calendar, master: MasterKey) -> dict[Kind, Handler]:
    reference = (Kind.REGISTER_ORGANISATION, Kind.REGISTER_MERCHANT, Kind.REGISTER_STORE)
    cards = (Kind.FREEZE, Kind.UNFREEZE, Kind.REPORT_LOST, Kind.REPLACE)
    return {
        **{kind: ReferenceHandler(kind) for kind in reference},
        **identity.handlers(),
        **approvals.handlers(),
        **programs.handlers(catalogue),
        **{kind: BankHandler(kind) for kind in (Kind.BIND_BANK_ACCOUNT, Kind.VERIFY_BANK_ACCOUNT)},
        **{kind: EnrolmentHandler(kind, catalogue) for kind in (Kind.ENROL_MERCHANT, Kind.SUSPEND_MERCHANT)},
        Kind.REGISTER_HOLDER: HolderHandler(Kind.REGISTER_HOLDER),
        Kind.IDENTIFY_HOLDER: IdentifyHandler(Kind.IDENTIFY_HOLDER),
        Kind.SELL: SellHandler(Kind.SELL, catalogue),
        Kind.TOP_UP: TopUpHandler(Kind.TOP_UP, catalogue),
        **{kind: CardHandler(kind) for kind in cards},
        **funders.handlers(catalogue),
        **stocks.handlers(catalogue),
        **vouchers.handlers(catalogue),
        **draws.handlers(catalogue),
        **rewards.handlers(catalogue, master),
        **closings.handlers(catalogue, calendar),
        **leaving.handlers(catalogue),
        **payment_codes.handlers(),
        **payments.handlers(catalogue, master),
        **settlement.handlers(catalogue, calendar),
        **reporting.handlers(catalogue),
        **accounting.handlers(),
        **custody.handlers(catalogue),
        **payouts.handlers(catalogue, master),
        **casework.handlers(catalogue, calendar),
    }
