"""May this file be opened or written, this payout be sent or told again, this exception be closed so? Pure."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.caller import same_person
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.payouts import errors
from kaquan.payouts.lifecycle import WORDS_ZH, PayoutState
from kaquan.payouts.model import (
    BankException,
    ClosingFacts,
    ExplainException,
    FileFacts,
    FileState,
    OpenFile,
    Payout,
    PayoutFacts,
    PayoutFile,
    ReissuePayout,
    Said,
    SendPayout,
    SetSourceAccount,
    SourceAccount,
    Verdict,
    placed,
)
from kaquan.payouts.results import Made, become, moved
from kaquan.programs.catalogue import Catalogue, Merchant, Terms

TEXT_LENGTH_MAX = 200  # two lines: what needs more belongs in a file of its own
NAME_LENGTH_MAX = 140  # of a name in pain.001
LINES_MAX = 2_000  # a file that a person can still look through; banks take 5,000 and more
ATTEMPTS_MAX = 999  # so that the number of an instruction has 35 characters

_PAYING = (Source.CUSTODY, Source.OPERATING, Source.FISCAL)


def decide_account(entry: Entry, facts: FileFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Name the bank account that pays from now on."""
    command: SetSourceAccount = entry.command
    book = _book(command.organisation, catalogue)
    if book is None:
        return Refusal(errors.PAYING_BOOK_UNKNOWN, {"organisation": command.organisation[:40]})
    told = (command.account_name, command.account_bank, command.account_no)
    if command.source not in _PAYING or not all(_is_text(one, NAME_LENGTH_MAX) for one in told):
        return Refusal(errors.SOURCE_INVALID)
    row = {
        **placed(entry.id),
        "book": book,
        "source": int(command.source),
        "account_name": command.account_name.strip(),
        "account_bank": command.account_bank.strip(),
        "account_no": command.account_no.strip(),
        "at": microseconds(at),
        "person": command.caller.person,
    }
    answer = {
        "account_ending": command.account_no.strip()[-4:],
        "bank": command.account_bank.strip(),
        "organisation": command.organisation,
        "source": command.source.name.lower(),
    }
    return Plan(answer=msgspec.json.encode(answer), event="payout.source_named.v1", cold=(("source_account", row),))


