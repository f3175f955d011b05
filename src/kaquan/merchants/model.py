"""Organisations, merchants and stores as commands, and what is known of them."""

from typing import Any

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id

REFERENCE = Id(bytes(16))
"""Reference data belongs to no wallet: its commands live in the first bucket."""


class ReferenceCommand(Command, frozen=True, kw_only=True):
    """A command that changes reference data."""

    @property
    def subject(self) -> Id:
        """The reference data."""
        return REFERENCE


class RegisterOrganisation(ReferenceCommand, frozen=True, kw_only=True):
    """A legal entity takes part. `keeps_book`: it keeps accounts here, as an issuer or a fund owner does."""

    code: str
    name: str
    keeps_book: bool


class RegisterMerchant(ReferenceCommand, frozen=True, kw_only=True):
    """A merchant of a group, with the bank account it is paid to; both empty when there is none yet."""

    code: str
    name: str
    organisation: str
    account_bank: str
    account_no: str


class BindBankAccount(ReferenceCommand, frozen=True, kw_only=True):
    """The account that a merchant (its code) is paid to from now on. Nobody has verified it yet."""

    merchant: str
    account_bank: str
    account_no: str


class VerifyBankAccount(ReferenceCommand, frozen=True, kw_only=True):
    """An operator has seen proof that the account with this number is the merchant's. `proof` names it."""

    merchant: str
    account_no: str
    proof: str


class RegisterStore(ReferenceCommand, frozen=True, kw_only=True):
    """A store of a merchant."""

    code: str
    name: str
    merchant: str
    scene: str


class ReferenceFacts(msgspec.Struct):
    """What reference data there is: codes, and the next free numbers."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    organisations: dict[str, int]
    merchants: dict[str, bytes]
    stores: set[str]
    programs: dict[str, Any]
    next_organisation: int
    next_book: int
    next_program: int
    next_terms: int

    def absorb(self, plan: Plan) -> None:
        """Codes and numbers that this batch used are taken."""
        for table, row in plan.cold:
            match table:
                case "organisation":
                    self.organisations[row["code"]] = row["id"]
                    self.next_organisation += 1
                case "book":
                    self.next_book += 1
                case "merchant":
                    self.merchants[row["code"]] = bytes.fromhex(row["id"])
                case "store":
                    self.stores.add(row["code"])
                case "program":
                    self.programs[row["code"]] = row["id"]
                    self.next_program += 1
                case "program_terms":
                    self.next_terms += 1


class BankAccount(msgspec.Struct, frozen=True):
    """Where a merchant is paid, with the version of the merchant's row."""

    merchant: Id
    version: int
    account_bank: str
    account_no: str
    verified: bool


class BankFacts(msgspec.Struct):
    """The bank accounts that commands are about, by the merchant's code."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    accounts: dict[str, BankAccount]

    def absorb(self, plan: Plan) -> None:
        """An account that this batch bound or verified is so for the commands after it."""
        for code, account in plan.born:
            self.accounts[code] = account
