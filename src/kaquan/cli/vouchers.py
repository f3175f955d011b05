"""`kaquan voucher`: claim, issue, list, show, reserve, release, void."""

from typing import Annotated

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.holders import wallet_of
from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import Merchant, Phone, Wallet
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.vouchers import voucher_document, voucher_row
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.refusal import Refusal
from kaquan.vouchers import codes, service
from kaquan.vouchers.errors import CODE_NOT_VALID, VOUCHER_UNKNOWN
from kaquan.vouchers.model import (
    Claim,
    ClaimByCode,
    IssueVoucher,
    ReleaseVoucher,
    ReserveVoucher,
    VoidVoucher,
)
from kaquan.vouchers.rules import RESERVE_MINUTES_MAX

app = typer.Typer(
    no_args_is_help=True,
    help="券：领取、发放、查看、占用、作废、券码、摇号 / Vouchers: claim, issue, show, reserve, void, codes, draws",
)

Program = Annotated[str, typer.Option("--program", help="活动代码 / Code of the program", metavar="CODE")]
Stock = Annotated[str, typer.Option("--stock", help="券批次代码 / Code of the stock", metavar="CODE")]
Device = Annotated[
    str | None,
    typer.Option("--device", help="设备标识，只留摘要 / What the device is called; a digest is kept", metavar="TEXT"),
]
Payee = Annotated[
    str | None,
    typer.Option("--payee", help="支付账户，只留摘要 / Payment account; a digest is kept", metavar="TEXT"),
]
VoucherArgument = Annotated[
    str, typer.Argument(help="券编号 vch_… / Voucher: vch_…", metavar="VOUCHER", show_default=False)
]
Order = Annotated[str, typer.Option("--order", help="商户订单号 / The merchant's order number", metavar="NO")]
Reason = Annotated[str, typer.Option("--reason", help="原因 / Reason", metavar="TEXT")]

_TOLD = ("voucher", "stock", "face_fen", "state", "valid_at", "expires_at", "held_until_at", "released_fen", "reason")
_NONE = {
    False: ("没有可用或占用中的券；加 --all 列出全部。", "No vouchers that can be used; --all lists the others too."),
    True: ("没有券。", "No vouchers."),
}
_COLUMNS = ("voucher", "stock", "state", "face_fen", "used_fen", "valid_at", "expires_at")


@app.command("claim")
@writes
def claim_command(
    session: Session,
    program: Program,
    stock: Stock,
    phone: Phone = None,
    wallet: Wallet = None,
    device: Device = None,
    payee: Payee = None,
) -> None:
    """领取一张券 / Claim a voucher of a stock into a holder's wallet"""
    owner, outside = wallet_of(session, wallet, phone), outside_of(session, device, payee)
    done = session.act(
        Kind.CLAIM,
        lambda key: Claim(key=key, caller=OPERATOR, wallet=owner, program=program, stock=stock, **outside),
    )
    _told(session, done, ("已领取一张券。", "Claimed a voucher."), ("voucher",))


@app.command("claim-code")
@writes
def claim_code_command(
    session: Session,
    code: Annotated[
        str | None,
        typer.Argument(
            help="券码，空格和连字符随意；不写则从标准输入读一行 / "
            "Code, with or without hyphens; a line of stdin when it is left out",
            metavar="[CODE]",
            show_default=False,
        ),
    ] = None,
    phone: Phone = None,
    wallet: Wallet = None,
    device: Device = None,
    payee: Payee = None,
) -> None:
    """凭券码领取 / Claim the voucher that a code is worth"""
    owner, outside = wallet_of(session, wallet, phone), outside_of(session, device, payee)
    read = codes.normalise(code if code is not None else typer.get_text_stream("stdin").readline())
    if read is None:
        session.refuse(Refusal(CODE_NOT_VALID))
    if not codes.fits(read):
        session.screen.note(
            "校验位不符：如果是本系统印制的券码，请核对是否输错。",
            "The check character does not fit: if we printed this code, look whether it was mistyped.",
        )
    digest = codes.digest(service.code_key(session.app.master), read)
    done = session.act(
        Kind.CLAIM_BY_CODE,
        lambda key: ClaimByCode(key=key, caller=OPERATOR, wallet=owner, digest=digest, **outside),
    )
    _told(session, done, ("已凭码领取一张券。", "Claimed a voucher by its code."), ("voucher",))


