"""The declared facts of the town: `scenario.toml`, typed."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from kaquan.kernel.money import Money

_FILE = Path(__file__).with_name("scenario.toml")

Span = tuple[int, int]
"""From and to, both included."""


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When holders come, take a second program, and leave; below what a card is topped up. Spans are days."""

    arrive_within_days: int
    second_program_bps: int
    second_after_days: Span
    leaves_after_days: Span
    low_fen: Money


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of holder. `visits_month` is how often they pay in 30 days, `large_bps` how often a large basket.

    `prefers` weighs the programs by their codes.
    """

    name: str
    share_bps: int
    ages: Span
    top_up_fen: Span
    visits_month: Span
    churn_bps: int
    large_bps: int
    prefers: dict[str, int]


class Baskets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people spend at once, in fen."""

    large_fen: Span
    least_fen: Money
    round_bps: int
    itemised_bps: int


class Campaigns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a program offers its holders something, and how many of them top up then."""

    every_days: int
    rebate_converts_bps: int
    gift_times_bps: int


class ProgramPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program of the town, by the code of its preset, and what its campaigns offer."""

    code: str
    promotes: Literal["gift", "rebate"]


class OrganisationPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes part."""

    code: str
    name: str
    keeps_book: bool = False


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of store. `weight` is its share of visits, `authorize_bps` how often it authorizes first."""

    name: str
    weight: int
    basket_fen: Span
    authorize_bps: int


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Merchants of one name and organisation: every branch is one, with a store of its own.

    `enrolled`: so many, from the first, take part in programs that enrol merchants one by one. `unverified`: of so
    many, from the first, nobody has verified the bank account.
    """

    code: str
    name: str
    organisation: str
    scene: str
    branches: tuple[str, ...]
    enrolled: dict[str, int] = {}
    unverified: int = 0


class Banks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the bank accounts of those who have none verified are verified, and of how many."""

    verified_after_days: Span
    verified_bps: int


class BankHabits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many payouts fail the first time or come back, in bps, and how many days after their day: when a merchant
    corrects its account, when a payout comes back."""

    fails_bps: int
    corrected_after_days: int
    returned_bps: int
    returned_after_days: int


class DisputeHabits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When holders dispute a payment, when the merchant answers and it is decided, how many they win, in bps."""

    after_days: Span
    answered_after_days: int
    decided_after_days: int
    for_holder_bps: int


class Stranger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant that takes part in no program."""

    code: str
    name: str
    organisation: str


class Incidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often what goes wrong, in bps."""

    foreign_merchant: int
    insufficient: int
    paid_twice: int
    sent_again: int
    sent_again_changed: int
    reversed: int
    reversed_early: int
    refund: int
    partial_refund: int
    many_partial: int
    disputed: int
    again_bps: int
    late_refund: int
    freeze: int
    lost: int
    overnight: int
    pays_too_early: int
    wrong_offer: int
    unidentified: int
    registered_twice: int
    hoards: int


class VoucherHabits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holders do with vouchers, in bps: of holders a day and stock, of visits with a voucher, of top-ups."""

    claims_bps: int
    used_bps: int
    reached_for_bps: int
    without_card_bps: int
    tops_up_alone_bps: int


class PacketHabits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On which day of the week pools of packets are opened, and how many holders a day open one, in bps."""

    weekday: int
    opened_bps: int


class InvitationHabits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many new holders somebody invited, and how many of those invitations turn out to be false, in bps."""

    invited_bps: int
    undone_bps: int


class LeavingHabits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who returns a card, in bps: of those who leave, of new holders on each of their first days; for the issuer's
    cause, asked for twice, kept after all, with goods that come back when the card is closed."""

    leavers_bps: int
    regrets_bps: int
    regrets_within_days: int
    issuer_bps: int
    asked_twice_bps: int
    keeps_bps: int
    refund_after_bps: int


class FundPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fund, whose it is, in whose book it is kept, where its money lies, and what it holds on the first day."""

    code: str
    name: str
    organisation: str
    book: str
    mode: Literal["prepaid", "pledged"]
    source: Literal["operating", "fiscal"]
    paid_in_fen: Money


class HoldFates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of authorizations, in bps; the rest is captured in full."""

    captured_partly: int
    captured_too_much: int
    voided: int
    forgotten: int


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is declared about the town."""

    start: date
    channel: str
    hours: tuple[int, ...]
    hour_weights: tuple[int, ...]
    weekend_bps: int
    population: Population
    segments: tuple[Segment, ...]
    baskets: Baskets
    campaigns: Campaigns
    programs: tuple[ProgramPlan, ...]
    organisations: tuple[OrganisationPlan, ...]
    scenes: tuple[Scene, ...]
    chains: tuple[Chain, ...]
    banks: Banks
    bank: BankHabits
    disputes: DisputeHabits
    stranger: Stranger
    funds: tuple[FundPlan, ...]
    vouchers: VoucherHabits
    packets: PacketHabits
    invitations: InvitationHabits
    leaving: LeavingHabits
    incidents: Incidents
    holds: HoldFates


def load_scenario() -> Scenario:
    """The scenario. Raises `msgspec.ValidationError` that names what is missing or of the wrong kind."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), Scenario)
