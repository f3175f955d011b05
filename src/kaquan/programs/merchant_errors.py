"""Refusals of what a program agrees with its merchants. `programs.errors` passes them on."""

from kaquan.kernel.refusal import RefusalCode

TIERS_NOT_ASCENDING = RefusalCode(
    code="program_fee_tiers_not_ascending",
    status=422,
    zh="{term}：起点 {from_fen} 元不高于上一档的 {previous_fen} 元",
    en="{term}: the tier from {from_fen} yuan does not lie above the one before it ({previous_fen} yuan)",
    remedy_zh="请按起点从低到高排列，且不重复",
    remedy_en="Order the tiers from low to high, each starting higher than the one before",
)
PARTNER_REPEATED = RefusalCode(
    code="program_partner_repeated",
    status=422,
    zh="{term}：分账方 {partner} 出现了两次",
    en="{term}: the partner {partner} is named twice",
    remedy_zh="每个分账方只留一条",
    remedy_en="Keep one share for each partner",
)
SHARES_ABOVE_WHOLE = RefusalCode(
    code="program_shares_above_whole",
    status=422,
    zh="分账比例合计 {shared_bps} 基点，超过 {whole_bps}",
    en="The partners' shares add up to {shared_bps} basis points, above {whole_bps}",
    remedy_zh="请降低分账比例",
    remedy_en="Lower the shares",
)
RESERVE_STEPS = RefusalCode(
    code="program_reserve_steps_not_ascending",
    status=422,
    zh="{term}：第 {after_days} 天之后是第 {next_days} 天，分次释放须一次比一次晚，且早于 release_days",
    en="{term}: after day {after_days} comes day {next_days}; each part is released later than the one before, and "
    "the rest last, after release_days",
    remedy_zh="请按天数从小到大排列，且都小于 release_days",
    remedy_en="Order the steps by their days, all below release_days",
)
RESERVE_STEPS_WHOLE = RefusalCode(
    code="program_reserve_steps_above_whole",
    status=422,
    zh="分次释放合计 {released_bps} 基点，超过 {whole_bps}",
    en="The parts released early add up to {released_bps} basis points, above {whole_bps}",
    remedy_zh="请降低各次的比例",
    remedy_en="Lower the parts",
)
RESERVE_TERM_UNUSED = RefusalCode(
    code="program_reserve_term_unused",
    status=422,
    zh="{term}：不冻结保证金（reserve.rate_bps 为 0），这一项没有用处",
    en="{term}: nothing is held back (reserve.rate_bps is 0), so it has no use",
    remedy_zh="请删去这一项，或设置保证金比例",
    remedy_en="Remove it, or set a rate",
)
