"""Law packs: what the law asks of a program, as frozen data, every value with its source, dates and our certainty.

A pack is a TOML file in `packs/`. A published version never changes: other values are another version, and a
decision stores which versions judged it. A program names one or more packs; `Law` is what they ask together on a
day: of each rule the strictest article.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from kaquan.kernel.refusal import Fact, Fault

Conf = Literal["C", "S", "M", "I"]
"""C text read, S secondary source, M from memory, I our own reading or a convention."""

Topic = Literal[
    "form",
    "card",
    "price",
    "place",
    "validity",
    "refund",
    "gifts",
    "changes",
    "transfer",
    "records",
    "liability",
    "disputes",
    "risk",
]
"""The parts of a written contract, in their order."""

LAWS_KEPT = 256  # stacks of packs on a day that stay in memory: every program of an installation, yesterday and today
_SUFFIX: Final = ".toml"
_HIGHEST = ("_min", "_required")
"""Rules whose strictest value is the highest; of all others (at most, from, allowed) it is the lowest."""


class LawPackMissing(LookupError):
    """No pack of this id is shipped. `pack_id` is the id asked for."""

    def __init__(self, pack_id: str) -> None:
        super().__init__(f"no law pack {pack_id!r}")
        self.pack_id = pack_id


class Provision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words of the law, and where they stand.

    `source` is the instrument (or `seed` for a convention that is no law), `article_zh` and `article_en` say what
    is asked and where it is written, `conf` how sure we are, `note_*` what an operator should know besides. Both
    days are included; where one is left open, that of the pack counts.
    """

    source: str
    article_zh: str
    article_en: str
    conf: Conf
    note_zh: str = ""
    note_en: str = ""
    effective_from: date | None = None
    effective_to: date | None = None

    def in_force(self, day: date) -> bool:
        """Whether the provision binds on a day on which its pack does."""
        return _within(day, self.effective_from, self.effective_to)


