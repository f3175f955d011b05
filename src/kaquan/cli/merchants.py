"""`kaquan organisation`, `kaquan merchant`, `kaquan store`: who takes part."""

from typing import Annotated, Any

import typer

from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import Merchant
from kaquan.cli.session import Session
from kaquan.commands.model import Effect, Kind
from kaquan.documents.merchants import bank_document, hidden, merchant_row, registered_id
from kaquan.kernel.caller import OPERATOR
from kaquan.merchants.model import (
    BindBankAccount,
    RegisterMerchant,
    RegisterOrganisation,
    RegisterStore,
    VerifyBankAccount,
)
from kaquan.merchants.service import directory
from kaquan.programs.enrolment import EnrolMerchant, SuspendMerchant

organisations = typer.Typer(no_args_is_help=True, help="机构：发行方与商户组 / Organisations: issuers and groups")
merchants = typer.Typer(no_args_is_help=True, help="商户 / Merchants")
stores = typer.Typer(no_args_is_help=True, help="门店 / Stores")

Code = Annotated[
    str,
    typer.Argument(
        help="代码：小写字母、数字和连字符 / Code: lower-case letters, digits, hyphens",
        metavar="CODE",
        show_default=False,
    ),
]
MerchantArgument = Annotated[
    str,
    typer.Argument(help="商户：代码或 mer_… / Merchant: its code or mer_…", metavar="MERCHANT", show_default=False),
]
ProgramOption = Annotated[str, typer.Option("--program", help="活动代码 / Code of the program", metavar="PROGRAM")]
AccountNo = Annotated[str, typer.Option("--account-no", help="收款账号 / Number of the account", metavar="NUMBER")]
Name = Annotated[str, typer.Option("--name", help="名称 / Name", metavar="NAME")]


@organisations.command("register")
@writes
def register_organisation(
    session: Session,
    code: Code,
    name: Name,
    book: Annotated[
        bool,
        typer.Option("--book", help="在此建账：发行方需要 / It keeps accounts here, as an issuer does"),
    ] = False,
) -> None:
    """登记机构：发行方（加 --book）或商户组 / Register an organisation: an issuer (--book) or a merchant group"""
    _register(
        session,
        Kind.REGISTER_ORGANISATION,
        lambda key: RegisterOrganisation(key=key, caller=OPERATOR, code=code, name=name, keeps_book=book),
        {"name": name, "book": book},
    )


@merchants.command("register")
@writes
def register_merchant(
    session: Session,
    code: Code,
    name: Name,
    group: Annotated[
        str, typer.Option("--group", help="所属商户组的代码 / Code of the group it belongs to", metavar="CODE")
    ],
    bank: Annotated[
        str,
        typer.Option("--bank", help="开户行；可以以后绑定 / Bank it is paid at; may be bound later", metavar="NAME"),
    ] = "",
    account_no: Annotated[
        str,
        typer.Option(
            "--account-no",
            help="收款账号；可以以后绑定 / Number of its account; may be bound later",
            metavar="NUMBER",
        ),
    ] = "",
) -> None:
    """登记商户和收款账户 / Register a merchant and the account it is paid to"""
    _register(
        session,
        Kind.REGISTER_MERCHANT,
        lambda key: RegisterMerchant(
            key=key,
            caller=OPERATOR,
            code=code,
            name=name,
            organisation=group,
            account_bank=bank,
            account_no=account_no,
        ),
        {"name": name, "group": group, "bank": bank, "account_no": hidden(account_no)},
    )


@merchants.command("list")
@reads
def list_merchants(session: Session) -> None:
    """列出商户 / List the merchants"""
    rows = [merchant_row(one) for one in directory(session.app.connection)]
    none = (
        "还没有商户：用 kaquan merchant register 登记。",
        "There is no merchant yet.",
    )
    columns = ("code", "name", "group", "stores", "bank_state", "state", "id")
    session.screen.rows("merchants", columns, rows, none)


