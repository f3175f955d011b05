"""The declared facts of the town: `scenario.toml`, typed."""

import tomllib
from datetime import date
from pathlib import Path

import msgspec

from kaquan.kernel.money import Money

_FILE = Path(__file__).with_name("scenario.toml")

Span = tuple[int, int]
"""From and to, both included."""


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of holder. `visits_month` is how often they pay in 30 days, `large_bps` how often a large basket."""

    name: str
    share_bps: int
    ages: Span
    faces_fen: tuple[Money, ...]
    visits_month: Span
    churn_bps: int
    large_bps: int


class MerchantPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant with its stores. `weight` is its share of visits, `authorize_bps` how often it authorizes first."""

    code: str
    name: str
    scene: str
    weight: int
    basket_fen: Span
    authorize_bps: int
    account_bank: str
    account_no: str
    stores: tuple[str, ...]


class Stranger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant outside the group."""

    code: str
    name: str
    account_bank: str
    account_no: str


class Churn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how many days a holder who leaves has stopped paying."""

    after_days: Span


class Baskets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people spend at once, in fen."""

    large_fen: Span
    least_fen: Money
    round_bps: int


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
    late_refund: int
    freeze: int
    lost: int
    overnight: int
    pays_too_early: int
    wrong_offer: int
    unidentified: int
    registered_twice: int
    hoards: int


class Holds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of authorizations, in bps; the rest is captured in full."""

    captured_partly: int
    captured_too_much: int
    voided: int
    forgotten: int


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is declared about the town."""

    start: date
    program: str
    channel: str
    hours: tuple[int, ...]
    hour_weights: tuple[int, ...]
    weekend_bps: int
    arrive_within_days: int
    segments: tuple[Segment, ...]
    churn: Churn
    baskets: Baskets
    merchants: tuple[MerchantPlan, ...]
    stranger: Stranger
    incidents: Incidents
    holds: Holds


def load_scenario() -> Scenario:
    """The scenario. Raises `msgspec.ValidationError` that names what is missing or of the wrong kind."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), Scenario)
