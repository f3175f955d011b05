"""Options and arguments that several commands share, and how amounts are read."""

from typing import Annotated

import typer

from kaquan.kernel.money import Money, MoneyError, yuan
from kaquan.kernel.refusal import Language


def amount(text: str) -> Money:
    """An amount above zero, in yuan as people write it. Raises `typer.BadParameter`."""
    try:
        value = yuan(text)
    except MoneyError:
        raise typer.BadParameter(
            f"“{text}”不是金额：请写元，最多两位小数，如 100 或 12.30 / "
            "not an amount: write yuan with at most two decimals, such as 100 or 12.30"
        ) from None
    if value <= 0:
        raise typer.BadParameter("金额必须大于 0 / the amount must be above zero")
    return value


Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="请求号：重试时用同一个，结果不会重复；默认新生成并打印 / "
        "Idempotency key: use the same one to retry; a fresh one is made and printed by default",
        metavar="KEY",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="只试算，不发生任何变动 / Decide only; nothing moves and nothing is recorded"),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="输出一个 JSON 对象，金额为整数分 / One JSON object; amounts are whole fen")
]
Lang = Annotated[
    Language | None,
    typer.Option("--lang", help="语言，默认取自设置 / Language; the settings decide by default", metavar="zh|en"),
]

As = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="办理人的姓名或工号，默认取自设置 KAQUAN_PERSON / "
        "Who acts, by name or staff number; KAQUAN_PERSON by default",
        metavar="NAME",
    ),
]

CardArgument = Annotated[
    str, typer.Argument(help="卡：卡号或 crd_… / Card: its number or crd_…", metavar="CARD", show_default=False)
]
PaymentArgument = Annotated[
    str, typer.Argument(help="支付编号 pay_… / Payment: pay_…", metavar="PAYMENT", show_default=False)
]
RefundAmount = Annotated[
    Money | None,
    typer.Option(
        "--amount",
        parser=amount,
        metavar="YUAN",
        help="退回价值多少的商品，默认全部 / Goods worth how much come back; all that are left by default",
    ),
]
RefundLines = Annotated[
    list[int] | None,
    typer.Option(
        "--line", metavar="N", min=1, help="退回第几行明细，可写多次 / A line of the order, from 1; repeated"
    ),
]
Merchant = Annotated[
    str, typer.Option("--merchant", help="商户：代码或 mer_… / Merchant: its code or mer_…", metavar="MERCHANT")
]
Amount = Annotated[
    Money,
    typer.Option(
        "--amount", parser=amount, metavar="YUAN", help="金额（元），如 12.30 / Amount in yuan, such as 12.30"
    ),
]
Face = Annotated[
    Money,
    typer.Option(
        "--face",
        parser=amount,
        metavar="YUAN",
        help="面值（元）：活动的一个档位 / Face value in yuan: one of the program's offers",
    ),
]
OptionalFace = Annotated[
    Money | None,
    typer.Option(
        "--face",
        parser=amount,
        metavar="YUAN",
        help="面值（元）：活动的一个档位；只用充值券时不填 / "
        "Face value in yuan: one of the program's offers; leave it out when only vouchers pay",
    ),
]
PayingVouchers = Annotated[
    list[str] | None,
    typer.Option(
        "--voucher",
        metavar="VOUCHER",
        help="充值券 vch_…，可写多次 / Top-up voucher: vch_…, may be repeated",
    ),
]
Channel = Annotated[
    str, typer.Option("--channel", help="收款渠道 / Payment channel that took the money", metavar="NAME")
]
Phone = Annotated[
    str | None,
    typer.Option(
        "--phone", help="手机号；写 - 则从标准输入读一行 / Phone number; - reads a line of stdin", metavar="PHONE"
    ),
]
Wallet = Annotated[str | None, typer.Option("--wallet", help="钱包 wal_… / Wallet: wal_…", metavar="WALLET")]