@app.command("issue")
@writes
def issue_command(
    session: Session, program: Program, stock: Stock, reason: Reason, phone: Phone = None, wallet: Wallet = None
) -> None:
    """直接发放一张券给持卡人 / Give a holder a voucher, for a reason"""
    owner, why = wallet_of(session, wallet, phone), _said(reason)
    done = session.act(
        Kind.ISSUE_VOUCHER,
        lambda key: IssueVoucher(key=key, caller=OPERATOR, wallet=owner, program=program, stock=stock, reason=why),
    )
    _told(session, done, ("已发放一张券。", "Issued a voucher."), ("voucher",))


@app.command("list")
@reads
def list_command(
    session: Session,
    phone: Phone = None,
    wallet: Wallet = None,
    every: Annotated[
        bool, typer.Option("--all", help="也列出已用、过期和作废的 / Also those used, expired or voided")
    ] = False,
) -> None:
    """列出持卡人的券 / List a holder's vouchers"""
    found = service.of_wallet(session.app.connection, wallet_of(session, wallet, phone), every=every)
    catalogue = session.catalogue()
    rows = [voucher_row(one, catalogue) for one in found]
    session.screen.rows("vouchers", _COLUMNS, rows, _NONE[every])


@app.command("show")
@reads
def show_command(session: Session, voucher: VoucherArgument) -> None:
    """查看一张券 / Show a voucher"""
    found = service.view(session.app.connection, identity("vch", voucher))
    if found is None:
        session.refuse(Refusal(VOUCHER_UNKNOWN))
    facts = voucher_document(found)
    session.screen.answer({"outcome": "effect", **facts})
    if not session.screen.as_json:
        session.screen.facts({name: given for name, given in facts.items() if given is not None})


@app.command("reserve")
@writes
def reserve_command(
    session: Session,
    voucher: VoucherArgument,
    merchant: Merchant,
    order: Order,
    minutes: Annotated[
        int,
        typer.Option("--minutes", min=1, max=RESERVE_MINUTES_MAX, help="占用几分钟 / For how many minutes"),
    ] = 15,
) -> None:
    """为一笔订单占用券 / Keep a voucher for an order: that order takes it back"""
    target, owner = identity("vch", voucher), session.merchant(merchant)
    done = session.act(
        Kind.RESERVE_VOUCHER,
        lambda key: ReserveVoucher(
            key=key, caller=OPERATOR, voucher=target, merchant=owner, order_no=order, minutes=minutes
        ),
    )
    _told(session, done, ("券已占用。", "The voucher is reserved."))


@app.command("release")
@writes
def release_command(session: Session, voucher: VoucherArgument, merchant: Merchant, order: Order) -> None:
    """释放为订单占用的券 / Give up an order's reservation"""
    target, owner = identity("vch", voucher), session.merchant(merchant)
    done = session.act(
        Kind.RELEASE_VOUCHER,
        lambda key: ReleaseVoucher(key=key, caller=OPERATOR, voucher=target, merchant=owner, order_no=order),
    )
    _told(session, done, ("占用已释放。", "The reservation is given up."))


@app.command("void")
@writes
def void_command(session: Session, voucher: VoucherArgument, reason: Reason) -> None:
    """作废一张券，承诺的资金退回出资方 / Void a voucher: what was promised for it is its funders' again"""
    target, why = identity("vch", voucher), _said(reason)
    done = session.act(
        Kind.VOID_VOUCHER, lambda key: VoidVoucher(key=key, caller=OPERATOR, voucher=target, reason=why)
    )
    _told(session, done, ("券已作废。", "The voucher is void."))


def _told(session: Session, done: Effect, headline: Words, born: tuple[str, ...] = ()) -> None:
    facts = shown(done.facts)
    session.tell(headline, done, {name: facts[name] for name in _TOLD if name in facts}, born)


def outside_of(session: Session, device: str | None, payee: str | None) -> dict[str, bytes]:
    """What was told of the device and the payment account, as the digests that claims carry."""
    told = {"device": device, "payee": payee}
    master = session.app.master
    return {kind: service.outside_digest(master, kind, text) for kind, text in told.items() if text is not None}


def _said(reason: str) -> str:
    if not reason.strip():
        raise Misuse("请用 --reason 写明原因。", "Give a reason: --reason.")
    return reason.strip()
