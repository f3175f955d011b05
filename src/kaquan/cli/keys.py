"""`kaquan keys issue | list | rotate | revoke`: who may call from outside."""

from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As, Wallet
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.keys import key_document
from kaquan.identity import service
from kaquan.identity.errors import KEY_ORGANISATION_UNKNOWN, KEY_UNKNOWN
from kaquan.identity.keys import PREFIX_LENGTH, Token, new_token
from kaquan.identity.model import ANYTHING, SCOPES, IssueKey, KeyView, RevokeKey, RotateKey
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal

app = typer.Typer(
    no_args_is_help=True,
    help="API 密钥：签发、列出、轮换、吊销 / API keys: issue, list, rotate, revoke",
)

DAYS = 365
_COLUMNS = ("name", "role", "organisation", "scopes", "state", "expires_at", "last_used_at", "prefix")
_ROLES = [role for role in Role if role is not Role.SYSTEM]

KeyArgument = Annotated[
    str, typer.Argument(help="密钥：前缀或 key_… / Key: its prefix or key_…", metavar="KEY", show_default=False)
]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        help="权限范围，如 payments:write，可写多次；默认全部 / Scope such as payments:write, may be repeated; "
        "everything by default",
        metavar="SCOPE",
    ),
]
Days = Annotated[int, typer.Option("--days", help="有效天数 / Days that it lives", metavar="N")]


@app.command("issue")
@writes
def issue_command(
    session: Session,
    name: Annotated[
        str,
        typer.Argument(
            help="谁、哪台设备或哪个系统使用 / Person, device or system that uses it",
            metavar="NAME",
            show_default=False,
        ),
    ],
    role: Annotated[str, typer.Option("--role", help="角色 / Role", metavar="|".join(one.value for one in _ROLES))],
    organisation: Annotated[
        str,
        typer.Option(
            "--organisation",
            help="机构代码；运营方不填 / Code of the organisation; none for the operator",
            metavar="CODE",
        ),
    ] = "",
    merchant: Annotated[
        str, typer.Option("--merchant", help="商户代码：商户、收银角色 / Merchant's code: roles merchant, cashier")
    ] = "",
    wallet: Wallet = None,
    scope: Scopes = None,
    days: Days = DAYS,
    as_: As = None,
) -> None:
    """签发密钥：密文只显示这一次 / Issue a key: its secret is shown this once

    权限范围见 kaquan keys scopes。 / kaquan keys scopes lists the scopes.
    """
    token = new_token()
    command: dict[str, Any] = {
        "name": name,
        "role": _role(role),
        "organisation": organisation,
        "merchant": merchant,
        "wallet": identity("wal", wallet) if wallet else None,
        "scopes": tuple(scope or (ANYTHING,)),
        "days": days,
        "prefix": token.prefix,
        "digest": token.digest,
    }
    done = session.act(Kind.ISSUE_KEY, lambda key: IssueKey(key=key, caller=session.caller(as_), **command))
    _tell(session, ("密钥已签发。", "The key is issued."), done, token)


@app.command("rotate")
@writes
def rotate_command(
    session: Session,
    api_key: KeyArgument,
    days: Days = DAYS,
    grace_hours: Annotated[
        int,
        typer.Option(
            "--grace-hours",
            help="旧密文还有效多少小时；已泄露的用 0 / Hours that the old secret is still taken; 0 when it leaked",
            metavar="N",
        ),
    ] = 24,
    as_: As = None,
) -> None:
    """轮换密文：前缀不变，新密文只显示这一次 / Give a key a new secret: shown this once, the prefix stays"""
    key_id, prefix = _key(session, api_key)
    token = new_token(prefix)
    done = session.act(
        Kind.ROTATE_KEY,
        lambda key: RotateKey(
            key=key,
            caller=session.caller(as_),
            api_key=key_id,
            days=days,
            grace_hours=grace_hours,
            digest=token.digest,
        ),
    )
    _tell(session, ("密钥已轮换。", "The key is rotated."), done, token)


