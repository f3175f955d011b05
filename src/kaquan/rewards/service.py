"""Rewards for everybody else: the handlers of plans, referrals and packets, look-ups, what is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.cards.model import Wanted
from kaquan.commands.handler import Handler
from kaquan.commands.model import Effect, Entry, Kind, Plan, Routed
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.subject_keys import MasterKey, seal, unseal
from kaquan.programs.catalogue import Catalogue, Stock
from kaquan.quotas import tokens
from kaquan.quotas.model import IN_ALL, SliceKey, TallyKey, slice_keys
from kaquan.rewards import errors, packets, plans, referrals, store
from kaquan.rewards.gifts import given_id
from kaquan.rewards.invite_codes import read_code
from kaquan.rewards.packet_model import OpenPackets, PacketFacts, PacketPool, Packets
from kaquan.rewards.plan_model import PlanFacts
from kaquan.rewards.referral_model import FollowReferral, ReferralFacts, invitation_id
from kaquan.vouchers.claims import wanted_pools
from kaquan.vouchers.errors import CLAIM_TAKEN_OVER
from kaquan.vouchers.limits import refusal_of
from kaquan.vouchers.model import SpendingFacts
from kaquan.vouchers.orders import day_number
from kaquan.vouchers.service import claimants, load_facts

POOLS_KNOWN_MAX = 16
"""Pools whose packets a handler keeps in the clear: of a million packets each has four megabytes."""

plan = store.plan
plans_of = store.plans_of
plans_due = store.plans_due
running_plans = store.running_plans
referral = store.referral
referral_of = store.referral_of
invitations_of = store.invitations_of
referrals_to_earn = store.referrals_to_earn
referrals_to_pay = store.referrals_to_pay
referrals_to_follow = store.referrals_to_follow
pool = store.pool
pool_left = store.pool_left
pools_of = store.pools_of
pools_due = store.pools_due
packet = store.packet


class PlanHandler(Handler):
    """A month of a plan is granted; a plan is cancelled."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> PlanFacts:
        """Plans; of those to be cancelled also what is left of their stocks and funds."""
        known = store.plans(cursor.connection, [entry.command.plan for entry in entries], lock=lock)
        wanted = Wanted()
        if self.kind is Kind.CANCEL_PLAN:
            stocks = [self._catalogue.stock(one.terms, one.stock) for one in known.values()]
            wanted.slices = {key for stock in stocks for key in wanted_pools(stock, at)}
        return PlanFacts(**_fields(load_facts(cursor, entries, wanted, lock)), plans=known)

    def decide(self, entry: Entry, facts: PlanFacts, at: datetime) -> Plan | Refusal:
        """See `rewards.plans`."""
        return plans.decide(entry, facts, self._catalogue, at)


