"""May this bank account be bound to the merchant, may it count as verified? Pure.

Who asks to be paid elsewhere must prove it anew: a new account is never verified, and a proof is for the account
that its number names, not for whichever is bound when it arrives.
"""

from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.refusal import Refusal
from kaquan.merchants import errors
from kaquan.merchants.model import BankAccount, BankFacts, BindBankAccount, VerifyBankAccount
from kaquan.merchants.rules import account_refusal

PROOF_LENGTH_MAX = 100  # the number of a document or a transfer
_SHOWN_DIGITS = 4


def decide_bank(entry: Entry, facts: BankFacts) -> Plan | Refusal:
    """Bind an account, or verify the one that is bound."""
    command: BindBankAccount | VerifyBankAccount = entry.command
    account = facts.accounts.get(command.merchant)
    if account is None:
        return Refusal(errors.BANK_MERCHANT_UNKNOWN, {"merchant": command.merchant[:40]})
    if isinstance(command, BindBankAccount):
        return _bind(command, account)
    return _verify(command, account)


def _bind(command: BindBankAccount, account: BankAccount) -> Plan | Refusal:
    if refusal := account_refusal(command.account_bank, command.account_no):
        return refusal
    if (command.account_bank, command.account_no) == (account.account_bank, account.account_no):
        return Refusal(errors.BANK_ACCOUNT_BOUND, {"merchant": command.merchant})
    bound = msgspec.structs.replace(
        account, account_bank=command.account_bank, account_no=command.account_no, verified=False
    )
    return _plan(command.merchant, bound, "")


def _verify(command: VerifyBankAccount, account: BankAccount) -> Plan | Refusal:
    if not account.account_no or command.account_no != account.account_no:
        return Refusal(errors.BANK_ACCOUNT_OTHER, {"merchant": command.merchant})
    if account.verified:
        return Refusal(errors.BANK_ACCOUNT_VERIFIED, {"merchant": command.merchant})
    if not command.proof.isprintable() or not 0 < len(command.proof.strip()) <= PROOF_LENGTH_MAX:
        return Refusal(errors.BANK_PROOF_MISSING, {"length_max": PROOF_LENGTH_MAX})
    return _plan(command.merchant, msgspec.structs.replace(account, verified=True), command.proof)


def _plan(code: str, account: BankAccount, proof: str) -> Plan:
    row: dict[str, Any] = {
        "id": account.merchant.hex(),
        "account_bank": account.account_bank,
        "account_no": account.account_no,
        "bank_verified": account.verified,
        "bank_proof": proof,
        "version": account.version,
    }
    answer = {
        "account_ending": account.account_no[-_SHOWN_DIGITS:],
        "bank": account.account_bank,
        "merchant": account.merchant.hex(),
        "proof": proof,
        "verified": account.verified,
    }
    return Plan(
        answer=msgspec.json.encode(answer),
        event="merchant.bank_verified.v1" if account.verified else "merchant.bank_bound.v1",
        cold=(("merchant_change", row),),
        born=((code, msgspec.structs.replace(account, version=account.version + 1)),),
    )
