"""The written contract of a sale or top-up, from the terms, the law of the day and the facts of the purchase. Pure.

The same purchase gives the same text for ever, as long as the law packs that judged it are shipped; it names nobody
but organisations. What is kept of it is the digest of the Chinese text, in the answer to the sale.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

import msgspec

from kaquan.kernel.clock import shown
from kaquan.kernel.money import ZERO, Money, text
from kaquan.kernel.refusal import Language
from kaquan.law.model import Law, Topic
from kaquan.programs.catalogue import Terms
from kaquan.programs.explain import held, kind_of, opined, paying, rebated, withdrawal
from kaquan.programs.explain_leaving import leaving
from kaquan.programs.leaving import DEFAULT_CLOSING
from kaquan.programs.phrases import Sentence

_TITLES: dict[Topic, Sentence] = {
    "card": ("卡", "The card"),
    "price": ("价款", "The price"),
    "place": ("使用范围", "Where it is spent"),
    "validity": ("期限", "From when and how long"),
    "refund": ("退款方式", "Refunds"),
    "gifts": ("赠送", "What is given with it"),
    "changes": ("变更与停业", "Changes and closing"),
    "transfer": ("挂失与转让", "Loss and transfer"),
    "records": ("余额与记录查询", "Balance and records"),
    "liability": ("违约责任", "Liability"),
    "disputes": ("争议解决", "Disputes"),
    "risk": ("风险提示", "A word on risk"),
}
"""The parts of a contract after its heading, in their order."""


class Purchase(msgspec.Struct, frozen=True):
    """The facts of a sale or top-up. `number` is the card's number at that time, `subsidy` what vouchers paid; the
    first of that expires at `subsidy_until`."""

    number: str
    face: Money
    paid: Money
    at: datetime
    active_from: datetime
    top_up: bool
    subsidy: Money = ZERO
    subsidy_until: datetime | None = None


def contract(terms: Terms, purchase: Purchase, language: Language) -> str:
    """The contract in one language, ending in a line break."""
    frame = _frame(terms, terms.law(purchase.at), top_up=purchase.top_up)
    pieces, number = (frame.zh, 0) if language == "zh" else (frame.en, 1)
    holder, active = _holder(purchase)[number], _active(purchase.active_from)[number]
    price = _price(purchase.paid, purchase.face, purchase.subsidy, purchase.subsidy_until, purchase.at)[number]
    head, to_price, to_validity, end = pieces
    return f"{head}{holder}{to_price}{_INDENT}{price}{to_validity}{_INDENT}{active}{end}"


def digest(terms: Terms, purchase: Purchase) -> str:
    """SHA-256 of the Chinese contract in UTF-8, as hexadecimal digits."""
    return sha256(contract(terms, purchase, "zh").encode()).hexdigest()


class _Frame(msgspec.Struct, frozen=True):
    """What all contracts under the same terms and law have in common: the pieces around what a purchase says of its
    holder, its price and its validity. `of` is what it was made from."""

    of: tuple[Terms, Law]
    zh: list[str]
    en: list[str]


_FRAMES_MAX = 64  # programs that sell at once, each with its sales and top-ups; beyond it they are made again
_frames: dict[tuple[int, int, bool], _Frame] = {}
_INDENT = "   "
_HOLE: Sentence = ("…", "…")
"""Where a purchase speaks for itself; this very object, whatever the terms say."""


def _frame(terms: Terms, law: Law, *, top_up: bool) -> _Frame:
    """Kept by the very objects, which it keeps alive: they never change, and comparing them would take as long as
    writing the contract."""
    key = (id(terms), id(law), top_up)
    found = _frames.get(key)
    if found is None:
        lines = list(_lines(terms, law, top_up=top_up))
        found = _Frame((terms, law), _pieces(lines, 0), _pieces(lines, 1))
        if len(_frames) >= _FRAMES_MAX:
            _frames.clear()
        _frames[key] = found
    return found


def _pieces(lines: Sequence[Sentence], language: int) -> list[str]:
    pieces = [""]
    for line in lines:
        if line is _HOLE:
            pieces.append("\n")
        else:
            pieces[-1] += f"{line[language]}\n"
    return pieces


def _lines(terms: Terms, law: Law, *, top_up: bool) -> Iterator[Sentence]:
    yield from _heading(terms, law, top_up=top_up)
    for number, (topic, title) in enumerate(_TITLES.items(), start=1):
        yield ("", "")
        yield (f"{number}. {title[0]}", f"{number}. {title[1]}")
        if topic in ("price", "validity"):
            yield _HOLE
        else:
            yield from ((f"{_INDENT}{zh}", f"{_INDENT}{en}") for zh, en in _said(topic, terms, law))
        yield from ((f"{_INDENT}{zh}", f"{_INDENT}{en}") for zh, en in _cited(topic, law))


def _heading(terms: Terms, law: Law, *, top_up: bool) -> Iterator[Sentence]:
    program, (kind_zh, kind_en) = terms.terms.program, kind_of(terms.terms)
    done_zh, done_en = ("充值", "top-up") if top_up else ("购卡", "sale")
    packs = ", ".join(f"{pack.id} {pack.version}" for pack in law.packs)
    licence_zh = f"，支付业务许可证 {program.licence}" if program.licence else ""
    licence_en = f", payment licence {program.licence}" if program.licence else ""
    yield f"{program.name_zh}{done_zh}合同", f"{program.name_en}: contract of {done_en}"
    yield (
        f"{kind_zh}，活动规则第 {terms.version} 版，法规包 {packs}",
        (f"For {kind_en}; program terms version {terms.version}; law packs {packs}"),
    )
    yield (
        f"发行方：{terms.issuer_name}（{program.issuer}{licence_zh}）",
        f"Issuer: {terms.issuer_name} ({program.issuer}{licence_en})",
    )
    yield _HOLE
    yield from _cited("form", law)


def _holder(purchase: Purchase) -> Sentence:
    return (
        f"持卡人：卡号 {purchase.number} 的持卡人，身份信息由发行方另行依法登记，不写入本合同",
        f"Holder: whoever holds the card {purchase.number}; the issuer records who that is, apart from this contract",
    )


def _cited(topic: Topic, law: Law) -> Iterator[Sentence]:
    for clause in law.contract:
        if clause.about == topic:
            yield f"（{clause.article_zh}）", f"({clause.article_en})"


def _said(topic: Topic, terms: Terms, law: Law) -> Sequence[Sentence]:
    """What the terms say about a part of the contract."""
    match topic:
        case "card":
            return held(terms.terms, law)
        case "place":
            return _places(terms)
        case "refund":
            return [*withdrawal(terms.terms, law), *_leaving(terms, law), *paying(terms.terms)]
        case "gifts":
            return [*rebated(terms.terms, law), *opined(terms.terms)]
        case _:
            return [_WORDS[topic]]


def _leaving(terms: Terms, law: Law) -> Sequence[Sentence]:
    """Only what the terms say of it themselves: contracts that are older than these terms keep their words."""
    return [] if terms.terms.closing == DEFAULT_CLOSING else leaving(terms.terms, law)


def _places(terms: Terms) -> list[Sentence]:
    """Where the value is spent: platform by platform."""
    said = []
    for one, name in zip(terms.terms.acceptance, terms.platform_names, strict=True):
        some = one.merchants == "enrolled"
        some_zh, some_en = ("中已入驻的商户", "the enrolled merchants of ") if some else ("", "")
        zh = f"在商户组 {name}（{one.platform}）{some_zh}的门店使用。"
        said.append((zh, f"It is spent in the stores of {some_en}{name} ({one.platform})."))
    return said


@lru_cache(maxsize=64)
def _active(active_from: datetime) -> Sentence:
    active = shown(active_from)
    return f"自 {active}（北京时间）起可用。", f"It can be spent from {active} (Beijing time)."


@lru_cache(maxsize=256)
def _price(paid: Money, face: Money, subsidy: Money, subsidy_until: datetime | None, at: datetime) -> Sentence:
    """Of a batch all that buy the same offer pay the same."""
    when, cost, value = shown(at), text(paid), text(face)
    bonus = text(Money(face - paid - subsidy))
    of_vouchers_zh = of_vouchers_en = ""
    if subsidy and subsidy_until:
        given, until = text(subsidy), shown(subsidy_until)
        of_vouchers_zh = f"，消费券补贴 {given} 元（不可提现，最早 {until} 到期，到期退回出资方）"
        of_vouchers_en = (
            f", {given} subsidy from vouchers (never paid out; the first of it expires on {until} and goes back to "
            "its funders)"
        )
    return (
        f"{when}（北京时间）实付 {cost} 元，得面值 {value} 元：本金 {cost} 元，赠金 {bonus} 元{of_vouchers_zh}。",
        f"On {when} (Beijing time) {cost} yuan were paid for {value} of value: {cost} principal, {bonus} bonus"
        f"{of_vouchers_en}.",
    )


_WORDS: dict[Topic, Sentence] = {
    "changes": (
        "规则如有修改，只对此后的售卡和充值生效；已售出的部分按本合同。",
        "Changed terms count for later sales and top-ups only; what was sold keeps this contract.",
    ),
    "transfer": (
        "记名卡可向发行方挂失并补办，余额和记录不变；转让须通知发行方。",
        "A registered card can be reported lost to the issuer and is replaced with its balance and history; "
        "a transfer is told to the issuer.",
    ),
    "records": (
        "凭卡号可向发行方查询余额和每一笔售卡、充值、支付、退款。",
        "With the card's number the issuer tells the balance and every sale, top-up, payment and refund.",
    ),
    "liability": (
        "发行方未按约定履行的，持卡人可要求履行或者退回预付款。",
        "Where the issuer does not keep this contract, the holder may ask that it is kept or the money returned.",
    ),
    "disputes": (
        "发生争议可先与发行方协商，也可投诉、申请仲裁或者向人民法院起诉。",
        "A dispute may be settled with the issuer, or brought to a complaint, to arbitration if agreed, or to court.",
    ),
    "risk": (
        "预付款有风险：请按需要购卡，保管好卡片和卡号，留存本合同和付款凭证。",
        "Prepayment has its risk: buy what you need, keep the card and its number safe, and keep this "
        "contract and the receipt.",
    ),
}
