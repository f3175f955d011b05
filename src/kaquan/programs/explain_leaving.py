"""Returning a card, passing it on, making it valid again and leaving it unused, in plain sentences."""

from kaquan.kernel.money import text
from kaquan.law.model import Law
from kaquan.programs.leaving import DEFAULT_CLOSING
from kaquan.programs.phrases import Sentence, count_of, percent
from kaquan.programs.terms import ProgramTerms


def leaving(terms: ProgramTerms, law: Law) -> list[Sentence]:
    """What a holder may expect who leaves; nothing of a program that sells no cards."""
    if not terms.presale.offers:
        return []
    closing = terms.closing
    most = law.closing_pay_days_max
    days = min(closing.pay_days, most.value) if most else closing.pay_days
    said = [
        (
            f"退卡自申请之日起 {days} 天内付款；已消费部分，发行方原因按折后价，持卡人原因按原价，从不要求补足。",
            f"A returned card is paid within {count_of(days, 'day')} of the request; what was used counts as "
            "discounted where the issuer is the cause, at list price where the holder is, and nobody pays extra.",
        )
    ]
    if closing.fee_bps:
        rate = percent(closing.fee_bps)
        said.append(
            (
                f"冷静期和激活之后因持卡人原因退卡的，收取应退金额的 {rate} 作为违约金。",
                f"Who returns a card for a cause of her own after that time bears {rate} of what comes back.",
            )
        )
    return [*said, *_fees(terms), *_idle(terms)]


def _fees(terms: ProgramTerms) -> list[Sentence]:
    """What passing on and making valid again cost."""
    closing, said = terms.closing, []
    if terms.card.registered:
        fee = text(closing.transfer_fee_fen)
        free = not closing.transfer_fee_fen
        said.append(
            ("记名卡可以转让，不收费。", "A registered card may be passed on, free of charge.")
            if free
            else (f"记名卡可以转让，收费 {fee} 元。", f"A registered card may be passed on for {fee} yuan.")
        )
    elif terms.card.principal_valid_days:
        fee = text(closing.reactivation_fee_fen)
        said.append(
            (
                f"过期的卡可以激活，余额不变，收费 {fee} 元。",
                f"An expired card is made valid again with its balance, for {fee} yuan.",
            )
        )
    return said


def _idle(terms: ProgramTerms) -> list[Sentence]:
    days = terms.closing.idle_days
    if not days or terms.closing == DEFAULT_CLOSING:
        return []
    return [
        (
            f"卡 {days} 天没有变动的，提醒持卡人一次；余额一分不少。",
            f"Of a card that has not moved for {count_of(days, 'day')} the holder is told once; its balance stays.",
        )
    ]