class AcceptHandler(Handler):
    """Invitations that are accepted."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """Take the tokens of persons, devices and payment accounts, for those who could accept."""
        facts = self.load(cursor, entries, {}, False, at)
        meant = [
            entry
            for entry in entries
            if entry.id not in facts.commands
            and isinstance(referrals.decide_accept(entry, facts, self._catalogue, at), Plan)
        ]
        people = claimants(cursor, meant) if meant else {}
        wants = [
            want
            for entry in meant
            if entry.id in people
            for want in referrals.wanted_tokens(
                entry, people[entry.id], self._catalogue.programs[entry.command.program]
            )
        ]
        lost = tokens.take(cursor, wants, at, CLAIM_TAKEN_OVER.code, dry_run=dry_run) if wants else []
        return {one.want.command: refusal_of(one, Refusal(errors.INVITE_USED)) for one in lost}

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ReferralFacts:
        """Invitees and inviters, and whether the invitees are new."""
        connection, wallets = cursor.connection, {entry.command.wallet for entry in entries}
        inviters = {}
        for code in {entry.command.code for entry in entries}:
            named = read_code(code)
            if named is not None and (found := store.wallet_by_tail(connection, *named)) is not None:
                inviters[code] = found
        facts = load_facts(cursor, entries, Wanted(wallets={*wallets, *inviters.values()}), lock)
        kin = store.kin(connection, [facts.wallets[one] for one in wallets if one in facts.wallets])
        everyone = {each for own in kin.values() for each in own}
        return ReferralFacts(
            **_fields(facts),
            inviters=inviters,
            kin=kin,
            bought=store.first_purchases(connection, everyone),
            invited=store.invited(connection, everyone),
            routed=routed,
        )

    def decide(self, entry: Entry, facts: ReferralFacts, at: datetime) -> Plan | Refusal:
        """See `rewards.referrals`."""
        return referrals.decide_accept(entry, facts, self._catalogue, at)


class ReferralHandler(Handler):
    """What becomes of a referral, on either side."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ReferralFacts:
        """Referrals with both sides, their vouchers and first purchases, and what vouchers would be taken from."""
        connection, following = cursor.connection, self.kind is Kind.FOLLOW_REFERRAL
        ids = [entry.command.referral for entry in entries]
        known = store.referrals(connection, ids, lock=lock and not following)
        sides = {invitation_id(one.inviter, one.id) for one in known.values()}
        stocks = [stock for one in known.values() if (stock := self._stock(one.terms, one.code))]
        origins = sides if following else {one.id for one in known.values()}
        wanted = Wanted(vouchers={given_id(identity) for identity in origins})
        wanted.slices = {key for stock in stocks for key in wanted_pools(stock, at)}
        if self.kind is Kind.PAY_REFERRAL:
            wanted.wallets = {side for one in known.values() for side in (one.wallet, one.inviter)}
        if following:
            wanted.wallets = {entry.command.inviter for entry in entries}
            rules = [(referrals.PAID_RULE + stock.id, day) for stock in stocks for day in (IN_ALL, day_number(at))]
            wanted.tallies = {TallyKey(wallet, *rule) for wallet in wanted.wallets for rule in rules}
        facts = load_facts(cursor, entries, wanted, lock)
        invitees = {one.wallet for one in known.values()}
        paying = self.kind is Kind.PAY_REFERRAL
        kin = store.kin(connection, [facts.wallets[one] for one in invitees]) if paying else {}
        everyone = invitees.union(*kin.values())
        return ReferralFacts(
            **_fields(facts),
            referrals=known,
            invitations=store.invitations(connection, sides, lock=lock and following),
            kin=kin,
            bought=store.first_purchases(connection, everyone),
            invited=store.invited(connection, everyone) if paying else {},
        )

    def _stock(self, terms: int, code: str) -> Stock | None:
        """The stock that this side's vouchers are taken from."""
        known = self._catalogue.terms[terms]
        rules = referrals.terms_of(known, code)
        if rules is None:
            return None
        named = rules.inviter_stock if self.kind is Kind.FOLLOW_REFERRAL else rules.invitee_stock
        return self._catalogue.stock_by_code(known.terms.program.code, named)

    def decide(self, entry: Entry, facts: ReferralFacts, at: datetime) -> Plan | Refusal:
        """See `rewards.referrals`."""
        if self.kind is Kind.FOLLOW_REFERRAL:
            return referrals.decide_follow(entry, facts, self._catalogue, at)
        return referrals.decide(entry, facts, self._catalogue, at)


