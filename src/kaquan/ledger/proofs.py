"""Proofs: what must hold of the books, recounted from the rows themselves. Each is one query, one snapshot.

They read across capabilities on purpose: a proof that asked a capability for its own opinion would prove nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg

from kaquan.ledger.store import QUERIES, one_row

PROOFS: dict[str, tuple[str, str]] = {
    "trial_balance": ("每本账借贷相等", "in each book debits equal credits"),
    "floors": (
        "没有任何资金批次、保证金、打款户、资金户或应退持卡人为负",
        "no lot, reserve, payout, fund or debt to a holder lies below zero",
    ),
    "lot_balances": ("每个资金批次的余额等于其分录之和", "each lot's balance is the sum of its postings"),
    "lot_holds": ("批次冻结额等于未完成预授权之和", "what lots hold is what open authorizations allocate"),
    "payment_allocations": ("每笔支付的扣款明细等于其分录", "each payment's allocation equals its postings"),
    "refund_allocations": ("每笔退款的返还明细等于其分录", "each refund's allocation equals its postings"),
    "shortfalls": (
        "没有任何卡的返利欠款为负，每笔变动都来自一次退款",
        "no card owes a payer of rebates less than nothing, and only refunds change what it owes",
    ),
    "rewards": ("每笔到账返利等于其批次的入账", "each granted rebate equals what its lot was credited"),
    "vouchers": (
        "出资方已承诺的金额等于未用的券、返还计划和红包",
        "what funders promised is what vouchers, plans and packets are still worth",
    ),
    "plans": ("返还计划发放的券数等于已发月份", "each plan handed out the vouchers of just the months it counts"),
    "packets": (
        "每个红包池已领与未领之和等于总额，无一重领，且与承诺一致",
        "what of each pool was opened and was not is its total, each packet once and as committed",
    ),
    "funds": ("可承诺的预算不超过账面可用", "no more can be promised than is free by the books"),
    "stocks": ("已发放与剩余之和不超过发行总数和预算", "no stock has handed out more than it was given"),
    "discounts": ("券的优惠由其出资方支付，分文不差", "what vouchers took off was paid by just their funders"),
    "closings": (
        "应退持卡人等于退卡结清未付之和，付出多少记多少，已退的卡上分文不留",
        "what holders are owed is what was closed and not paid, each payment is on record, closed cards hold nothing",
    ),
    "passing": (
        "过户在途等于已转出未到账的卡，每次转让只到账一次",
        "what is between two holders is just the cards that were passed on and have not arrived",
    ),
    "breakage": (
        "未使用收入等于已确认未冲回之和，且只出自不记名卡",
        "breakage is what was recognised and not given back, and none of it of registered cards",
    ),
    "clearing": ("账簿之间的应付与应收相抵", "what books owe each other they claim of each other"),
    "merchant_payable": (
        "应付商户等于上期结转加未结算交易，每笔只计一次",
        "each merchant's payable is its carry and what is not settled yet, counted once",
    ),
    "settlements": (
        "每次结算等于其分录，并承接上一次的结转",
        "each settlement equals its postings and continues the last",
    ),
    "fees": (
        "手续费等于各期之和，税额按全月手续费一次取整",
        "fees of a month are those of its settlements, and their tax is rounded once for all of them",
    ),
    "partners": ("分账方所得等于其分录", "what partners got or gave back equals what was posted for them"),
    "transfers": ("内部划拨单等于其分录", "transfers to own stores equal what was posted for them"),
    "reserves": ("冻结未释放的保证金等于保证金账户", "reserves held back and not released are in their account"),
    "payouts": ("打款指令之和等于打款账户的入账", "payouts instructed equal what was posted for them"),
    "statements": (
        "每份对账单承接上一份，期末余额等于其截点内的分录之和",
        "each statement continues the last, and closes with what all postings within its cut add up to",
    ),
    "custody": (
        "每日存管与账面一致，应存取各规则中最严的一条，释放后不低于应存",
        "each day of custody ties to the books and requires what its strictest rule does; no release went below it",
    ),
    "payout_lives": (
        "在途、待重发和已付的打款与各银行账户的分录一致",
        "payouts on their way, waiting and paid are what was posted, for each merchant and bank account",
    ),
    "disputes": ("争议扣留等于未决的争议", "what is held back for disputes is what open disputes say"),
    "payouts_once": ("没有一笔打款付过两次", "no payout was confirmed twice"),
    "rollup": ("汇总等于逐笔重算", "the roll-up equals a full recount"),
    "journal": ("每个生效的指令恰有一个存证叶", "every command that took effect has exactly one leaf"),
    "postings": ("每笔分录都来自一个生效的指令", "every posting was made by a command that took effect"),
}
"""The proofs in the order they are shown, with what each says in Chinese and English."""


class Proof(NamedTuple):
    """Whether a statement about the books holds, and the numbers that say so (fen where the name ends in `_fen`)."""

    name: str
    ok: bool
    facts: Mapping[str, int]

    @property
    def zh(self) -> str:
        """What is proved, in Chinese."""
        return PROOFS[self.name][0]

    @property
    def en(self) -> str:
        """What is proved, in English."""
        return PROOFS[self.name][1]


def prove(connection: psycopg.Connection[Any], name: str) -> Proof:
    """One proof. Raises `KeyError` for a name that is none."""
    if name not in PROOFS:
        raise KeyError(name)
    row = one_row(connection, getattr(QUERIES, f"prove_{name}"))
    return Proof(name, bool(row.pop("ok")), {fact: int(value) for fact, value in row.items()})


def proofs(connection: psycopg.Connection[Any]) -> Iterator[Proof]:
    """All proofs, one after the other as they are made."""
    for name in PROOFS:
        yield prove(connection, name)
