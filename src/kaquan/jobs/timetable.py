"""What is due at an instant, as commands. Worker and simulator both ask here.

Every key follows from what is due and, where a refusal may pass, from the business date: a timetable that runs
twice acts once, and a grant that did not fit a card today is tried again tomorrow under another key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import psycopg

from kaquan.cards import service as cards
from kaquan.commands.model import Command, Kind
from kaquan.custody import service as custody
from kaquan.funders import service as funders
from kaquan.kernel.calendar import Calendar, business_date, shanghai
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, derived_id
from kaquan.payments import service as payments
from kaquan.payments.model import ExpireHold
from kaquan.programs import service as programs
from kaquan.programs.catalogue import Catalogue
from kaquan.rewards import service as rewards
from kaquan.rewards.model import ExpireLot, GrantReward
from kaquan.rewards.packet_model import EndPackets
from kaquan.rewards.plan_model import GrantDrip
from kaquan.rewards.referral_model import EarnReferral, FollowReferral, PayReferral
from kaquan.sales import closing_service as closings
from kaquan.sales import leaving_service as leaving
from kaquan.sales.closing_model import NoteOverdue
from kaquan.sales.leaving_model import ReceiveCard
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview, ReleaseReserve, release_key
from kaquan.stocks import service as stocks
from kaquan.vouchers import service as vouchers
from kaquan.vouchers.model import ExpireVoucher

DUE_MAX = 2_000
"""Commands of one kind in one look: four batches of the door. Who carries them out looks again for the rest."""

Due = dict[Kind, Sequence[Command]]
"""What is due by kind, in the order in which it is carried out."""


def due(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    calendar: Calendar,
    at: datetime,
    most: int = DUE_MAX,
) -> Due:
    """What is due at `at`, at most `most` commands of a kind, oldest first. Reads, changes nothing.

    Programs start first. Holds are released before vouchers expire, rebates are granted and lots expire. Periods that
    were missed are settled oldest first, each on the one before, and closed when all is settled. Custody comes last.
    """
    at_us = microseconds(at)
    key = _keys(at)
    later = settlement.due(connection, catalogue, calendar, at)
    seen = settlement.previews_due(connection, catalogue, calendar, later, at) if later.periods else []
    settles = [command for one in seen for command in settlement.settle_commands(one)]
    found: Due = {
        Kind.START_PROGRAM: programs.starts_due(catalogue, business_date(at)),
        Kind.EXPIRE_HOLD: [
            ExpireHold(key=key("expire hold", payment), caller=SYSTEM, payment=payment)
            for payment in payments.holds_due(connection, at_us, most)
        ],
        Kind.EXPIRE_VOUCHER: [
            ExpireVoucher(key=key("expire voucher", voucher), caller=SYSTEM, voucher=voucher)
            for voucher in vouchers.vouchers_due(connection, at_us, most)
        ],
        Kind.GRANT_REWARD: [
            GrantReward(key=key("grant reward", payment), caller=SYSTEM, card=card, payment=payment)
            for payment, card in payments.rewards_due(connection, at_us, most)
        ],
        **_rewards(connection, at, most),
        Kind.EXPIRE_LOT: [
            ExpireLot(key=key("expire lot", lot), caller=SYSTEM, card=card, lot=lot)
            for lot, card in cards.lots_due(connection, at_us, most)
        ],
        **_to_merchants(connection, later.reserves[:most], most),
        **_leaving(connection, at, most),
        Kind.SWEEP_FUND: funders.due(connection, most),
        Kind.PAUSE_STOCK: stocks.due(connection, catalogue, at),
        Kind.SETTLE: settles[:most],
        Kind.CLOSE_PERIOD: [settlement.close_command(one) for one in _whole(seen, most)],
        **custody.due(connection, catalogue, at),
    }
    return {kind: commands for kind, commands in found.items() if commands}


def _to_merchants(connection: psycopg.Connection[Any], reserves: Sequence[Id], most: int) -> Due:
    """What comes with the next settlements: reserves that are released, shares of partners."""
    return {
        Kind.RELEASE_RESERVE: [
            ReleaseReserve(key=release_key(one), caller=SYSTEM, settlement=one) for one in reserves
        ],
        Kind.PAY_PARTNER: settlement.partners_due(connection)[:most],
    }


def _whole(seen: Sequence[Preview], most: int) -> list[Preview]:
    """Those whose settlements all fit into one look: only they can be closed after it."""
    room = accumulate(len(one.rows) for one in seen)
    return [one for one, count in zip(seen, room, strict=True) if count <= most]


def _leaving(connection: psycopg.Connection[Any], at: datetime, most: int) -> Due:
    """Cards that were passed on arrive; returned ones that nobody paid in time are told of."""
    at_us, key = microseconds(at), _keys(at)
    return {
        Kind.RECEIVE_CARD: [
            ReceiveCard(key=key("receive card", one), caller=SYSTEM, to=to, transfer=one)
            for one, to in leaving.transfers_due(connection, most)
        ],
        Kind.NOTE_OVERDUE: [
            NoteOverdue(key=key("closing overdue", one), caller=SYSTEM, closing=one)
            for one in closings.closings_due(connection, at_us, most)
        ],
    }


def _rewards(connection: psycopg.Connection[Any], at: datetime, most: int) -> Due:
    """Months of plans, steps of referrals, pools whose time is up."""
    at_us, key = microseconds(at), _keys(at)
    return {
        Kind.GRANT_DRIP: [
            GrantDrip(key=key(f"grant month {month}", plan), caller=SYSTEM, plan=plan, month=month)
            for plan, month in rewards.plans_due(connection, at_us, most)
        ],
        Kind.EARN_REFERRAL: [
            EarnReferral(key=key("earn referral", one), caller=SYSTEM, referral=one)
            for one in rewards.referrals_to_earn(connection, most)
        ],
        Kind.FOLLOW_REFERRAL: [
            FollowReferral(key=key(f"follow referral {state}", one), caller=SYSTEM, inviter=inviter, referral=one)
            for one, inviter, state in rewards.referrals_to_follow(connection, most)
        ],
        Kind.PAY_REFERRAL: [
            PayReferral(key=key("pay referral", one), caller=SYSTEM, referral=one)
            for one in rewards.referrals_to_pay(connection, at_us, most)
        ],
        Kind.END_PACKETS: [
            EndPackets(key=key("end packets", pool), caller=SYSTEM, pool=pool)
            for pool in rewards.pools_due(connection, at_us, most)
        ],
    }


def _keys(at: datetime) -> Callable[[str, Id], str]:
    """Makes keys that follow from what is done, to what, and on which business date; ordered by that date."""
    day_ms = microseconds(shanghai(business_date(at))) // 1000

    def key(what: str, identity: Id) -> str:
        origin = Id(day_ms.to_bytes(6, "big") + identity[6:])
        return str(UUID(bytes=derived_id(origin, what.encode() + identity)))

    return key
