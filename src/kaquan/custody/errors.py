"""Refusals about custody."""

from kaquan.custody.statement_errors import DISCREPANCY_REASON as DISCREPANCY_REASON
from kaquan.custody.statement_errors import DISCREPANCY_UNKNOWN as DISCREPANCY_UNKNOWN
from kaquan.custody.statement_errors import STATEMENT_ACCOUNT as STATEMENT_ACCOUNT
from kaquan.custody.statement_errors import STATEMENT_DAY as STATEMENT_DAY
from kaquan.custody.statement_errors import STATEMENT_FILE as STATEMENT_FILE
from kaquan.custody.statement_errors import STATEMENT_GAP as STATEMENT_GAP
from kaquan.custody.statement_errors import STATEMENT_KNOWN as STATEMENT_KNOWN
from kaquan.custody.statement_errors import STATEMENT_NUMBER as STATEMENT_NUMBER
from kaquan.custody.statement_errors import STATEMENT_SUM as STATEMENT_SUM
from kaquan.custody.statement_errors import STATEMENT_UNKNOWN as STATEMENT_UNKNOWN
from kaquan.kernel.refusal import RefusalCode

CUSTODY_NOT_KEPT = RefusalCode(
    "custody_not_kept",
    status=422,
    zh="活动“{program}”的规则没有写存管账户",
    en="The terms of the program {program} name no custody account",
    remedy_zh="请先在活动规则 [custody] 中写明存管银行和账号",
    remedy_en="Name the bank and the account under [custody] in the program's terms first",
    burns=False,
)
CUSTODY_AMOUNT = RefusalCode(
    "custody_amount",
    status=400,
    zh="金额须大于零，且不超过 {most_fen} 元",
    en="The amount must be above zero and at most {most_fen} yuan",
    remedy_zh="请更正金额",
    remedy_en="Correct the amount",
    burns=False,
)
CUSTODY_REFERENCE = RefusalCode(
    "custody_reference",
    status=400,
    zh="请填写银行流水号或文件号，最多 {length_max} 个字符",
    en="Give the bank's reference or the document's number, at most {length_max} characters",
    remedy_zh="请补充凭证号",
    remedy_en="Add the reference",
    burns=False,
)
CUSTODY_PERSON = RefusalCode(
    "custody_person",
    status=400,
    zh="请写明办理人姓名或工号",
    en="Say who acts, by name or staff number",
    remedy_zh="请补充办理人",
    remedy_en="Add the person",
    burns=False,
)
CUSTODY_SECOND_PERSON = RefusalCode(
    "custody_second_person",
    status=422,
    zh="须由另一人复核，不能由 {person} 自己复核",
    en="Another person agrees to it, not {person} himself",
    remedy_zh="请另一位同事复核",
    remedy_en="Ask somebody else",
    burns=False,
)
CUSTODY_RELEASE_NEVER = RefusalCode(
    "custody_release_never",
    status=422,
    zh="活动“{program}”的规则不允许释放存管资金",
    en="The terms of the program {program} let no money leave custody",
    remedy_zh="如需随核销释放，请先把规则 custody.release 改为 with_redemption",
    remedy_en="To release it with redemption, change custody.release in the terms to with_redemption first",
)
CUSTODY_RELEASE_ABOVE = RefusalCode(
    "custody_release_above",
    status=422,
    zh="应存 {required_fen} 元，实存 {covered_fen} 元，最多可释放 {surplus_fen} 元（{article_zh}）",
    en="{required_fen} yuan are required and {covered_fen} are there: at most {surplus_fen} may leave ({article_en})",
    remedy_zh="请减少金额",
    remedy_en="Release less",
    retryable=True,
)
CUSTODY_NOT_REDEEMED = RefusalCode(
    "custody_not_redeemed",
    status=422,
    zh="累计核销 {redeemed_fen} 元，已释放 {released_fen} 元，还可释放 {left_fen} 元",
    en="{redeemed_fen} yuan were redeemed and {released_fen} released: {left_fen} are left to release",
    remedy_zh="请减少金额，或待核销后再释放",
    remedy_en="Release less, or wait until more is redeemed",
    retryable=True,
)
CUSTODY_DAY = RefusalCode(
    "custody_day",
    status=422,
    zh="{day} 还没有结束，或已经核对过",
    en="{day} is not over yet, or was looked at before",
    remedy_zh="请核对日期；每日次日凌晨自动核对",
    remedy_en="Check the day; each is looked at by itself early on the next",
    burns=False,
)
CUSTODY_NOT_STOPPED = RefusalCode(
    "custody_not_stopped",
    status=409,
    zh="活动“{program}”没有因存管不足停售",
    en="Sales of the program {program} were not stopped for want of custody",
    remedy_zh="无需恢复",
    remedy_en="There is nothing to lift",
    burns=False,
)
CUSTODY_STILL_SHORT = RefusalCode(
    "custody_still_short",
    status=422,
    zh="应存 {required_fen} 元，实存 {covered_fen} 元，仍差 {missing_fen} 元，不能恢复销售（{article_zh}）",
    en="{required_fen} yuan are required and {covered_fen} are there: {missing_fen} are still lacking ({article_en})",
    remedy_zh="请先补足存管资金",
    remedy_en="Deposit what is lacking first",
    retryable=True,
)
