"""May this organisation, merchant or store be registered? Pure."""

import re
from hashlib import sha256
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.ids import BUCKETS, Id, bucket_of, derived_id
from kaquan.kernel.refusal import Refusal
from kaquan.merchants import errors
from kaquan.merchants.model import ReferenceFacts, RegisterMerchant, RegisterOrganisation, RegisterStore

Cold = tuple[str, dict[str, Any]]

CODE_LENGTH_MAX = 40
BANK_LENGTH_MAX = 80  # a bank with its branch
_CODE = re.compile(r"[a-z0-9][a-z0-9-]*")
_ACCOUNT_NO = re.compile(r"[0-9A-Z-]{6,34}")  # up to the length of an IBAN


def decide(entry: Entry, facts: ReferenceFacts) -> Plan | Refusal:
    """Register an organisation, a merchant or a store under a code of its own."""
    command = entry.command
    if refusal := malformed(command.code):
        return refusal
    match command:
        case RegisterOrganisation():
            return _organisation(command, facts)
        case RegisterMerchant():
            return _merchant(entry, command, facts)
        case RegisterStore():
            return _store(entry, command, facts)
    raise TypeError(f"not a registration: {type(command).__name__}")


def malformed(code: str) -> Refusal | None:
    """Whether a text can't be the code of anything."""
    if _CODE.fullmatch(code) and len(code) <= CODE_LENGTH_MAX:
        return None
    return Refusal(errors.CODE_INVALID, {"length_max": CODE_LENGTH_MAX})


def _organisation(command: RegisterOrganisation, facts: ReferenceFacts) -> Plan | Refusal:
    if command.code in facts.organisations:
        return Refusal(errors.CODE_TAKEN, {"code": command.code})
    book = facts.next_book if command.keeps_book else None
    cold: list[Cold] = []
    if command.keeps_book:
        cold.append(("book", {"id": book, "code": command.code, "name": command.name}))
    organisation: dict[str, Any] = {
        "id": facts.next_organisation,
        "code": command.code,
        "name": command.name,
        "book": book,
    }
    return _registered("organisation", [*cold, ("organisation", organisation)], command.code, str(organisation["id"]))


def _merchant(entry: Entry, command: RegisterMerchant, facts: ReferenceFacts) -> Plan | Refusal:
    if command.code in facts.merchants:
        return Refusal(errors.CODE_TAKEN, {"code": command.code})
    group = facts.organisations.get(command.organisation)
    if group is None:
        return Refusal(errors.ORGANISATION_UNKNOWN, {"code": command.organisation})
    told = command.account_bank or command.account_no
    if told and (refusal := account_refusal(command.account_bank, command.account_no)):
        return refusal
    identity = _drawn_bucket(entry.id)
    row = {
        "id": identity.hex(),
        "bucket": bucket_of(identity),
        "code": command.code,
        "name": command.name,
        "organisation": group,
        "account_bank": command.account_bank,
        "account_no": command.account_no,
        "bank_verified": False,
        "bank_proof": "",
        "state": 1,
        "version": 1,
    }
    return _registered("merchant", [("merchant", row)], command.code, identity.hex())


def account_refusal(account_bank: str, account_no: str) -> Refusal | None:
    """Why a bank and a number can't be an account that a payout reaches, or None."""
    named = account_bank.isprintable() and 0 < len(account_bank.strip()) <= BANK_LENGTH_MAX
    if named and _ACCOUNT_NO.fullmatch(account_no):
        return None
    return Refusal(errors.BANK_ACCOUNT_INVALID, {"bank_length_max": BANK_LENGTH_MAX})


def _store(entry: Entry, command: RegisterStore, facts: ReferenceFacts) -> Plan | Refusal:
    if command.code in facts.stores:
        return Refusal(errors.CODE_TAKEN, {"code": command.code})
    merchant = facts.merchants.get(command.merchant)
    if merchant is None:
        return Refusal(errors.ORGANISATION_UNKNOWN, {"code": command.merchant})
    identity = derived_id(entry.id, b"store")
    row = {
        "id": identity.hex(),
        "merchant": merchant.hex(),
        "code": command.code,
        "name": command.name,
        "scene": command.scene,
    }
    return _registered("store", [("store", row)], command.code, identity.hex())


def _drawn_bucket(command: Id) -> Id:
    """The merchant's id: the command's, in a bucket that follows from it, the same on every retry."""
    position = sha256(command + b"merchant").digest()[0] % len(BUCKETS)
    return Id(command[:15] + bytes([command[15] & 0xC0 | position]))


def _registered(what: str, cold: list[Cold], code: str, identity: str) -> Plan:
    return Plan(
        answer=msgspec.json.encode({"code": code, "id": identity, "registered": what}),
        event=f"{what}.registered.v1",
        cold=tuple(cold),
    )