class PacketHandler(Handler):
    """Pools of packets are opened and ended, packets are taken."""

    def __init__(self, kind: Kind, catalogue: Catalogue, master: MasterKey) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue
        self._cipher = AESGCM(master.derive("packets"))
        self._known: dict[bytes, Packets] = {}

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """Take the tokens of the packets that a person may open a day."""
        if self.kind is not Kind.OPEN_PACKET:
            return {}
        pools = store.pools(cursor.connection, [entry.command.pool for entry in entries], lock=False)
        people = claimants(cursor, entries)
        wants = [
            want
            for entry in entries
            if entry.id in people and (one := pools.get(entry.command.pool)) is not None
            for want in packets.wanted_tokens(entry, one, people[entry.id], self._catalogue, at)
        ]
        lost = tokens.take(cursor, wants, at, CLAIM_TAKEN_OVER.code, dry_run=dry_run) if wants else []
        return {
            one.want.command: refusal_of(one, Refusal(errors.PACKETS_PERSON_DAY, {"limit": one.want.most}))
            for one in lost
        }

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> PacketFacts:
        """Pools with their packets, wallets, and what is left."""
        if self.kind is Kind.OPEN_PACKETS:
            return self._before(cursor, entries, lock, at)
        ending = self.kind is Kind.END_PACKETS
        pools = store.pools(cursor.connection, [entry.command.pool for entry in entries], lock=lock and ending)
        slices = {key for identity in pools for key in slice_keys(identity)}
        if ending:
            slices.update(key for one in pools.values() for key in self._pools_of(one, at))
        wallets = () if ending else {entry.command.wallet for entry in entries}
        facts = load_facts(cursor, entries, Wanted(wallets=wallets, slices=slices), lock)
        opened = {identity: self._packets(cursor.connection, one) for identity, one in pools.items()}
        return PacketFacts(**_fields(facts), pools=pools, packets=opened, routed=routed)

    def _before(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], lock: bool, at: datetime) -> PacketFacts:
        found = [packets.terms_of(entry.command, self._catalogue) for entry in entries]
        stocks = [one[1] for one in found if isinstance(one, tuple) and one[1] is not None]
        slices = {key for stock in stocks for key in wanted_pools(stock, at)}
        facts = load_facts(cursor, entries, Wanted(slices=slices), lock)
        open_now = store.open_codes(cursor.connection, [entry.id for entry in entries])
        return PacketFacts(**_fields(facts), open_codes=open_now)

    def _pools_of(self, one: PacketPool, at: datetime) -> list[SliceKey]:
        return wanted_pools(self._catalogue.stock(one.terms, one.stock), at)

    def _packets(self, connection: psycopg.Connection[Any], one: PacketPool) -> Packets:
        known = self._known.get(one.id)
        if known is None:
            stored = unseal(self._cipher, store.sealed(connection, one.id), one.id)
            if len(self._known) >= POOLS_KNOWN_MAX:
                self._known.clear()
            known = self._known[one.id] = packets.opened(stored)
        return known

    def _seal(self, identity: Id, plain: bytes) -> bytes:
        return seal(self._cipher, plain, identity)

    def decide(self, entry: Entry, facts: PacketFacts, at: datetime) -> Plan | Refusal:
        """See `rewards.packets`."""
        if isinstance(entry.command, OpenPackets):
            return packets.decide_open(entry, facts, self._catalogue, self._seal, at)
        if self.kind is Kind.END_PACKETS:
            return packets.decide_end(entry, facts, self._catalogue, at)
        return packets.decide_take(entry, facts, self._catalogue, at)


def following(connection: psycopg.Connection[Any], done: Effect) -> FollowReferral | None:
    """What lets the inviter's side follow an effect on the invitee's, under a key of its own."""
    found = store.referral(connection, Id(bytes.fromhex(done.facts["referral"])))
    if found is None:
        return None
    inviter, key = Id(found.inviter.bytes), f"follow-{found.state}-{done.id.hex()}"
    return FollowReferral(key=key, caller=SYSTEM, inviter=inviter, referral=Id(found.id.bytes))


def find_pool(connection: psycopg.Connection[Any], program: int, code: str) -> Id | None:
    """The latest pool of a program's code, or None."""
    found = next((one for one in store.pools_of(connection, program) if one.code == code), None)
    return None if found is None else Id(found.id.bytes)


def handlers(catalogue: Catalogue, master: MasterKey) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    plan_kinds = (Kind.GRANT_DRIP, Kind.CANCEL_PLAN)
    referral_kinds = (Kind.EARN_REFERRAL, Kind.PAY_REFERRAL, Kind.UNDO_REFERRAL, Kind.FOLLOW_REFERRAL)
    packet_kinds = (Kind.OPEN_PACKETS, Kind.OPEN_PACKET, Kind.END_PACKETS)
    return {
        **{kind: PlanHandler(kind, catalogue) for kind in plan_kinds},
        Kind.ACCEPT_INVITE: AcceptHandler(Kind.ACCEPT_INVITE, catalogue),
        **{kind: ReferralHandler(kind, catalogue) for kind in referral_kinds},
        **{kind: PacketHandler(kind, catalogue, master) for kind in packet_kinds},
    }


def _fields(facts: SpendingFacts) -> dict[str, Any]:
    """Facts for facts that hold more."""
    names = ("commands", "cards", "lots", "vouchers", "wallets", "quotas")
    return {name: getattr(facts, name) for name in names}
