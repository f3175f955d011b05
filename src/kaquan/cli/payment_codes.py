"""`kaquan code`: devices that show payment codes: add, list, remove; show what one shows now."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse, RefusedHere
from kaquan.cli.files import private_file
from kaquan.cli.holders import wallet_of
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import Phone, Wallet
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Kind
from kaquan.db.wire import raw_cursor
from kaquan.documents.answers import instant
from kaquan.documents.devices import device_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import offline, service
from kaquan.payment_codes.model import DeviceState, RemoveDevice
from kaquan.payment_codes.rules import LIFE_STEPS, step_at

app = typer.Typer(
    no_args_is_help=True,
    help="付款码设备：添加、列出、停用、显示付款码 / Devices for payment codes: add, list, remove, show a code",
)

DeviceArgument = Annotated[
    str, typer.Argument(help="设备 dev_… / Device: dev_…", metavar="DEVICE", show_default=False)
]
_COLUMNS = ("device", "handle", "label", "state", "card", "at")


@app.command("add")
@writes
def add_command(
    session: Session,
    phone: Phone = None,
    wallet: Wallet = None,
    label: Annotated[
        str, typer.Option("--label", help="设备名称，只有持卡人看 / What its holder calls it", metavar="TEXT")
    ] = "phone",
    card: Annotated[
        str | None,
        typer.Option("--card", help="优先付款的卡：卡号或 crd_… / The card that pays first", metavar="CARD"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="密钥写入这个文件（仅本人可读），不在屏幕显示 / "
            "File for the secret (for its owner only) instead of the screen",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """添加设备：密钥只显示这一次，由手机保存，之后没有网络也能显示付款码 / Add a device; its secret is told only now

    重试时不再给出密钥；没有收到就停用后重新添加。 / A retry does not tell the secret again: remove the device and add
    it anew.
    """
    owner, named = wallet_of(session, wallet, phone), session.card(card) if card is not None else None
    cursor, app = raw_cursor(session.app.connection), session.app
    made = service.adding(cursor, app.master, OPERATOR, session.key(), wallet=owner, label=label, card=named)
    if isinstance(made, Refusal):
        raise RefusedHere(made)
    command, secret = made
    done = session.act(Kind.ADD_DEVICE, lambda key: command)
    facts: dict[str, Any] = {"device": public("dev", done.id), "handle": done.facts["handle"]}
    if not session.dry_run and not done.replayed:
        kept = {"handle": facts["handle"], "secret": secret.hex()}
        if out is None:
            facts |= kept
        else:
            with os.fdopen(private_file(out), "w", encoding="utf-8") as file:
                json.dump(kept, file)
    session.tell(("设备已添加。", "The device is added."), done, facts, ("device", "handle"))


@app.command("list")
@reads
def list_command(session: Session, phone: Phone = None, wallet: Wallet = None) -> None:
    """列出钱包的付款码设备 / List the devices of a wallet"""
    owner = wallet_of(session, wallet, phone)
    found = service.devices_of(session.app.connection, session.app.master, owner)
    rows = [device_document(one) for one in found]
    session.screen.rows("devices", _COLUMNS, rows, ("没有付款码设备。", "No devices."))


@app.command("remove")
@writes
def remove_command(session: Session, device: DeviceArgument) -> None:
    """停用设备：它的付款码不再有效 / Remove a device: its codes count no more"""
    target = identity("dev", device)
    done = session.act(Kind.REMOVE_DEVICE, lambda key: RemoveDevice(key=key, caller=OPERATOR, device=target))
    facts = {"device": public("dev", target), "state": DeviceState.REMOVED.name.lower()}
    session.tell(("设备已停用。", "The device is removed."), done, facts)


@app.command("show")
@reads
def show_command(
    session: Session,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="code add --out 写的文件 / File that code add --out wrote", metavar="[FILE]", show_default=False
        ),
    ] = None,
    handle: Annotated[
        str | None, typer.Option("--handle", help="设备号 / Handle of the device", metavar="DIGITS")
    ] = None,
    secret: Annotated[
        str | None, typer.Option("--secret", help="密钥，64 位十六进制 / Secret, 64 hex digits", metavar="HEX")
    ] = None,
) -> None:
    """像手机一样显示当前付款码，供演示和测试；不查询数据库 / Show the present code as a phone would, for tests"""
    digits, key = _kept(file, handle, secret)
    now_us = microseconds(session.app.door.at())
    ends = (step_at(now_us) + LIFE_STEPS) * offline.STEP_SECONDS * 1_000_000
    shown = offline.code(key, digits, now_us // 1_000_000)
    session.screen.one({"payment_code": shown, "expires_at": instant(ends)})


def _kept(file: Path | None, handle: str | None, secret: str | None) -> tuple[str, bytes]:
    """The handle and secret that a phone keeps. Raises `Misuse`."""
    if (file is None) == (handle is None or secret is None):
        raise Misuse("请给出文件，或同时给出 --handle 和 --secret。", "Give the file, or --handle and --secret.")
    try:
        if file is not None:
            kept = json.loads(file.read_text("utf-8"))
            handle, secret = str(kept["handle"]), str(kept["secret"])
        key = bytes.fromhex(secret or "")
    except (OSError, ValueError, KeyError, TypeError):
        key = b""
    digits = handle or ""
    formed = len(digits) == offline.HANDLE_DIGITS and digits.isascii() and digits.isdigit()
    if not formed or len(key) != offline.SECRET_BYTES:
        raise Misuse("设备号或密钥不完整。", "The handle or the secret is not whole.")
    return digits, key
