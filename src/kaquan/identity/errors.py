"""Refusals about API keys: the three `token_…` to whoever shows one, the others to whoever looks after keys."""

from kaquan.kernel.refusal import RefusalCode

TOKEN_WRONG = RefusalCode(
    "token_wrong",
    status=401,
    zh="没有这把 API 密钥，或密钥不完整",
    en="There is no such API key, or the token is not whole",
    remedy_zh="请完整复制密钥（kq_live_…）；遗失的只能轮换（kaquan keys rotate）",
    remedy_en="Copy the whole token (kq_live_…); a lost one can only be rotated (kaquan keys rotate)",
    burns=False,
)
TOKEN_EXPIRED = RefusalCode(
    "token_expired",
    status=401,
    zh="API 密钥 {prefix} 已于 {expired} 过期，或其旧密文的宽限期已过",
    en="The API key {prefix}, or the grace of its old secret, ended on {expired}",
    remedy_zh="请使用轮换后的新密钥，或轮换它（kaquan keys rotate）",
    remedy_en="Use the token that replaced it, or rotate it (kaquan keys rotate)",
    burns=False,
)
TOKEN_REVOKED = RefusalCode(
    "token_revoked",
    status=401,
    zh="API 密钥 {prefix} 已吊销",
    en="The API key {prefix} was revoked",
    remedy_zh="请向签发人申请新的密钥",
    remedy_en="Ask who issued it for a new one",
    burns=False,
)
KEY_NAME_INVALID = RefusalCode(
    "api_key_name_invalid",
    status=400,
    zh="密钥要有名称：1 到 {length_max} 个可见字符",
    en="A key has a name of 1 to {length_max} printable characters",
    remedy_zh="请写明是谁、哪台设备或哪个系统使用",
    remedy_en="Name the person, device or system that uses it",
    burns=False,
)
KEY_PLACE_INVALID = RefusalCode(
    "api_key_place_invalid",
    status=400,
    zh="商户和收银角色须指明商户，持卡人角色须指明钱包，其他角色两者都不填；运营方角色不填机构，其他角色必填",
    en="A merchant's or cashier's key names the merchant, a holder's the wallet, others neither; every key names an "
    "organisation but the operator's",
    remedy_zh="请按角色填写机构、商户或钱包",
    remedy_en="Give organisation, merchant or wallet as the role asks",
    burns=False,
)
KEY_SCOPE_UNKNOWN = RefusalCode(
    "api_key_scope_unknown",
    status=400,
    zh="没有权限范围“{scope}”",
    en="There is no scope {scope}",
    remedy_zh="请从 {scopes} 中选择，至少一项，每项一次",
    remedy_en="Choose from {scopes}: at least one, each once",
    burns=False,
)
KEY_SCOPE_BEYOND = RefusalCode(
    "api_key_scope_beyond",
    status=403,
    zh="签发人自己没有权限范围“{scope}”，不能授予别人",
    en="Who issues has not the scope {scope} and can't give it",
    remedy_zh="请由权限更大的人签发，或去掉这一项",
    remedy_en="Have it issued by somebody who may more, or leave the scope out",
)
KEY_DAYS_INVALID = RefusalCode(
    "api_key_days_invalid",
    status=400,
    zh="有效期是 1 到 {days_max} 天",
    en="A key lives 1 to {days_max} days",
    remedy_zh="请改短；到期前轮换即可继续使用",
    remedy_en="Choose fewer; rotate it before it expires",
    burns=False,
)
KEY_GRACE_INVALID = RefusalCode(
    "api_key_grace_invalid",
    status=400,
    zh="旧密钥的宽限期是 0 到 {hours_max} 小时",
    en="The old secret is taken for 0 to {hours_max} more hours",
    remedy_zh="已泄露的用 0；正常轮换留够更换的时间",
    remedy_en="Give 0 for a secret that leaked, else the time that replacing it takes",
    burns=False,
)
KEY_ROLE_BEYOND = RefusalCode(
    "api_key_role_beyond",
    status=403,
    zh="角色“{own}”不能签发、轮换或吊销角色“{role}”的密钥",
    en="The role {own} can't issue, rotate or revoke keys of the role {role}",
    remedy_zh="请由运营方或上级角色办理",
    remedy_en="Have it done by the operator or a role above",
)
KEY_ORGANISATION_UNKNOWN = RefusalCode(
    "api_key_organisation_unknown",
    status=404,
    zh="没有机构“{organisation}”，或不是您所在的机构",
    en="There is no organisation {organisation}, or it is not yours",
    remedy_zh="请核对机构代码",
    remedy_en="Check the organisation's code",
    burns=False,
)
KEY_MERCHANT_UNKNOWN = RefusalCode(
    "api_key_merchant_unknown",
    status=404,
    zh="这个机构没有商户“{merchant}”，或不是您的商户",
    en="The organisation has no merchant {merchant}, or it is not yours",
    remedy_zh="请核对商户代码和它所属的机构",
    remedy_en="Check the merchant's code and the organisation it belongs to",
    burns=False,
)
KEY_WALLET_UNKNOWN = RefusalCode(
    "api_key_wallet_unknown",
    status=404,
    zh="没有这个钱包",
    en="There is no such wallet",
    remedy_zh="请核对钱包编号",
    remedy_en="Check the wallet's id",
    burns=False,
)
KEY_UNKNOWN = RefusalCode(
    "api_key_unknown",
    status=404,
    zh="没有这把密钥",
    en="There is no such key",
    remedy_zh="用 kaquan keys list 查看",
    remedy_en="kaquan keys list shows them",
    burns=False,
)
KEY_IS_REVOKED = RefusalCode(
    "api_key_revoked",
    status=409,
    zh="密钥 {prefix} 已吊销",
    en="The key {prefix} was revoked already",
    remedy_zh="需要时请签发新的密钥",
    remedy_en="Issue a new one if one is needed",
)
KEY_OF_PEER = RefusalCode(
    "api_key_of_peer",
    status=403,
    zh="密钥 {prefix} 属于另一人：轮换会拿到密文、一人可当两人，只能由本人办理",
    en="The key {prefix} is another person's, whose secret a rotation would give away: one person could be two",
    remedy_zh="请由本人轮换（命令行：--as 密钥名称）；已泄露的先吊销，再签发新的",
    remedy_en="Have it rotated by that person (command line: --as and the key's name); revoke one that leaked, then "
    "issue another",
)