@merchants.command("bind-bank")
@writes
def bind_bank_command(
    session: Session,
    merchant: MerchantArgument,
    bank: Annotated[str, typer.Option("--bank", help="开户行 / Bank", metavar="NAME")],
    account_no: AccountNo,
) -> None:
    """绑定商户的收款账户；绑定后须核验 / Bind the account a merchant is paid to; it is verified next"""
    code = session.catalogue().merchants[session.merchant(merchant)].code
    done = session.act(
        Kind.BIND_BANK_ACCOUNT,
        lambda key: BindBankAccount(
            key=key, caller=OPERATOR, merchant=code, account_bank=bank, account_no=account_no
        ),
    )
    _tell_bank(session, done, code, (f"商户 {code} 的收款账户已绑定，待核验。", f"An account of {code} is bound."))


@merchants.command("verify-bank")
@writes
def verify_bank_command(
    session: Session,
    merchant: MerchantArgument,
    account_no: AccountNo,
    proof: Annotated[
        str,
        typer.Option(
            "--proof",
            help="凭证编号：开户证明、打款验证 / What proves it: a document, a trial transfer",
            metavar="REF",
        ),
    ],
) -> None:
    """核验商户绑定的收款账户 / Record the proof that the bound account is the merchant's"""
    code = session.catalogue().merchants[session.merchant(merchant)].code
    done = session.act(
        Kind.VERIFY_BANK_ACCOUNT,
        lambda key: VerifyBankAccount(key=key, caller=OPERATOR, merchant=code, account_no=account_no, proof=proof),
    )
    _tell_bank(session, done, code, (f"商户 {code} 的收款账户已核验。", f"The account of {code} is verified."))


@merchants.command("enrol")
@writes
def enrol_command(session: Session, merchant: MerchantArgument, program: ProgramOption) -> None:
    """商户入驻活动，开始受理 / Enrol a merchant in a program: it accepts from now on"""
    code = session.catalogue().merchants[session.merchant(merchant)].code
    done = session.act(
        Kind.ENROL_MERCHANT,
        lambda key: EnrolMerchant(key=key, caller=OPERATOR, program=program, merchant=code),
    )
    facts = {"merchant": code, "program": program, "state": done.facts["state"]}
    session.tell((f"商户 {code} 已入驻 {program}。", f"{code} is enrolled in {program}."), done, facts)


@merchants.command("suspend")
@writes
def suspend_command(
    session: Session,
    merchant: MerchantArgument,
    program: ProgramOption,
    reason: Annotated[str, typer.Option("--reason", help="原因 / Why", metavar="TEXT")],
) -> None:
    """暂停商户受理活动；已有交易照常结算 / Suspend a merchant from a program; what it earned is settled as before"""
    code = session.catalogue().merchants[session.merchant(merchant)].code
    done = session.act(
        Kind.SUSPEND_MERCHANT,
        lambda key: SuspendMerchant(key=key, caller=OPERATOR, program=program, merchant=code, reason=reason),
    )
    facts = {"merchant": code, "program": program, "state": done.facts["state"]}
    session.tell((f"商户 {code} 已暂停受理 {program}。", f"{code} is suspended from {program}."), done, facts)


@stores.command("register")
@writes
def register_store(
    session: Session,
    code: Code,
    name: Name,
    merchant: Merchant,
    scene: Annotated[str, typer.Option("--scene", help="消费场景 / Kind of trade", metavar="NAME")] = "retail",
) -> None:
    """登记商户的门店 / Register a store of a merchant"""
    owner = session.catalogue().merchants[session.merchant(merchant)]
    _register(
        session,
        Kind.REGISTER_STORE,
        lambda key: RegisterStore(key=key, caller=OPERATOR, code=code, name=name, merchant=owner.code, scene=scene),
        {"name": name, "merchant": owner.code},
    )


def _tell_bank(session: Session, done: Effect, code: str, headline: Words) -> None:
    session.tell(headline, done, bank_document(code, done.facts))


_WORD = {
    "organisation": ("机构", "Organisation"),
    "merchant": ("商户", "Merchant"),
    "store": ("门店", "Store"),
}


def _register(session: Session, kind: Kind, make: Any, facts: dict[str, Any]) -> None:
    done = session.act(kind, make)
    answer = done.facts
    zh, en = _WORD[answer["registered"]]
    headline = (f"{zh} {answer['code']} 已登记。", f"{en} {answer['code']} is registered.")
    session.tell(headline, done, {"id": registered_id(answer), "code": answer["code"], **facts}, ("id",))
