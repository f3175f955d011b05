"""Payouts for everybody else: the bank's files, what the bank says, what failed told again, exceptions, positions."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.commands.execute import BATCH_MAX, Door
from kaquan.commands.handler import Handler
from kaquan.commands.model import Effect, Entry, Kind, Outcome, Plan, Routed
from kaquan.kernel.caller import SYSTEM, Caller
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.payouts import bank_csv, errors, model, pain001, results, rules, store
from kaquan.payouts.lifecycle import PayoutState
from kaquan.payouts.model import (
    CloseFile,
    ClosingFacts,
    FileFacts,
    FileFormat,
    OpenFile,
    PayoutFacts,
    PayoutFile,
    RecordResult,
    SendPayout,
    close_key,
    send_key,
)
from kaquan.payouts.reading import Read, Told, read
from kaquan.privacy.subject_keys import MasterKey, seal, unseal
from kaquan.programs.catalogue import Catalogue

REASONS = results.REASONS
instruction = model.instruction
view, steps, listed = store.view, store.steps, store.listed
payouts = store.payouts
files, exceptions, positions = store.files, store.exceptions, store.positions


def file_id(facts: Mapping[str, Any]) -> Id:
    """The file that an answer tells of."""
    return Id(bytes.fromhex(facts["file"]))


def state_word(state: int) -> str:
    """A payout's state as machines read it."""
    return PayoutState(state).word


Handlers = dict[Kind, Handler]


class PayoutHandler(Handler):
    """Send a payout, record what the bank says of it, tell it again, explain an exception about it."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> PayoutFacts:
        """The payouts; a change checks their versions."""
        if self.kind is Kind.EXPLAIN_EXCEPTION:
            return store.load_exceptions(cursor, entries, lock)
        wanted = [entry.command.payout for entry in entries if entry.command.payout is not None]
        return store.load_payouts(cursor, entries, wanted, lock)

    def decide(self, entry: Entry, facts: PayoutFacts, at: datetime) -> Plan | Refusal:
        """See `payouts.rules` and `payouts.results`."""
        decide: Callable[..., Plan | Refusal] = _DECIDE[self.kind]
        return decide(entry, facts, self._catalogue, at)


_DECIDE: dict[Kind, Any] = {
    Kind.SEND_PAYOUT: rules.decide_send,
    Kind.RECORD_PAYOUT_RESULT: results.decide_result,
    Kind.REISSUE_PAYOUT: rules.decide_reissue,
    Kind.EXPLAIN_EXCEPTION: rules.decide_explain,
}


class FileHandler(Handler):
    """Name an account that pays, list what is due from it."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> FileFacts:
        """Accounts and what could be sent. There is nothing to lock: files are only added."""
        return store.load_files(cursor, entries, rules.LINES_MAX)

    def decide(self, entry: Entry, facts: FileFacts, at: datetime) -> Plan | Refusal:
        """See `payouts.rules`."""
        decide = rules.decide_account if self.kind is Kind.SET_SOURCE_ACCOUNT else rules.decide_open
        return decide(entry, facts, self._catalogue, at)


class CloseHandler(Handler):
    """Write a file."""

    def __init__(self, master: MasterKey) -> None:
        super().__init__(Kind.CLOSE_PAYOUT_FILE)
        self._cipher = _cipher(master)

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ClosingFacts:
        """The files with their lines. There is nothing to lock: writing a file checks its version."""
        return store.load_closing(cursor, entries)

    def decide(self, entry: Entry, facts: ClosingFacts, at: datetime) -> Plan | Refusal:
        """See `payouts.rules`."""
        return rules.decide_close(entry, facts, written, self._sealed)

    def _sealed(self, file: PayoutFile, content: bytes) -> bytes:
        return seal(self._cipher, zlib.compress(content, 9), file.id)


def handlers(catalogue: Catalogue, master: MasterKey) -> Handlers:
    """The handler of each kind of command here."""
    return {
        **{kind: PayoutHandler(kind, catalogue) for kind in _DECIDE},
        **{kind: FileHandler(kind, catalogue) for kind in (Kind.SET_SOURCE_ACCOUNT, Kind.OPEN_PAYOUT_FILE)},
        Kind.CLOSE_PAYOUT_FILE: CloseHandler(master),
    }


def written(file: PayoutFile) -> bytes:
    """The file as the bank gets it: account numbers in full, so it is as secret as they are."""
    return pain001.write(file) if file.format is FileFormat.PAIN_001 else bank_csv.write(file)