def decide_open(entry: Entry, facts: FileFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """List what is due by a day and may be sent from one bank account."""
    command: OpenFile = entry.command
    book = _book(command.organisation, catalogue)
    if book is None:
        return Refusal(errors.PAYING_BOOK_UNKNOWN, {"organisation": command.organisation[:40]})
    account = facts.accounts.get((book, command.source))
    if account is None:
        return Refusal(errors.SOURCE_MISSING, {"source": command.source.name.lower()})
    listed = [
        one
        for one in facts.ready[entry.id]
        if _books(catalogue, one.program, catalogue.merchants[one.merchant]) == book
        and may_be_paid(catalogue.latest[one.program], catalogue.merchants[one.merchant])
    ][:LINES_MAX]
    if not listed:
        return Refusal(errors.NOTHING_DUE, {"until": command.until.isoformat()})
    row = _file_row(entry, facts.next_number, book, account, len(listed)) | {"at": microseconds(at)}
    lines: list[tuple[str, dict[str, Any]]] = [
        (
            "payout_file_line",
            {
                "bucket": bucket_of(entry.id),
                "file": entry.id.hex(),
                "payout": one.payout.hex(),
                "payout_bucket": bucket_of(one.payout),
            },
        )
        for one in listed
    ]
    answer = {"file": entry.id.hex(), "listed": len(listed), "number": facts.next_number}
    return Plan(
        answer=msgspec.json.encode(answer),
        event="payout.file_opened.v1",
        cold=(("payout_file", row), *lines),
    )


def _file_row(entry: Entry, number: int, book: int, account: SourceAccount, listed: int) -> dict[str, Any]:
    command: OpenFile = entry.command
    return {
        **placed(entry.id),
        "version": 1,
        "number": number,
        "book": book,
        "source": int(command.source),
        "format": int(command.format),
        "state": int(FileState.OPEN),
        "listed": listed,
        "lines": 0,
        "total": 0,
        "sha256": "",
        "content": "\\x",
        "pay_on": command.until.isoformat(),
        "person": command.caller.person,
        "account_name": account.name,
        "account_bank": account.bank,
        "account_no": account.number,
    }


def may_be_paid(terms: Terms, merchant: Merchant) -> bool:
    """Whether the merchant has an account that may be paid to now."""
    verified = merchant.bank_verified or not terms.terms.settlement.requires_verified_bank
    return bool(merchant.account_no) and verified


def decide_send(entry: Entry, facts: PayoutFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Put a payout into a file, to the account that its merchant has now."""
    command: SendPayout = entry.command
    payout = facts.payouts.get(command.payout)
    if payout is None:
        return Refusal(errors.PAYOUT_UNKNOWN)
    if refusal := _not_in(payout, PayoutState.INSTRUCTED):
        return refusal
    merchant = catalogue.merchants[payout.merchant]
    if not may_be_paid(catalogue.latest[payout.program], merchant):
        return Refusal(errors.PAYOUT_ACCOUNT, {"merchant": merchant.code})
    new = msgspec.structs.replace(
        payout,
        state=PayoutState.SENT,
        file=command.file,
        account_bank=merchant.account_bank,
        account_no=merchant.account_no,
    )
    return moved(Made(entry, payout, catalogue, microseconds(at)), new, None, "")


def decide_close(
    entry: Entry,
    facts: ClosingFacts,
    write: Callable[[PayoutFile], bytes],
    seal: Callable[[PayoutFile, bytes], bytes],
) -> Plan | Refusal:
    """Write a file once all that it lists is in it or left out."""
    file = facts.files.get(entry.command.file)
    if file is None:
        return Refusal(errors.FILE_UNKNOWN)
    if file.state is not FileState.OPEN:
        return Refusal(errors.FILE_MADE)
    if file.undecided:
        return Refusal(errors.FILE_UNFINISHED, {"left": file.undecided})
    content = write(file) if file.lines else b""
    new = msgspec.structs.replace(
        file,
        state=FileState.MADE if file.lines else FileState.EMPTY,
        sha256=sha256(content).hexdigest() if file.lines else "",
        sealed=seal(file, content) if file.lines else b"",
    )
    answer = {
        "account_ending": file.account.number[-4:],
        "bank": file.account.bank,
        "file": file.id.hex(),
        "format": file.format.word,
        "left_out": file.listed - len(file.lines),
        "lines": len(file.lines),
        "number": file.number,
        "pay_on": file.pay_on.isoformat(),
        "sha256": new.sha256,
        "source": file.source.name.lower(),
        "state": new.state.word,
        "total_fen": file.total,
    }
    return Plan(answer=msgspec.json.encode(answer), event="payout.file_made.v1", changes=((file, (new,)),))


def decide_reissue(entry: Entry, facts: PayoutFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Tell the bank again what failed or came back: the same number, the next attempt."""
    command: ReissuePayout = entry.command
    if not _is_text(command.reason, TEXT_LENGTH_MAX):
        return Refusal(errors.PAYOUT_REASON, {"length_max": TEXT_LENGTH_MAX})
    payout = facts.payouts.get(command.payout)
    if payout is None:
        return Refusal(errors.PAYOUT_UNKNOWN)
    if (refusal := _not_in(payout, PayoutState.FAILED, PayoutState.RETURNED)) or payout.attempt >= ATTEMPTS_MAX:
        return refusal or _in_state(payout)
    new = msgspec.structs.replace(
        payout, state=PayoutState.INSTRUCTED, attempt=payout.attempt + 1, file=None, reference=""
    )
    way = (Account.MERCHANT_WAITING, Account.MERCHANT_PAYOUT)
    return moved(Made(entry, payout, catalogue, microseconds(at)), new, way, command.reason.strip())


def decide_explain(entry: Entry, facts: PayoutFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Close an exception: it was nothing of ours, or the payout was paid after all."""
    command: ExplainException = entry.command
    if not _is_text(command.explanation, TEXT_LENGTH_MAX):
        return Refusal(errors.PAYOUT_REASON, {"length_max": TEXT_LENGTH_MAX})
    if same_person(command.approved_by, command.caller.person):
        return Refusal(errors.EXCEPTION_ONE_PERSON, {"person": command.caller.person})
    found = facts.exceptions.get(command.exception)
    if found is None:
        return Refusal(errors.EXCEPTION_UNKNOWN)
    if not found.open:
        return Refusal(errors.EXCEPTION_EXPLAINED)
    payout = facts.payouts.get(found.payout) if found.payout else None
    closed = msgspec.structs.replace(
        found,
        open=False,
        verdict=command.verdict,
        explanation=command.explanation.strip(),
        person=" + ".join(filter(None, (command.caller.person.strip(), command.approved_by.strip()))),
        explained_us=microseconds(at),
    )
    if command.verdict is Verdict.PAID:
        return _paid_after_all(Made(entry, payout, catalogue, microseconds(at)) if payout else None, found, closed)
    changes: tuple[Any, ...] = ((found, (closed,)),)
    if payout is not None:
        changes += ((payout, (msgspec.structs.replace(payout, questions=payout.questions - 1),)),)
    return Plan(answer=_explained(closed), event="payout.exception_explained.v1", changes=changes)


def _paid_after_all(made: Made | None, found: BankException, closed: BankException) -> Plan | Refusal:
    """The bank did pay what it had called failed: the payout is confirmed, and never told again."""
    if made is None or found.said is not Said.CONFIRMED:
        return Refusal(errors.EXCEPTION_NOT_PAID, {"why_zh": "它没有说哪笔打款到账", "why": "it confirms no payout"})
    payout = made.payout
    if payout.state not in (PayoutState.INSTRUCTED, PayoutState.FAILED):
        facts = {"why_zh": f"这笔打款{WORDS_ZH[payout.state]}", "why": f"the payout is {payout.state.word}"}
        return Refusal(errors.EXCEPTION_NOT_PAID, facts)
    if found.amount not in (None, payout.outgoing):
        return Refusal(errors.EXCEPTION_NOT_PAID, {"why_zh": "金额不符", "why": "the amount differs"})
    plan = become(made, PayoutState.CONFIRMED, found.reference, closed.explanation)
    (row, (new,)), *_ = plan.changes
    confirmed = msgspec.structs.replace(new, questions=payout.questions - 1)
    return msgspec.structs.replace(plan, answer=_explained(closed), changes=((found, (closed,)), (row, (confirmed,))))


def _explained(closed: BankException) -> bytes:
    answer = {"exception": closed.id.hex(), "result": closed.code, "verdict": closed.verdict and closed.verdict.word}
    if closed.payout:
        answer["payout"] = closed.payout.hex()
    return msgspec.json.encode(answer, order="sorted")


def _not_in(payout: Payout, *states: PayoutState) -> Refusal | None:
    if payout.state not in states or not payout.outgoing:
        return _in_state(payout)
    if payout.questions:
        return Refusal(errors.PAYOUT_QUESTIONED, {"questions": payout.questions})
    return None


def _in_state(payout: Payout) -> Refusal:
    return Refusal(errors.PAYOUT_STATE, {"state": payout.state.word, "state_zh": WORDS_ZH[payout.state]})


def _book(organisation: str, catalogue: Catalogue) -> int | None:
    found = catalogue.organisations.get(organisation)
    return found[1] if found else None


def _books(catalogue: Catalogue, program: int, merchant: Merchant) -> int:
    return catalogue.latest[program].ledger_of(merchant).book


def _is_text(text: str, length_max: int) -> bool:
    return text.isprintable() and 0 < len(text.strip()) <= length_max
