"""Every reason to refuse a program file or a change of it.

Facts name the term as in the file (`presale.offers[2].face_fen`, list items counted from one) and its `line`
where one is known; what the law refuses carries the pack and its article. Amounts end in `_fen`, rates in `_bps`,
spans in `_days`.
"""

from kaquan.kernel.refusal import RefusalCode
from kaquan.programs.custody_errors import CUSTODY_INCOMPLETE as CUSTODY_INCOMPLETE
from kaquan.programs.custody_errors import CUSTODY_STOP_NEEDED as CUSTODY_STOP_NEEDED
from kaquan.programs.custody_errors import CUSTODY_TERM_UNUSED as CUSTODY_TERM_UNUSED
from kaquan.programs.custody_errors import GUARANTEE_DATES as GUARANTEE_DATES
from kaquan.programs.custody_errors import GUARANTEE_REFUSED as GUARANTEE_REFUSED
from kaquan.programs.grant_errors import FUNDING_BONUS as FUNDING_BONUS
from kaquan.programs.grant_errors import FUNDING_OF_NOTHING as FUNDING_OF_NOTHING
from kaquan.programs.grant_errors import FUNDING_SHARES as FUNDING_SHARES
from kaquan.programs.grant_errors import FUNDING_TWICE as FUNDING_TWICE
from kaquan.programs.grant_errors import GRANT_CODE_TWICE as GRANT_CODE_TWICE
from kaquan.programs.grant_errors import GRANT_ENDS as GRANT_ENDS
from kaquan.programs.grant_errors import GRANT_HAND_OUT as GRANT_HAND_OUT
from kaquan.programs.grant_errors import GRANT_LIMITED as GRANT_LIMITED
from kaquan.programs.grant_errors import GRANT_STOCK as GRANT_STOCK
from kaquan.programs.grant_errors import PACKETS_FIT as PACKETS_FIT
from kaquan.programs.grant_errors import PLAN_FITS as PLAN_FITS
from kaquan.programs.grant_errors import STOCK_BUDGET as STOCK_BUDGET
from kaquan.programs.grant_errors import STOCK_GOODS as STOCK_GOODS
from kaquan.programs.grant_errors import STOCK_RATE as STOCK_RATE
from kaquan.programs.grant_errors import STOCK_TERM_UNREAD as STOCK_TERM_UNREAD
from kaquan.programs.grant_errors import STOCK_THRESHOLD as STOCK_THRESHOLD
from kaquan.programs.grant_errors import STOCK_TOP_UP as STOCK_TOP_UP
from kaquan.programs.grant_errors import STOCK_WINDOW as STOCK_WINDOW
from kaquan.programs.grant_errors import STOCK_WITHOUT_CARD as STOCK_WITHOUT_CARD
from kaquan.programs.life_errors import LOOSENING as LOOSENING
from kaquan.programs.life_errors import NOTHING_WAITS as NOTHING_WAITS
from kaquan.programs.life_errors import PERSON_MISSING as PERSON_MISSING
from kaquan.programs.life_errors import PROGRAM_STATE as PROGRAM_STATE
from kaquan.programs.life_errors import PROPOSAL_STALE as PROPOSAL_STALE
from kaquan.programs.life_errors import PROPOSAL_WAITS as PROPOSAL_WAITS
from kaquan.programs.life_errors import REASON_INVALID as REASON_INVALID
from kaquan.programs.life_errors import SECOND_PERSON as SECOND_PERSON
from kaquan.programs.life_errors import STARTS_LATER as STARTS_LATER
from kaquan.programs.life_errors import STILL_OWES as STILL_OWES
from kaquan.programs.merchant_errors import PARTNER_REPEATED as PARTNER_REPEATED
from kaquan.programs.merchant_errors import RESERVE_STEPS as RESERVE_STEPS
from kaquan.programs.merchant_errors import RESERVE_STEPS_WHOLE as RESERVE_STEPS_WHOLE
from kaquan.programs.merchant_errors import RESERVE_TERM_UNUSED as RESERVE_TERM_UNUSED
from kaquan.programs.merchant_errors import SHARES_ABOVE_WHOLE as SHARES_ABOVE_WHOLE
from kaquan.programs.merchant_errors import TIERS_NOT_ASCENDING as TIERS_NOT_ASCENDING

