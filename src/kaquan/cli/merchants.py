"""`kaquan organisation`, `kaquan merchant`, `kaquan store`: who takes part."""

from typing import Annotated, Any

import typer

from kaquan.cli.options import AsJson, DryRun, Key, Lang, Merchant
from kaquan.cli.session import Session, opened
from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import public
from kaquan.merchants.model import RegisterMerchant, RegisterOrganisation, RegisterStore
from kaquan.merchants.service import directory

organisations = typer.Typer(no_args_is_help=True, help="机构：发行方与商户组 / Organisations: issuers and groups")
merchants = typer.Typer(no_args_is_help=True, help="商户 / Merchants")
stores = typer.Typer(no_args_is_help=True, help="门店 / Stores")

MERCHANT_ACTIVE = 1
_SHOWN_DIGITS = 4

Code = Annotated[
    str,
    typer.Argument(
        help="代码：小写字母、数字和连字符 / Code: lower-case letters, digits, hyphens",
        metavar="CODE",
        show_default=False,
    ),
]
Name = Annotated[str, typer.Option("--name", help="名称 / Name", metavar="NAME")]


@organisations.command("register")
def register_organisation(
    code: Code,
    name: Name,
    book: Annotated[
        bool,
        typer.Option("--book", help="在此建账：发行方需要 / It keeps accounts here, as an issuer does"),
    ] = False,
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """登记机构：发行方（加 --book）或商户组 / Register an organisation: an issuer (--book) or a merchant group"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        _register(
            session,
            Kind.REGISTER_ORGANISATION,
            lambda key: RegisterOrganisation(key=key, caller=OPERATOR, code=code, name=name, keeps_book=book),
            {"name": name, "book": book},
        )


@merchants.command("register")
def register_merchant(
    code: Code,
    name: Name,
    group: Annotated[
        str, typer.Option("--group", help="所属商户组的代码 / Code of the group it belongs to", metavar="CODE")
    ],
    bank: Annotated[str, typer.Option("--bank", help="开户行 / Bank it is paid at", metavar="NAME")],
    account_no: Annotated[
        str, typer.Option("--account-no", help="收款账号 / Number of its account", metavar="NUMBER")
    ],
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """登记商户和收款账户 / Register a merchant and the account it is paid to"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
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
            {"name": name, "group": group, "bank": bank, "account_no": f"****{account_no[-_SHOWN_DIGITS:]}"},
        )


@merchants.command("list")
def list_merchants(lang: Lang = None, as_json: AsJson = False) -> None:
    """列出商户 / List the merchants"""
    with opened(lang, as_json) as session:
        rows = [
            {
                "code": one.code,
                "name": one.name,
                "group": one.organisation,
                "stores": one.stores,
                "state": "active" if one.state == MERCHANT_ACTIVE else "closed",
                "id": public("mer", one.id.bytes),
            }
            for one in directory(session.app.connection)
        ]
        none = (
            "还没有商户：用 kaquan merchant register 登记。",
            "There is no merchant yet.",
        )
        session.screen.rows("merchants", ("code", "name", "group", "stores", "state", "id"), rows, none)


@stores.command("register")
def register_store(
    code: Code,
    name: Name,
    merchant: Merchant,
    scene: Annotated[str, typer.Option("--scene", help="消费场景 / Kind of trade", metavar="NAME")] = "retail",
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """登记商户的门店 / Register a store of a merchant"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        owner = session.catalogue().merchants[session.merchant(merchant)]
        _register(
            session,
            Kind.REGISTER_STORE,
            lambda key: RegisterStore(
                key=key, caller=OPERATOR, code=code, name=name, merchant=owner.code, scene=scene
            ),
            {"name": name, "merchant": owner.code},
        )


_PREFIX = {"merchant": "mer", "store": "sto"}
_WORD = {
    "organisation": ("机构", "Organisation"),
    "merchant": ("商户", "Merchant"),
    "store": ("门店", "Store"),
}


def _register(session: Session, kind: Kind, make: Any, facts: dict[str, Any]) -> None:
    done = session.act(kind, make)
    answer = done.facts
    what = answer["registered"]
    prefix = _PREFIX.get(what)
    identity = public(prefix, bytes.fromhex(answer["id"])) if prefix else f"org_{answer['id']}"
    zh, en = _WORD[what]
    headline = (f"{zh} {answer['code']} 已登记。", f"{en} {answer['code']} is registered.")
    session.tell(headline, done, {"id": identity, "code": answer["code"], **facts}, ("id",))
