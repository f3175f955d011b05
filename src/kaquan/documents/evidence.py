"""What a holder is given who asks for everything: contracts as sold, every event, balances, statements, in one zip.

Her name and numbers are opened from the vault for this and nowhere kept: who makes a bundle writes the audit log.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from kaquan.cards.service import of_wallet
from kaquan.documents.answers import instant, shown
from kaquan.documents.cards import card_document
from kaquan.holders.service import read_person
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.clock import microseconds
from kaquan.kernel.clock import shown as shown_instant
from kaquan.kernel.ids import Id, parse, public
from kaquan.kernel.refusal import Language
from kaquan.main import Kaquan
from kaquan.programs.contract import contract, digest
from kaquan.reporting import service
from kaquan.reporting.checking import file_name
from kaquan.reporting.model import MakeStatement, PartyKind, file_of
from kaquan.reporting.rendering import as_pdf
from kaquan.sales.service import bought

FORMAT = "kaquan-evidence-1"
STATEMENTS_MAX = 120  # ten years of months
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_STAMP = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: when it was made stands in the manifest
_README = (
    "持卡人证据包\n\n"
    "person.json 持卡人本人资料；cards.json 各卡与资金批次的当前余额；events.json 全部事项，按时间排列；\n"
    "contracts/ 售卡与充值时的合同及其摘要；statements/ 对账单（JSON 与 PDF）。金额单位：分。时间：UTC。\n"
    "核对：在本目录执行 sha256sum -c SHA256SUMS；对账单用 kaquan statements verify statements 核对。\n\n"
    "Evidence for a holder\n\n"
    "person.json: who she is; cards.json: cards and lots as they are now; events.json: all that happened, in order;\n"
    "contracts/: the contracts as sold, with their digests; statements/: statements (JSON, PDF). Amounts are fen,\n"
    "instants UTC. To check: sha256sum -c SHA256SUMS in this folder; kaquan statements verify statements.\n"
)


def evidence(app: Kaquan, wallet: Id, at: datetime, language: Language) -> tuple[bytes, dict[str, Any]]:
    """The zip, and its manifest: of each file the size and SHA-256."""
    files = dict(_files(app, wallet, at, language))
    listed = [
        {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    ]
    manifest = {
        "format": FORMAT,
        "wallet": public("wal", wallet),
        "made_at": instant(microseconds(at)),
        "files": listed,
    }
    files[MANIFEST] = _json(manifest)
    sums = [*((one["sha256"], one["name"]) for one in listed), (sha256(files[MANIFEST]).hexdigest(), MANIFEST)]
    files[SUMS] = "".join(f"{digest}  {name}\n" for digest, name in sums).encode()
    return _zip(files), manifest


def until_yesterday(wallet: Id, at: datetime, below: int) -> MakeStatement:
    """The command that brings a holder's statements up to date; `below` is a `service.horizon`."""
    until = business_date(at) - timedelta(days=1)
    return service.making(SYSTEM, PartyKind.HOLDER, wallet, until, below)


def _files(app: Kaquan, wallet: Id, at: datetime, language: Language) -> Iterator[tuple[str, bytes]]:
    yield "README.txt", _README.encode()
    yield "person.json", _json(_person(app, wallet))
    cards = [Id(one.id.bytes) for one in of_wallet(app.connection, wallet)]
    documents = [found for card in cards if (found := card_document(app.connection, card, at)) is not None]
    yield "cards.json", _json({"at": instant(microseconds(at)), "cards": documents})
    events = [_event(*one) for one in service.events(app.connection, wallet)]
    yield "events.json", _json({"events": events})
    for document in documents:
        yield from _contracts(app, document, language)
    yield from _statements(app, wallet, language)


def _person(app: Kaquan, wallet: Id) -> dict[str, Any]:
    person = read_person(app.connection, app.master, wallet)
    told = {"wallet": public("wal", wallet)}
    if person is None:
        return told
    return {**told, "name": person.name, "phone": person.phone, "id_number": person.id_number}


def _event(identity: Id, kind: str, at_us: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": public("trf", identity), "at": instant(at_us), "what": kind, **shown(answer)}


def _contracts(app: Kaquan, document: Mapping[str, Any], language: Language) -> Iterator[tuple[str, bytes]]:
    """Each purchase's contract, and whether it still gives the digest that was kept when it was sold."""
    kept = []
    for number, found in enumerate(bought(app.connection, parse("crd", document["card"])), 1):
        version = found.terms_version or document["terms_version"]
        terms = app.catalogue.terms_of(document["program"], version)
        if terms is None:
            continue
        name = f"contracts/{document['number']}-{number:02d}.{language}.txt"
        yield name, contract(terms, found.purchase, language).encode()
        kept.append(
            {
                "file": name,
                "sold_at": shown_instant(found.purchase.at),
                "terms_version": version,
                "digest_kept": found.contract,
                "unchanged": digest(terms, found.purchase) == found.contract,
            }
        )
    if kept:
        yield f"contracts/{document['number']}.json", _json({"contracts": kept})


def _statements(app: Kaquan, wallet: Id, language: Language) -> Iterator[tuple[str, bytes]]:
    for listed in service.statements(app.connection, PartyKind.HOLDER, [wallet], None, STATEMENTS_MAX):
        found = service.statement_by_id(app.connection, listed.id)
        if found is not None:
            record = found.record
            stem = f"statements/{file_name(record)}"
            yield f"{stem}.json", file_of(found.body, found.hash)
            yield f"{stem}.{language}.pdf", as_pdf(record, found.hash.hex(), language)


def _json(document: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"


def _zip(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
