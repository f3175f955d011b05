"""The chart of accounts. The numbers are stored in postings: never reuse one.

An account is (book, number, owner): card accounts belong to a lot, merchant accounts to a merchant, channel
accounts to a channel; what is owed to a holder outside any card belongs to the card that was closed; accounts of
the entity itself have no owner.
"""

from enum import IntEnum
from typing import NamedTuple


class Account(IntEnum):
    """Account numbers."""

    BANK_CUSTODY = 10
    BANK_OPERATING = 11
    BANK_FISCAL = 12
    CHANNEL = 13
    CARD_PRINCIPAL = 20
    CARD_BONUS = 21
    CARD_SUBSIDY = 22
    CARD_TRANSFER = 23
    FUNDER_BUDGET = 30
    FUNDER_COMMITTED = 31
    FUNDER_RECEIVABLE = 32
    FUNDER_PLEDGE = 33
    MERCHANT_PAYABLE = 40
    MERCHANT_RESERVE = 41
    MERCHANT_PAYOUT = 42
    MERCHANT_DISCOUNT = 43
    MERCHANT_DISCOUNT_BORNE = 44
    PARTNER_PAYABLE = 45
    MERCHANT_WAITING = 46
    MERCHANT_DISPUTED = 47
    HOLDER_REFUND = 50
    PROMO_DEFERRED = 60
    PROMO_EXPENSE = 61
    FEE_INCOME = 62
    BREAKAGE_INCOME = 63
    INTEREST_EXPENSE = 64
    INTEREST_PAYABLE = 65
    TAX_PAYABLE = 66
    STORE_TRANSFER = 67
    CREDIT_LOSS = 69
    DUE_TO = 70
    DUE_FROM = 71


class Source(IntEnum):
    """Which money a payable will be paid from. Custody release follows it."""

    NONE = 0
    CUSTODY = 1
    OPERATING = 2
    FISCAL = 3


class AccountInfo(NamedTuple):
    """An account's public name, its normal side, whether its owner's balance may never fall below zero."""

    name: str
    zh: str
    side: str
    floor: bool = False


CHART: dict[Account, AccountInfo] = {
    Account.BANK_CUSTODY: AccountInfo("bank.custody", "存管银行存款", "debit"),
    Account.BANK_OPERATING: AccountInfo("bank.operating", "自有银行存款", "debit"),
    Account.BANK_FISCAL: AccountInfo("bank.fiscal", "财政资金专户", "debit"),
    Account.CHANNEL: AccountInfo("channel", "支付渠道在途", "debit"),
    Account.CARD_PRINCIPAL: AccountInfo("card.principal", "卡本金", "credit", floor=True),
    Account.CARD_BONUS: AccountInfo("card.bonus", "卡赠金", "credit", floor=True),
    Account.CARD_SUBSIDY: AccountInfo("card.subsidy", "卡补贴", "credit", floor=True),
    Account.CARD_TRANSFER: AccountInfo("clearing.transfer", "过户在途", "credit", floor=True),
    Account.FUNDER_BUDGET: AccountInfo("funder.budget", "出资方可用预算", "credit", floor=True),
    Account.FUNDER_COMMITTED: AccountInfo("funder.committed", "出资方已承诺", "credit", floor=True),
    Account.FUNDER_RECEIVABLE: AccountInfo("funder.receivable", "应收出资方", "debit"),
    Account.FUNDER_PLEDGE: AccountInfo("funder.pledge", "出资方承诺额度（备查）", "debit", floor=True),
    Account.MERCHANT_PAYABLE: AccountInfo("merchant.payable", "应付商户", "credit"),
    Account.MERCHANT_RESERVE: AccountInfo("merchant.reserve", "商户保证金", "credit", floor=True),
    Account.MERCHANT_PAYOUT: AccountInfo("merchant.payout", "打款在途", "credit", floor=True),
    Account.MERCHANT_DISCOUNT: AccountInfo("merchant.discount", "商户自担优惠（备查）", "debit"),
    Account.MERCHANT_DISCOUNT_BORNE: AccountInfo("merchant.discount_borne", "商户自担优惠（备查对方）", "credit"),
    Account.PARTNER_PAYABLE: AccountInfo("partner.payable", "应付分账方", "credit"),
    Account.MERCHANT_WAITING: AccountInfo("merchant.waiting", "打款未成待重发", "credit", floor=True),
    Account.MERCHANT_DISPUTED: AccountInfo("merchant.disputed", "争议扣留", "credit", floor=True),
    Account.HOLDER_REFUND: AccountInfo("holder.refund", "应退持卡人", "credit", floor=True),
    Account.PROMO_DEFERRED: AccountInfo("promo.deferred", "待摊促销费用", "debit"),
    Account.PROMO_EXPENSE: AccountInfo("promo.expense", "促销费用", "debit"),
    Account.FEE_INCOME: AccountInfo("fee.income", "手续费收入", "credit"),
    Account.BREAKAGE_INCOME: AccountInfo("breakage.income", "未使用收入", "credit"),
    Account.INTEREST_EXPENSE: AccountInfo("interest.expense", "利息支出", "debit"),
    Account.INTEREST_PAYABLE: AccountInfo("interest.payable", "应付持卡人利息", "credit", floor=True),
    Account.TAX_PAYABLE: AccountInfo("tax.payable", "应交增值税", "credit"),
    Account.STORE_TRANSFER: AccountInfo("store.transfer", "自营门店内部划拨", "credit"),
    Account.CREDIT_LOSS: AccountInfo("credit.loss", "坏账损失", "debit"),
    Account.DUE_TO: AccountInfo("due_to", "应付其他账簿", "credit"),
    Account.DUE_FROM: AccountInfo("due_from", "应收其他账簿", "debit"),
}
