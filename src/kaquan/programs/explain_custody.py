"""Sentences about what lies in custody, and what happens when it is too little."""

from kaquan.kernel.money import Rate, text
from kaquan.law.model import Law
from kaquan.programs.custody import Custody, CustodyRule
from kaquan.programs.phrases import Sentence, count_of, percent
from kaquan.programs.terms import ProgramTerms

_BASES: dict[str, Sentence] = {
    "top_ups": ("售卡与充值收款", "what was taken for sales and top-ups"),
    "quarter_end": ("上季度末的本金余额", "the principal that holders had at the end of the last quarter"),
    "outstanding": ("当前的本金余额", "the principal that holders have"),
}


def kept_in_custody(terms: ProgramTerms, law: Law) -> list[Sentence]:
    """Where prepaid money lies, what must lie there, what follows when it does not."""
    custody = terms.custody
    if not custody.kept:
        return []
    of_class = {
        "single_purpose_group": law.custody_group_quarter_bps_min,
        "single_purpose_brand": law.custody_brand_quarter_bps_min,
        "single_purpose_scale": law.custody_scale_quarter_bps_min,
        "multi_purpose_licensed": law.custody_owed_bps_min,
    }
    found = [of_class.get(terms.program.legal_class)]
    if terms.program.legal_class.startswith("single_purpose"):
        found += [law.custody_quarter_bps_min, law.custody_outstanding_bps_min, law.custody_special_bps_min]
    asked = [(one.article.article_zh, one.article.article_en) for one in found if one is not None]
    asked += [_rule(rule) for rule in custody.rules]
    zh, en = "；".join(one for one, _ in asked) or "没有规则", "; ".join(one for _, one in asked) or "no rule"
    tail = custody.account_no[-4:]
    return [
        (
            f"预付资金存入{custody.bank}存管专户（尾号 {tail}）。应存取以下最严的一条，不相加：{zh}。",
            f"Prepaid money lies at {custody.bank}, account …{tail}. The strictest of these is required, "
            f"never their sum: {en}.",
        ),
        *_guarantees(custody),
        _shortfall(custody),
        _release(custody),
    ]


def _rule(rule: CustodyRule) -> Sentence:
    base_zh, base_en = _BASES[rule.base]
    rate = percent(rule.rate_bps)
    off_zh = "、".join(
        word for word, wanted in (("同期核销", rule.less_redeemed), ("有效保函", rule.less_guarantees)) if wanted
    )
    off_en = " and ".join(
        word
        for word, wanted in (
            ("what was used in that time", rule.less_redeemed),
            ("guarantees in force", rule.less_guarantees),
        )
        if wanted
    )
    period_zh = f"近 {rule.period_days} 天" if rule.period_days else ""
    period_en = f" in the last {count_of(rule.period_days, 'day')}" if rule.period_days else ""
    return (
        f"{period_zh}{base_zh}的 {rate}" + (f"，扣除{off_zh}" if off_zh else ""),
        f"{rate} of {base_en}{period_en}" + (f", less {off_en}" if off_en else ""),
    )


def _guarantees(custody: Custody) -> list[Sentence]:
    return [
        (
            f"{one.by} {one.reference} 号保函（保险）担保 {text(one.amount_fen)} 元，"
            f"{one.valid_from} 至 {one.valid_until} 有效。",
            f"{one.by} stands for {text(one.amount_fen)} yuan from {one.valid_from} to {one.valid_until}, "
            f"by its document {one.reference}.",
        )
        for one in custody.guarantees
    ]


def _shortfall(custody: Custody) -> Sentence:
    warn = percent(Rate(custody.warn_bps))
    if custody.on_shortfall == "alarm":
        return (
            f"实存低于应存的 {warn} 时预警，不足时报警。",
            f"Below {warn} of the requirement there is a warning, with too little an alarm.",
        )
    lift = {
        "automatic": ("补足后自动恢复", "they go on by themselves once it is covered"),
        "two_persons": ("补足后由两人恢复", "two persons let them go on once it is covered"),
    }[custody.lift]
    when = (
        (f"连续不足满 {custody.grace_days} 天后", f"after {count_of(custody.grace_days, 'day')} of grace")
        if custody.grace_days
        else ("不足当日", "after the first day that is short")
    )
    return (
        f"实存低于应存的 {warn} 时预警；{when[0]}停止售卡和充值，已售出的卡照常使用，{lift[0]}。",
        f"Below {warn} of the requirement there is a warning; {when[1]} sales and top-ups stop, cards already sold "
        f"are spent as before, and {lift[1]}.",
    )


def _release(custody: Custody) -> Sentence:
    if custody.release == "never":
        return "存管资金不释放。", "Nothing leaves custody."
    return (
        "超出应存的部分可随核销释放，累计不超过核销的本金，须两人办理。",
        "What is above the requirement may leave, never more in all than the principal that was used; two persons "
        "do it.",
    )
