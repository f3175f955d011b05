"""Refusals about holders."""

from kaquan.kernel.refusal import RefusalCode

HOLDER_EXISTS = RefusalCode(
    "holder_exists",
    status=409,
    zh="这个手机号已登记过持卡人",
    en="A holder is already registered with this phone number",
    remedy_zh="请用该手机号查找已有的钱包",
    remedy_en="Find the existing wallet by the phone number",
)
HOLDER_IDENTIFIED = RefusalCode(
    "holder_identified",
    status=409,
    zh="这位持卡人已登记过身份",
    en="This holder is identified already",
    remedy_zh="无需再登记；请核对是否选错了钱包",
    remedy_en="There is nothing to record; check that it is the wallet you mean",
)
WALLET_UNKNOWN = RefusalCode(
    "wallet_unknown",
    status=404,
    zh="没有这个钱包",
    en="There is no such wallet",
    remedy_zh="请核对钱包编号，或先登记持卡人",
    remedy_en="Check the wallet's id, or register the holder first",
    burns=False,
)
