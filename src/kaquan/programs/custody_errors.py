"""Refusals about what a program's terms say of custody."""

from kaquan.kernel.refusal import RefusalCode

CUSTODY_INCOMPLETE = RefusalCode(
    code="program_custody_incomplete",
    status=422,
    zh="[custody] 须同时写明存管银行和账号，才谈得上规则、保函和释放",
    en="[custody] names a bank and an account together; without them it has no rules, guarantees or releases",
    remedy_zh="请补全 custody.bank 和 custody.account_no，或删去整段",
    remedy_en="Give both custody.bank and custody.account_no, or leave all of it out",
)
CUSTODY_TERM_UNUSED = RefusalCode(
    code="program_custody_term_unused",
    status=422,
    zh="{term}：只有基数为 top_ups 的规则用得到它，这条的基数是 {base}",
    en="{term} says something only where the base is top_ups; here it is {base}",
    remedy_zh="请删去，或改用 top_ups",
    remedy_en="Leave it out, or count top_ups",
)
GUARANTEE_DATES = RefusalCode(
    code="program_guarantee_dates",
    status=422,
    zh="{term}：{valid_from} 生效，却在 {valid_until} 到期",
    en="{term} would stand from {valid_from} until {valid_until}",
    remedy_zh="请更正日期",
    remedy_en="Correct the days",
)
GUARANTEE_REFUSED = RefusalCode(
    code="program_guarantee_refused",
    status=422,
    zh="{count} 份保函或保险不能冲抵存管资金（{article_zh}）",
    en="{count} guarantees or insurances can't stand for money in custody ({article_en})",
    remedy_zh="请删去 custody.guarantees，全额存入",
    remedy_en="Remove custody.guarantees and deposit all of it",
    article="custody_offset_allowed",
)
CUSTODY_STOP_NEEDED = RefusalCode(
    code="program_custody_stop_needed",
    status=422,
    zh="存管不足时只报警不够：须停止售卡和充值（{article_zh}）",
    en="With too little in custody an alarm is not enough: sales stop ({article_en})",
    remedy_zh="请把 custody.on_shortfall 改为 stop_sale",
    remedy_en="Set custody.on_shortfall to stop_sale",
    article="custody_stop_required",
)