@app.command("revoke")
@writes
def revoke_command(session: Session, api_key: KeyArgument, as_: As = None) -> None:
    """吊销密钥，新旧密文都不再有效 / Revoke a key, whichever of its secrets is shown"""
    key_id, _ = _key(session, api_key)
    done = session.act(Kind.REVOKE_KEY, lambda key: RevokeKey(key=key, caller=session.caller(as_), api_key=key_id))
    session.tell(("密钥已吊销。", "The key is revoked."), done, _told(session, done))


@app.command("list")
@reads
def list_command(
    session: Session,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", help="只看一个机构 / One organisation only", metavar="CODE"),
    ] = None,
) -> None:
    """列出密钥：角色、期限、最近使用 / List the keys: role, expiry, last use"""
    number = None
    if organisation is not None:
        known = session.catalogue().organisations.get(organisation.strip())
        if known is None:
            session.refuse(Refusal(KEY_ORGANISATION_UNKNOWN, {"organisation": organisation[:40]}))
        number = known[0]
    found: list[KeyView] = []
    while page := service.keys(session.app.connection, number, found[-1].place if found else None):
        found += page
    none = ("还没有密钥：用 kaquan keys issue 签发。", "There is no key yet: kaquan keys issue issues one.")
    rows = [key_document(one) for one in found]
    people = [{**one, "scopes": " ".join(one["scopes"])} for one in rows]
    session.screen.rows("keys", _COLUMNS, people, none, rows)


@app.command("scopes")
@reads
def scopes_command(session: Session) -> None:
    """列出权限范围；* 是全部 / List the scopes; * is all of them"""
    session.screen.answer({"outcome": "effect", "scopes": sorted(SCOPES)}, sorted(SCOPES))


def _role(text: str) -> Role:
    for role in _ROLES:
        if role.value == text.strip().lower():
            return role
    known = ", ".join(one.value for one in _ROLES)
    raise Misuse(f"没有角色“{text}”：请写 {known} 之一。", f"There is no role {text}: write one of {known}.")


def _key(session: Session, text: str) -> tuple[Id, str]:
    """The key that a person means, with its prefix. Raises `RefusedHere`."""
    named = text.strip().lower()
    found = service.find_key(session.app.connection, named) if len(named) == PREFIX_LENGTH else None
    if found is None and named.startswith("key_"):
        found = service.key_named(session.app.connection, identity("key", named))
    if found is None:
        session.refuse(Refusal(KEY_UNKNOWN))
    return found.id, found.prefix


def _told(session: Session, done: Effect) -> dict[str, Any]:
    facts = shown(done.facts)
    codes = {number: code for code, (number, _) in session.catalogue().organisations.items()}
    facts["organisation"] = codes.get(facts["organisation"], "")
    if not session.screen.as_json:
        facts["scopes"] = " ".join(facts["scopes"])
    return facts


def _tell(session: Session, headline: Words, done: Effect, token: Token) -> None:
    """The answer and the token, this once: a repeated or tried-out command has none that would let anybody in."""
    facts = _told(session, done)
    if not (session.dry_run or done.replayed):
        facts = {"token": token.text, **facts}
    session.tell(headline, done, facts, ("api_key", "prefix"))
    if done.replayed:
        session.screen.note(
            f"密文只在当时显示过一次；没有保存的，请轮换（再早的密文随即失效）：kaquan keys rotate {facts['prefix']}",
            f"The secret was shown that once; if it is lost, rotate the key (the secret before it ends with that): "
            f"kaquan keys rotate {facts['prefix']}",
        )
    elif not session.dry_run:
        session.screen.note(
            "请立即保存密钥：本系统不保存密文，以后无法再显示。",
            "Keep the token now: the secret is kept nowhere here and can't be shown again.",
        )