class Article(Provision, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value the law sets. The name of its rule tells the unit: fen, calendar days, or 1 for yes and 0 for no.

    `opinion_allowed`: a recorded legal opinion may allow what the article refuses.
    """

    id: str
    value: int
    opinion_allowed: bool = False


class Clause(Provision, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a written contract says `about` one of its parts, because the law asks or gives it."""

    about: Topic


T = TypeVar("T")


class Rules(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every rule that a pack may set, and that some rule here or some check of a program's terms reads.

    What a pack is silent about it does not limit. A program and its sales obey the strictest of their packs.
    """

    registered_balance_max_fen: T | None = None
    """Most that a registered card may hold, after a top-up too."""
    bearer_balance_max_fen: T | None = None
    """Most that a bearer card may hold, after a top-up too."""
    registered_valid_days: T | None = None
    """How long the principal of a registered card stays valid; 0 means for ever, nothing else is allowed."""
    bearer_valid_days_min: T | None = None
    """Shortest validity of a bearer card."""
    registered_identity_from_fen: T | None = None
    """From this amount the buyer of a registered card is identified."""
    bearer_identity_from_fen: T | None = None
    """From this amount, bought at once, the buyer of bearer cards is identified."""
    person_non_cash_from_fen: T | None = None
    """From this amount, paid at once, a person does not pay in cash."""
    organisation_non_cash_from_fen: T | None = None
    """From this amount, paid at once, an organisation does not pay in cash."""
    credit_card_allowed: T | None = None
    """Whether a card may be bought or topped up with a credit card."""
    cooling_off_days_min: T | None = None
    """Shortest time in which a holder may withdraw after paying."""
    cooling_off_free_days_min: T | None = None
    """Of that time, the days in which nothing is kept of what the holder gets back but what was consumed."""
    cooling_off_unused_days_min: T | None = None
    """Shortest time in which a holder who has used nothing gets everything back."""
    cooling_off_cost_allowed: T | None = None
    """Whether reasonable costs that have been incurred may be kept from who withdraws later than that."""
    cooling_off_pay_days_max: T | None = None
    """Longest time from the request until who has used nothing is paid."""
    closing_pay_days_max: T | None = None
    """Longest time from the request until who returns a card is paid."""
    closing_fee_bps_max: T | None = None
    """Highest break cost of who returns a card for a cause of her own, of what is left to her."""
    issuer_cause_list_price_allowed: T | None = None
    """Whether what was consumed counts at the price before discount although the issuer is the cause."""
    holder_cause_list_price_allowed: T | None = None
    """Whether what was consumed counts at the price before discount where the holder is the cause."""
    interest_issuer_cause_bps_min: T | None = None
    """Least yearly interest on what is returned for a cause of the issuer, by the day of the contract."""
    interest_holder_cause_bps_min: T | None = None
    """Least yearly interest on what is returned for a cause of the holder, by the day of the contract."""
    refund_cash_max_fen: T | None = None
    """Most that a returned card may be paid out in cash; above it goes to an account in the holder's name."""
    bearer_refund_allowed: T | None = None
    """Whether a bearer card may be returned for money."""
    transfer_fee_max_fen: T | None = None
    """Most that passing a registered card on to somebody else may cost."""
    reactivation_fee_max_fen: T | None = None
    """Most that making an expired card valid again may cost."""
    breakage_idle_days_min: T | None = None
    """How long an expired bearer card must have lain unused before what is left of it may count as income."""
    bonus_valid_days_max: T | None = None
    """Longest validity of granted bonus."""
    voucher_valid_days_max: T | None = None
    """Longest validity of vouchers."""
    open_network_allowed: T | None = None
    """Whether stored value may be spent beyond the issuer, its group or its one brand."""
    licence_required: T | None = None
    """Whether only the holder of a payment licence may run the program."""
    discount_allowed: T | None = None
    """Whether stored value may be sold below its face."""
    bonus_allowed: T | None = None
    """Whether stored value may earn its holder anything."""
    principal_allowed: T | None = None
    """Whether a program of vouchers may take money in advance."""
    budget_overrun_allowed: T | None = None
    """Whether more may be spent than the funder's budget holds."""
    custody_group_quarter_bps_min: T | None = None
    """Of what holders had prepaid at the end of the last quarter, the share that a group issuer keeps in custody."""
    custody_brand_quarter_bps_min: T | None = None
    """The same for a brand issuer."""
    custody_scale_quarter_bps_min: T | None = None
    """The same for an issuer of scale."""
    custody_quarter_bps_min: T | None = None
    """The same for every issuer of single-purpose cards."""
    custody_quarter_from_fen: T | None = None
    """From this prepaid balance the share of every issuer is kept."""
    custody_outstanding_bps_min: T | None = None
    """Of what holders have prepaid by now, the share that lies in custody once it is above the warning level."""
    custody_outstanding_above_fen: T | None = None
    """The warning level of the prepaid balance."""
    custody_special_bps_min: T | None = None
    """The share that a young issuer, or one with a balance large beside its revenue, keeps instead."""
    custody_special_revenue_bps: T | None = None
    """Of last year's main revenue, what the balance must not exceed without that."""
    custody_special_cap_fen: T | None = None
    """The highest such level, whatever the revenue."""
    custody_stop_required: T | None = None
    """Whether sales must stop while too little lies in custody."""
    custody_owed_bps_min: T | None = None
    """Of all that is held for holders and merchants, the share that a licensed institution keeps in custody."""
    custody_offset_allowed: T | None = None
    """Whether a guarantee or an insurance may stand for a part of what is kept in custody."""


class LawPack(Rules[tuple[Article, ...]], frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules of one kind of instrument in one jurisdiction, from `effective_from` to `effective_to`.

    Both days are included; no `effective_to` means still in force. A rule may have several articles, one after the
    other in time. `legal_classes` are the classes of program that this pack is written for: each names it or
    another that is; `contract` is what a written contract says.
    """

    id: str
    version: int
    jurisdiction: str
    title_zh: str
    title_en: str
    effective_from: date
    effective_to: date | None = None
    legal_classes: tuple[str, ...] = ()
    contract: tuple[Clause, ...] = ()

    def articles(self) -> Iterator[Article]:
        """Every article, in the order of the rules."""
        for name in Rules.__struct_fields__:
            yield from getattr(self, name) or ()

    def in_force(self, day: date) -> bool:
        """Whether the pack binds on a day."""
        return _within(day, self.effective_from, self.effective_to)


class Binding(msgspec.Struct, frozen=True):
    """An article that binds, and the pack it stands in."""

    pack: LawPack
    article: Article

    @property
    def value(self) -> int:
        """What the article sets."""
        return self.article.value

    @property
    def facts(self) -> dict[str, Fact]:
        """Which pack and article judged, for a refusal: ready to be merged with the case's own facts."""
        return {
            "law_pack": self.pack.id,
            "law_pack_version": self.pack.version,
            "article_zh": self.article.article_zh,
            "article_en": self.article.article_en,
        }


class Law(Rules[Binding], frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What packs ask together on a day: of each rule the strictest article, of equal ones that of the first pack."""

    packs: tuple[LawPack, ...]
    contract: tuple[Clause, ...]

    @property
    def ids(self) -> str:
        """Which packs, as a decision keeps them: `cn_single_purpose+cn_voucher_convention`."""
        return "+".join(pack.id for pack in self.packs)

    @property
    def versions(self) -> str:
        """Their versions in the same order: `2+1`."""
        return "+".join(str(pack.version) for pack in self.packs)

    def find(self, rule: str) -> Binding | None:
        """The article of the rule with this id; None when no pack sets it, or there is no such rule."""
        return getattr(self, rule) if rule in Rules.__struct_fields__ else None


@lru_cache(maxsize=LAWS_KEPT)
def law_on(pack_ids: tuple[str, ...], day: date) -> Law:
    """The law of these packs on a day. A pack that is not in force asks nothing. Raises `LawPackMissing`."""
    packs = tuple(pack for pack in map(load_pack, pack_ids) if pack.in_force(day))
    found: dict[str, Any] = {}
    for pack in packs:
        for article in pack.articles():
            known = found.get(article.id)
            if article.in_force(day) and (known is None or _stricter(article, known.article)):
                found[article.id] = Binding(pack, article)
    clauses = tuple(clause for pack in packs for clause in pack.contract if clause.in_force(day))
    return Law(packs=packs, contract=clauses, **found)


@cache
def pack_ids() -> tuple[str, ...]:
    """The ids of all shipped packs, sorted."""
    names = (entry.name for entry in files("kaquan.law").joinpath("packs").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_pack(pack_id: str) -> LawPack:
    """The shipped pack `pack_id`, read once. Raises `LawPackMissing`; a broken file is a `Fault`."""
    if pack_id not in pack_ids():
        raise LawPackMissing(pack_id)
    file = files("kaquan.law").joinpath("packs", pack_id + _SUFFIX)
    pack = decode_pack(file.read_text(encoding="utf-8"))
    if pack.id != pack_id:
        raise Fault(f"law pack {pack_id} calls itself {pack.id}")
    return pack


def decode_pack(text: str) -> LawPack:
    """The pack that a TOML text writes down. Raises `Fault` when it is not exactly one."""
    try:
        pack = msgspec.convert(_named(tomllib.loads(text)), LawPack)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Fault(f"law pack: {error}") from error
    if pack.version < 1 or any(article.value < 0 for article in pack.articles()):
        raise Fault(f"law pack {pack.id}: a version below 1 or a value below 0")
    dated_parts: list[LawPack | Provision] = [pack, *pack.articles(), *pack.contract]
    for dated in dated_parts:
        if dated.effective_from and dated.effective_to and dated.effective_to < dated.effective_from:
            raise Fault(f"law pack {pack.id} or an article of it ends before it begins")
    return pack


def _named(table: Mapping[str, Any]) -> dict[str, Any]:
    """Every article under the name of its rule: one table is one article, an array of tables several."""
    named: dict[str, Any] = {}
    for name, value in table.items():
        articles = [value] if isinstance(value, dict) else value
        if name in Rules.__struct_fields__ and isinstance(articles, list):
            articles = [{"id": name, **one} if isinstance(one, dict) else one for one in articles]
        named[name] = articles
    return named


def _stricter(article: Article, known: Article) -> bool:
    if article.id.endswith(_HIGHEST):
        return article.value > known.value
    return article.value < known.value


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)