def make_file(door: Door, handlers_: Handlers, command: OpenFile) -> Outcome:
    """List what is due, put it into the file, write the file. Raises what faults.

    Under the same key it is the same file, and one that was left unfinished is finished.
    """
    opened = door.one(handlers_[Kind.OPEN_PAYOUT_FILE], command)
    return finish_file(door, handlers_, opened.id) if isinstance(opened, Effect) else opened


def finish_file(door: Door, handlers_: Handlers, file: Id) -> Outcome:
    """Put what an open file lists into it, and write it. Raises what faults."""
    wanted = store.file_list(store.reading(door.connection), file)
    sends = [SendPayout(key=send_key(file), caller=SYSTEM, payout=one, file=file) for one in wanted]
    for outcome in _in_batches(door, handlers_[Kind.SEND_PAYOUT], sends):
        if isinstance(outcome, Fault):
            raise outcome
    return door.one(handlers_[Kind.CLOSE_PAYOUT_FILE], CloseFile(key=close_key(file), caller=SYSTEM, file=file))


def content(connection: psycopg.Connection[Any], master: MasterKey, file: Id) -> tuple[PayoutFile, bytes] | Refusal:
    """A file that was made, and its bytes, the same each time. Raises `RuntimeError` if they are not."""
    found = store.file(store.reading(connection), file)
    if found is None or not found.sealed:
        return Refusal(errors.FILE_UNKNOWN)
    plain = zlib.decompress(unseal(_cipher(master), found.sealed, found.id))
    if sha256(plain).hexdigest() != found.sha256:
        raise RuntimeError(f"file {found.number} is not what was made")
    return found, plain


def file_name(file: PayoutFile) -> str:
    """What a file is called: its number, the source of its money, its form."""
    ending = "xml" if file.format is FileFormat.PAIN_001 else "csv"
    return f"PO{file.number:06d}-{file.source.name.lower()}.{ending}"


class Imported(NamedTuple):
    """What came of a file of the bank: how many lines took effect, said what was known, became an exception, are
    on their way, broke; and the answers of those that became exceptions."""

    taken: int
    repeated: int
    exceptions: list[dict[str, Any]]
    pending: int
    broken: int


def import_results(door: Door, handler: Handler, content_: bytes, caller: Caller) -> Imported | Refusal:
    """Take what the bank says, line by line. The same line again, in this file or another, changes nothing."""
    told = read(content_)
    return told if isinstance(told, Refusal) else record(door, handler, told, caller)


def record(door: Door, handler: Handler, told: Read, caller: Caller) -> Imported:
    """See `import_results`."""
    outcomes: list[Outcome | Fault] = []
    for lines in _rounds(told.lines):
        outcomes += _in_batches(door, handler, [result_command(one, caller) for one in lines])
    taken = repeated = broken = 0
    odd: list[dict[str, Any]] = []
    for outcome in outcomes:
        if not isinstance(outcome, Effect):
            broken += 1
        elif "exception" in outcome.facts:
            odd.append(outcome.facts)
        elif outcome.replayed or outcome.facts["result"] == "already":
            repeated += 1
        else:
            taken += 1
    return Imported(taken, repeated, odd, told.pending, broken)


def result_command(told: Told, caller: Caller) -> RecordResult:
    """A line of the bank as a command. Its key follows from what it says."""
    command = RecordResult(key="", caller=caller, **told._asdict())
    return msgspec.structs.replace(command, key=f"result-{sha256(command.content()).hexdigest()[:40]}")


def _rounds(lines: Sequence[Told]) -> list[list[Told]]:
    """Lines in rounds that name each payout once: a batch takes one step of a payout."""
    rounds: list[list[Told]] = []
    count: dict[Id | None, int] = {}
    for one in lines:
        place = count.get(one.payout, 0) if one.payout else 0
        count[one.payout] = place + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(one)
    return rounds


def _in_batches(door: Door, handler: Handler, commands: Sequence[Any]) -> list[Outcome | Fault]:
    outcomes: list[Outcome | Fault] = []
    for start in range(0, len(commands), BATCH_MAX):
        outcomes += door.execute(handler, commands[start : start + BATCH_MAX])
    return outcomes


def _cipher(master: MasterKey) -> AESGCM:
    return AESGCM(master.derive("payout-files"))
