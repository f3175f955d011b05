"""Vouchers for everybody else: their facts, the handlers of their own commands, look-ups, what is due."""

import hmac
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs.catalogue import Catalogue
from kaquan.vouchers import codes, rules, store
from kaquan.vouchers.claiming import ClaimHandler, CodeClaimHandler, IssueHandler
from kaquan.vouchers.codes import AddCodes, CodeFacts
from kaquan.vouchers.model import SpendingFacts

claimants = store.claimants
load_facts = store.load_facts
voucher_rows = store.voucher_rows
of_wallet = store.of_wallet
view = store.view
vouchers_due = store.vouchers_due
claimants = store.claimants
code_batch = store.code_batch
code_batches_of = store.code_batches_of
code_counts = store.code_counts


def code_key(master: MasterKey) -> bytes:
    """The key under which codes are kept (`codes.digest`)."""
    return master.derive("voucher-code")


def outside_digest(master: MasterKey, kind: str, text: str) -> bytes:
    """What stands for a device or payment account in a claim: a keyed digest of how it is called outside."""
    return hmac.digest(master.derive(f"claim-{kind}"), text.encode("utf-8", "surrogatepass"), "sha256")[:16]


def wanted_wallets(wallets: Collection[Id]) -> Wanted:
    """Wallets, and nothing else of what a wallet's own commands are decided on."""
    return Wanted(wallets=wallets)


class VoucherHandler(Handler):
    """Whatever happens to a voucher that somebody has: reserve, release, void, expire."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> SpendingFacts:
        """The vouchers."""
        return store.load_facts(cursor, entries, Wanted(vouchers={entry.command.voucher for entry in entries}), lock)

    def decide(self, entry: Entry, facts: SpendingFacts, at: datetime) -> Plan | Refusal:
        """See `vouchers.rules`."""
        return rules.decide(entry, facts, self._catalogue, at)


class CodesHandler(Handler):
    """Codes that are brought in, opened, stopped."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> CodeFacts:
        """Which codes are known, and their batches."""
        added = [entry.command for entry in entries if isinstance(entry.command, AddCodes)]
        return store.load_codes(cursor, entries, [code for command in added for code in command.digests])

    def decide(self, entry: Entry, facts: CodeFacts, at: datetime) -> Plan | Refusal:
        """See `vouchers.codes`."""
        return codes.decide(entry, facts, self._catalogue, microseconds(at))


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    own = (Kind.VOID_VOUCHER, Kind.EXPIRE_VOUCHER, Kind.RESERVE_VOUCHER, Kind.RELEASE_VOUCHER)
    about_codes = (Kind.ADD_CODES, Kind.OPEN_CODES, Kind.STOP_CODES)
    return {
        Kind.CLAIM: ClaimHandler(Kind.CLAIM, catalogue),
        Kind.ISSUE_VOUCHER: IssueHandler(Kind.ISSUE_VOUCHER, catalogue),
        Kind.CLAIM_BY_CODE: CodeClaimHandler(Kind.CLAIM_BY_CODE, catalogue),
        **{kind: VoucherHandler(kind, catalogue) for kind in own},
        **{kind: CodesHandler(kind, catalogue) for kind in about_codes},
    }