FILE_TOO_LONG = RefusalCode(
    code="program_file_too_long",
    status=422,
    zh="活动文件共 {size} 字节，超过上限 {limit} 字节",
    en="The program file has {size} bytes, more than the limit of {limit}",
    remedy_zh="请检查是否选错了文件",
    remedy_en="Check that this is the right file",
)
FILE_INVALID = RefusalCode(
    code="program_file_invalid",
    status=422,
    zh="活动文件第 {line} 行第 {column} 列不是有效的 TOML：{detail}",
    en="The program file is not valid TOML at line {line}, column {column}: {detail}",
    remedy_zh="请改正该行的写法后重试；可对照随附的预设文件",
    remedy_en="Correct that line and try again; a preset shows the form",
)
TERM_UNKNOWN = RefusalCode(
    code="program_term_unknown",
    status=422,
    zh="第 {line} 行：没有名为 {term} 的规则项",
    en="Line {line}: there is no term named {term}",
    remedy_zh="请检查拼写；没有规则读取的项不能写入活动文件",
    remedy_en="Check the spelling; a term that no rule reads cannot stand in a program file",
)
TERM_MISSING = RefusalCode(
    code="program_term_missing",
    status=422,
    zh="缺少规则项 {term}（应写在第 {line} 行所在的部分）",
    en="The term {term} is missing (it belongs to the part that starts at line {line})",
    remedy_zh="请补上该项",
    remedy_en="Add the term",
)
TERM_TYPE = RefusalCode(
    code="program_term_type",
    status=422,
    zh="第 {line} 行：{term} 应为 {expected}，写的是 {found}",
    en="Line {line}: {term} must be {expected}, not {found}",
    remedy_zh="金额写整数分，比例写整数基点，文字加引号，是否写 true 或 false",
    remedy_en="Amounts are whole fen, rates whole basis points; texts stand in quotes; yes is true, no is false",
)
TERM_RANGE = RefusalCode(
    code="program_term_out_of_range",
    status=422,
    zh="{term} 为 {value}（{unit}），只能在 {low} 到 {high} 之间",
    en="{term} is {value} ({unit}); it must lie between {low} and {high}",
    remedy_zh="请改为范围内的数值",
    remedy_en="Choose a value within the limits",
)
TERM_MALFORMED = RefusalCode(
    code="program_term_malformed",
    status=422,
    zh="{term} 的写法 {value} 不符合要求（{form}）",
    en="{term} is written {value}, which is not of the form {form}",
    remedy_zh="代码用小写字母、数字、- 和 _，以字母开头；时刻写成 23:00；名称不含控制字符",
    remedy_en="Codes: lower-case letters, digits, - and _, a letter first. Times: 23:00. Names: printable",
)
HOLD_LENGTH = RefusalCode(
    code="program_hold_length",
    status=422,
    zh="预授权时长 {value} 分钟，只能在 {low} 到 {high} 分钟（30 天）之间：更长会占住持卡人的钱",
    en="An authorization would hold for {value} minutes; it must be {low} to {high} (30 days): longer would tie "
    "up the holder's money",
    remedy_zh="请缩短预授权时长，或改为发货时再支付",
    remedy_en="Shorten the hold, or take the payment on delivery",
)
SETTLEMENT_DAY = RefusalCode(
    code="program_settlement_day",
    status=422,
    zh="每月结算日为 {value} 日，只能在 {low} 到 {high} 日之间：29 日以后不是每个月都有",
    en="The settlement day is {value}; it must be {low} to {high}: not every month has a later day",
    remedy_zh="请改为 28 日或更早",
    remedy_en="Choose the 28th or earlier",
)
CYCLE_INCOMPLETE = RefusalCode(
    code="program_cycle_incomplete",
    status=422,
    zh="结算周期 {cycle} 需要 {term}，文件没有写",
    en="The settlement cycle {cycle} needs {term}, which the file does not give",
    remedy_zh="请补上该项",
    remedy_en="Add the term",
)
CYCLE_TERM_UNUSED = RefusalCode(
    code="program_cycle_term_unused",
    status=422,
    zh="结算周期 {cycle} 不读取 {term}，文件写的是 {value}",
    en="The settlement cycle {cycle} does not read {term}; the file says {value}",
    remedy_zh="请删去该项，或改用读取它的周期",
    remedy_en="Remove the term, or choose the cycle that reads it",
)
PLATFORM_REPEATED = RefusalCode(
    code="program_platform_repeated",
    status=422,
    zh="{term}：平台 {platform} 出现了两次，无法判断受理范围",
    en="{term}: the platform {platform} stands twice, so it is unclear which of its merchants accept",
    remedy_zh="每个平台只留一项",
    remedy_en="Keep one entry for each platform",
)
OFFER_ABOVE_BALANCE = RefusalCode(
    code="program_offer_above_balance_max",
    status=422,
    zh="{term}：面额 {face_fen} 元超过单卡余额上限 {balance_max_fen} 元，一张卡装不下",
    en="{term}: the face value of {face_fen} yuan exceeds what one card may hold ({balance_max_fen} yuan)",
    remedy_zh="请降低面额，或在法规允许内提高单卡余额上限",
    remedy_en="Lower the face value, or raise the card's limit as far as the law allows",
)
OFFER_PAID_ABOVE_FACE = RefusalCode(
    code="program_offer_paid_above_face",
    status=422,
    zh="{term}：售价 {paid_fen} 元高于面额 {face_fen} 元，持卡人会吃亏",
    en="{term}: the price of {paid_fen} yuan is above the face value of {face_fen}; the holder would lose",
    remedy_zh="售价不得高于面额",
    remedy_en="The price may be at most the face value",
)
OFFER_REPEATED = RefusalCode(
    code="program_offer_repeated",
    status=422,
    zh="{term}：面额 {face_fen} 元出现了两次，无法判断售价",
    en="{term}: the face value of {face_fen} yuan is offered twice, so its price is unclear",
    remedy_zh="每个面额只留一档",
    remedy_en="Keep one offer for each face value",
)
BANDS_NOT_ASCENDING = RefusalCode(
    code="program_bands_not_ascending",
    status=422,
    zh="{term}：起点 {from_fen} 元不高于上一档的 {previous_fen} 元",
    en="{term}: the band from {from_fen} yuan does not lie above the one before it ({previous_fen} yuan)",
    remedy_zh="请按起点从低到高排列，且不重复",
    remedy_en="Order the bands from low to high, each starting higher than the one before",
)
REBATE_FALLS = RefusalCode(
    code="program_rebate_falls",
    status=422,
    zh="{term}：按整单计算时比例从 {previous_bps} 基点降到 {rate_bps} 基点，多花钱反而少返利",
    en="{term}: on the whole order the rate falls from {previous_bps} to {rate_bps} basis points, so spending "
    "more would earn less",
    remedy_zh="请让比例逐档不降，或改用 marginal",
    remedy_en="Let the rates not fall, or use the mode marginal",
)
REBATE_RATE = RefusalCode(
    code="program_rebate_rate",
    status=422,
    zh="{term}：返利比例 {value} 基点，只能在 {low} 到 {high} 之间：返利超过订单金额，没有人出得起",
    en="{term}: a rebate of {value} basis points; it must be {low} to {high}: nobody funds more than the order",
    remedy_zh="请改为订单金额的一部分；500 基点等于 5%",
    remedy_en="Give back a part of the order; 500 basis points are 5%",
)
REBATE_CAP_ABOVE_BALANCE = RefusalCode(
    code="program_rebate_cap_above_balance_max",
    status=422,
    zh="每单返利上限 {cap_fen} 元超过单卡余额上限 {balance_max_fen} 元，返利无法到账",
    en="A rebate of up to {cap_fen} yuan cannot fit on a card that may hold {balance_max_fen} yuan",
    remedy_zh="请降低返利上限",
    remedy_en="Lower the cap",
)
CLAWBACK_NEGATIVE = RefusalCode(
    code="program_clawback_below_zero",
    status=422,
    zh="追回返利不能把卡余额扣成负数",
    en="A clawback cannot push the balance of a card below zero",
    remedy_zh="请将 rebate.clawback_allow_negative 设为 false；追不回的部分由出资方承担",
    remedy_en="Set rebate.clawback_allow_negative to false; what cannot be taken back stays with the funder",
)
RESERVE_RELEASED_EARLY = RefusalCode(
    code="program_reserve_released_early",
    status=422,
    zh="保证金 {release_days} 天后释放，早于退款期结束或冻结开始（至少 {least_days} 天）",
    en="The reserve is released after {release_days} days, before the refund window ends or the hold-back has "
    "begun (at least {least_days} days)",
    remedy_zh="请让冻结天数不少于退款期",
    remedy_en="Hold the reserve at least as long as the refund window",
)
FEE_AND_RESERVE = RefusalCode(
    code="program_fee_and_reserve_above_whole",
    status=422,
    zh="手续费 {fee_bps} 基点与保证金 {reserve_bps} 基点合计超过 {whole_bps}，商户收不到钱",
    en="A fee of {fee_bps} and a reserve of {reserve_bps} basis points exceed {whole_bps}: nothing is paid out",
    remedy_zh="请降低手续费率或保证金比例",
    remedy_en="Lower the fee or the reserve",
)
TERM_FIXED = RefusalCode(
    code="program_term_fixed",
    status=422,
    zh="{term} 在活动存续期间不能修改（原为 {before}，新为 {after}）",
    en="{term} cannot change while the program lives (it is {before}, the change says {after})",
    remedy_zh="请另立新活动",
    remedy_en="Open a new program instead",
)
LAW_PACK_UNKNOWN = RefusalCode(
    code="program_law_pack_unknown",
    status=422,
    zh="没有名为 {law_pack} 的法规包",
    en="There is no law pack named {law_pack}",
    remedy_zh="请选用已有的法规包：{known}",
    remedy_en="Choose one that exists: {known}",
)
LAW_PACK_NOT_IN_FORCE = RefusalCode(
    code="law_pack_not_in_force",
    status=422,
    zh="法规包 {law_pack} 在 {day} 尚未施行或已经失效（{effective_from} 至 {effective_to}）",
    en="The law pack {law_pack} is not in force on {day} (it is from {effective_from} to {effective_to})",
    remedy_zh="请选用当日有效的法规包",
    remedy_en="Choose a pack that is in force on that day",
    retryable=True,
)
LAW_PACK_NOT_NAMED = RefusalCode(
    code="program_law_pack_not_named",
    status=422,
    zh="{legal_class} 类活动须适用 {known}，文件写的是 {law_packs}",
    en="A program of the class {legal_class} is judged by {known}; the file names {law_packs}",
    remedy_zh="请在 program.law_packs 中加上该法规包，或改正 legal_class",
    remedy_en="Add that pack to program.law_packs, or correct legal_class",
)
CLOSING_ABOVE_LAW = RefusalCode(
    code="program_closing_above_law",
    status=422,
    zh="{term} 为 {value}，超过法规包 {law_pack} 允许的 {law_max}",
    en="{term} is {value}, more than the {law_max} that {law_pack} allows",
    remedy_zh="请改为不超过 {law_max}",
    remedy_en="Make it at most {law_max}",
)
REGION_PACK = RefusalCode(
    code="program_region_pack",
    status=422,
    zh="活动地区为 {region}，应列出法规包 {wanted}；文件列出的地区法规为 {named}",
    en="The program's region is {region}, whose pack is {wanted}; the file names regional law of {named}",
    remedy_zh="请使 program.region 与 program.law_packs 中的地区法规包一致",
    remedy_en="Let program.region and the regional pack in program.law_packs agree",
)
OFFERS_MISSING = RefusalCode(
    code="program_offers_missing",
    status=422,
    zh="{legal_class} 类活动须有至少一档售卡或充值金额",
    en="A program of the class {legal_class} needs at least one amount for sale and top-up",
    remedy_zh="请写上 presale.offers；不收预付款的活动，legal_class 为 voucher_only 或 fiscal_subsidy",
    remedy_en="Add presale.offers; a program that takes nothing in advance is voucher_only or fiscal_subsidy",
)
OPINION_ARTICLE_UNKNOWN = RefusalCode(
    code="program_opinion_article_unknown",
    status=422,
    zh="{term}：所列法规包中没有条目 {rule}",
    en="{term}: the packs that the file names have no article {rule}",
    remedy_zh="请写法规包中条目的编号，如 bonus_allowed；没有对应条目就不需要法律意见",
    remedy_en="Write the id of an article, such as bonus_allowed; without an article no opinion is needed",
)
OPINION_NOT_ADMITTED = RefusalCode(
    code="program_opinion_not_admitted",
    status=422,
    zh="{term}：条目 {rule} 没有解释余地，法律意见不能放行",
    en="{term}: the article {rule} leaves no room for an opinion",
    remedy_zh="请删去该条法律意见，并按条文修改活动",
    remedy_en="Remove the opinion and keep to the article",
)

