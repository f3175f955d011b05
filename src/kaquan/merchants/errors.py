"""Refusals about organisations, merchants and stores."""

from kaquan.kernel.refusal import RefusalCode

CODE_TAKEN = RefusalCode(
    "code_taken",
    status=409,
    zh="代码“{code}”已被使用",
    en="The code {code} is taken",
    remedy_zh="请换一个代码",
    remedy_en="Choose another code",
    retryable=True,
)
CODE_INVALID = RefusalCode(
    "code_invalid",
    status=400,
    zh="代码只能用小写字母、数字和连字符，1 到 {length_max} 个字符",
    en="A code has 1 to {length_max} lower-case letters, digits and hyphens",
    remedy_zh="请更正代码",
    remedy_en="Correct the code",
    burns=False,
)
ORGANISATION_UNKNOWN = RefusalCode(
    "organisation_unknown",
    status=404,
    zh="没有机构“{code}”",
    en="There is no organisation {code}",
    remedy_zh="请核对代码，或先用 kaquan organisation register 登记",
    remedy_en="Check the code, or register it first with kaquan organisation register",
    burns=False,
)
BANK_ACCOUNT_INVALID = RefusalCode(
    "bank_account_invalid",
    status=400,
    zh="收款账户不完整或写法不对：开户行不超过 {bank_length_max} 个字符，账号为 6 到 34 位数字、大写字母或连字符",
    en="The account is incomplete or malformed: a bank has up to {bank_length_max} characters, a number 6 to 34 "
    "digits, capital letters or hyphens",
    remedy_zh="请补全开户行和账号；还没有账户时两者都不填",
    remedy_en="Give both bank and number; give neither while there is no account",
    burns=False,
)
BANK_MERCHANT_UNKNOWN = RefusalCode(
    "bank_merchant_unknown",
    status=404,
    zh="没有商户“{merchant}”",
    en="There is no merchant {merchant}",
    remedy_zh="请核对商户代码",
    remedy_en="Check the merchant's code",
    burns=False,
)
BANK_ACCOUNT_BOUND = RefusalCode(
    "bank_account_bound",
    status=409,
    zh="商户“{merchant}”绑定的已经是这个账户",
    en="This account is bound to the merchant {merchant} already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
BANK_ACCOUNT_OTHER = RefusalCode(
    "bank_account_other",
    status=409,
    zh="商户“{merchant}”绑定的不是这个账号，核验结果不能用于别的账户",
    en="Another account, or none, is bound to the merchant {merchant}; a proof counts for the account that it names",
    remedy_zh="请核对账号；换了账户的，先绑定再核验",
    remedy_en="Check the number; bind a new account first, then verify it",
    retryable=True,
)
BANK_ACCOUNT_VERIFIED = RefusalCode(
    "bank_account_verified",
    status=409,
    zh="商户“{merchant}”的账户此前已核验",
    en="The account of the merchant {merchant} is verified already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
BANK_PROOF_MISSING = RefusalCode(
    "bank_proof_missing",
    status=400,
    zh="核验需要凭证编号，1 到 {length_max} 个字符",
    en="A verification names its proof, in 1 to {length_max} characters",
    remedy_zh="请填写开户证明或打款验证的编号",
    remedy_en="Give the number of the document or of the trial transfer",
    burns=False,
)