PROGRAM_EXISTS = RefusalCode(
    code="program_exists",
    status=409,
    zh="活动“{program}”已经开办",
    en="The program {program} is open already",
    remedy_zh="修改已有活动请用 program amend",
    remedy_en="Use program amend to change it",
)
PROGRAM_UNKNOWN = RefusalCode(
    code="program_unknown",
    status=404,
    zh="没有活动“{program}”",
    en="There is no program {program}",
    remedy_zh="请核对活动代码",
    remedy_en="Check the program's code",
    burns=False,
)
ISSUER_UNKNOWN = RefusalCode(
    code="program_issuer_unknown",
    status=422,
    zh="发行方“{issuer}”未登记，或没有自己的账簿",
    en="The issuer {issuer} is not registered, or keeps no book here",
    remedy_zh="请先登记发行方并为其建账：kaquan organisation register {issuer} --name … --book",
    remedy_en="Register the issuer with a book first: kaquan organisation register {issuer} --name … --book",
    retryable=True,
)
PLATFORM_UNKNOWN = RefusalCode(
    code="program_platform_unknown",
    status=422,
    zh="受理平台“{platform}”未登记，其商户无从受理",
    en="The platform {platform} is not registered: it has no merchants that could accept",
    remedy_zh="请先登记该平台（商户组）：kaquan organisation register {platform} --name …",
    remedy_en="Register the platform or merchant group first: kaquan organisation register {platform} --name …",
    retryable=True,
)
ENROLMENT_MERCHANT_UNKNOWN = RefusalCode(
    code="enrolment_merchant_unknown",
    status=404,
    zh="没有商户“{merchant}”",
    en="There is no merchant {merchant}",
    remedy_zh="请核对商户代码",
    remedy_en="Check the merchant's code",
    burns=False,
)
PLATFORM_NOT_ACCEPTED = RefusalCode(
    code="merchant_platform_not_accepted",
    status=422,
    zh="商户“{merchant}”所属的平台不在活动“{program}”的受理范围内",
    en="The merchant {merchant} belongs to no platform that the program {program} is accepted on",
    remedy_zh="请先在活动的 [[acceptance]] 中加上该平台",
    remedy_en="Add the platform to [[acceptance]] of the program first",
    retryable=True,
)
ALREADY_ACCEPTS = RefusalCode(
    code="merchant_accepts_already",
    status=409,
    zh="商户“{merchant}”已经受理活动“{program}”",
    en="The merchant {merchant} accepts the program {program} already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
ACCEPTS_NOT = RefusalCode(
    code="merchant_accepts_not",
    status=409,
    zh="商户“{merchant}”本来就没有受理活动“{program}”",
    en="The merchant {merchant} does not accept the program {program} as it is",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
TERMS_UNCHANGED = RefusalCode(
    code="program_terms_unchanged",
    status=409,
    zh="新条款与现行第 {version} 版完全相同",
    en="The new terms are the same as version {version}",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
PROGRAM_REFUSED = RefusalCode(
    code="program_refused",
    status=422,
    zh="条款有 {count} 处不能成立：{codes}",
    en="{count} of the terms can't stand: {codes}",
    remedy_zh="用 program validate 查看每一处的原因与改法",
    remedy_en="Run program validate to see each reason and the way out",
)
