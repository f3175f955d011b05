"""Codes that are worth a voucher: how they are made, read and kept; bringing them in and stopping them. Pure.

A code is a bearer's secret. What is kept is a keyed digest and the last four characters; whoever asks with a wrong
one hears the same as with one that was used or has expired.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from unicodedata import normalize

import msgspec

from kaquan.commands.model import Command, Entry, Plan, scoped_id
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import BUCKET_COUNT, Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Stock, StockState
from kaquan.vouchers import errors

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Digits and letters that nobody takes for another: no 0 and O, no 1, I and L. Their number is prime."""

DRAWN = 11  # characters by chance: 54 bits, so that guessing finds one of a million live codes in 10^10 tries
LENGTH_MIN = 8  # of a code that somebody else made; shorter ones are guessed
LENGTH_MAX = 40
PREFIX_MAX = 8
CODES_MAX = 200_000  # of one batch; more come in several
_SEPARATORS = str.maketrans("", "", " -_.\u2010\u2011\u2012\u2013\u2014\u00a0\u200b\ufeff\t\r\n")
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}


NOT_TAKEN = bytes(16)
"""Whose a code is that nobody has used."""


class CodeBatchCommand(Command, frozen=True, kw_only=True):
    """A command about codes that are brought in together under the id `batch`."""

    batch: Id

    @property
    def subject(self) -> Id:
        """The batch."""
        return self.batch


class AddCodes(CodeBatchCommand, frozen=True, kw_only=True):
    """Bring in those codes of a batch whose digests lie in one bucket. None counts before the batch is opened."""

    program: str
    stock: str
    digests: tuple[bytes, ...]
    last4: tuple[str, ...]

    @property
    def subject(self) -> Id:
        """The batch as it is called in the bucket of the digests."""
        return in_bucket(self.batch, self.digests[0])


class OpenCodes(CodeBatchCommand, frozen=True, kw_only=True):
    """From now on the codes of a batch count."""

    program: str
    stock: str
    count: int


class StopCodes(CodeBatchCommand, frozen=True, kw_only=True):
    """The codes of a batch that nobody has used count no more."""


class CodeBatch(msgspec.Struct, frozen=True):
    """Codes that were brought in together."""

    id: Id
    version: int
    stock: int
    open: bool


class Code(msgspec.Struct, frozen=True):
    """A code as it is kept; `command` took it, zeros for nobody, for a command of this `content`, at `taken_us`."""

    id: Id
    stock: int
    batch: Id
    command: bytes
    content: bytes
    taken_us: int


class CodeFacts(msgspec.Struct):
    """What bringing codes in and stopping them is decided on."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    known: set[bytes]
    batches: dict[bytes, CodeBatch]

    def absorb(self, plan: Plan) -> None:
        """Codes that this batch brought in are known, batches are as it leaves them."""
        for born in plan.born:
            if isinstance(born, CodeBatch):
                self.batches[born.id] = born
            else:
                self.known.add(born)


def normalise(typed: str) -> str | None:
    """The code that somebody typed, without spaces and hyphens, in capitals; None when it can be none."""
    code = normalize("NFKC", typed[: 4 * LENGTH_MAX]).translate(_SEPARATORS).upper()
    possible = LENGTH_MIN <= len(code) <= LENGTH_MAX and code.isascii() and code.isprintable()
    return code if possible else None


def draw(prefix: str = "") -> str:
    """A fresh code: the prefix, characters drawn by chance, a check character."""
    body = prefix + "".join(secrets.choice(ALPHABET) for _ in range(DRAWN))
    return body + check_letter(body)


def check_letter(body: str) -> str:
    """The last character of a code: it tells one wrong character, and two that changed places."""
    total = sum(_VALUE[letter] * (position % (len(ALPHABET) - 1) + 1) for position, letter in enumerate(body))
    return ALPHABET[-total % len(ALPHABET)]


def fits(code: str) -> bool:
    """Whether a code could be one of ours: a mistyped one is not."""
    return set(code) <= set(ALPHABET) and len(code) > DRAWN and check_letter(code[:-1]) == code[-1]


def prefix_possible(prefix: str) -> bool:
    """Whether codes may begin like this."""
    return len(prefix) <= PREFIX_MAX and set(prefix) <= set(ALPHABET)


def grouped(code: str) -> str:
    """As it is printed: `ABCD-EFGH-JKMN`."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def digest(key: bytes, code: str) -> Id:
    """What is kept of a normalised code; its bucket follows from it."""
    return Id(hmac.digest(key, code.encode(), "sha256")[:16])


def in_bucket(identity: Id, place: bytes) -> Id:
    """The id as it is called in the bucket that `place` carries."""
    return Id(identity[:15] + bytes([identity[15] & ~(BUCKET_COUNT - 1) & 0xFF | place[15] & (BUCKET_COUNT - 1)]))


def batch_id(caller: Caller, key: str, program: str, stock: str) -> Id:
    """What a batch of codes is called that a caller brings in under a key."""
    named = sha256(f"codes of {program}/{stock}".encode("utf-8", "surrogatepass")).digest()[:16]
    return scoped_id(caller.organisation, Id(named), key)


def adding(batch: Id, caller: Caller, program: str, stock: str, digests: Mapping[Id, str]) -> list[AddCodes]:
    """The commands that bring in codes, one for each bucket: their digests, with the last four characters of each."""
    parts: dict[int, list[Id]] = {}
    for one in sorted(digests):
        parts.setdefault(bucket_of(one), []).append(one)
    return [
        AddCodes(
            key=f"add {batch.hex()}",
            caller=caller,
            batch=batch,
            program=program,
            stock=stock,
            digests=tuple(part),
            last4=tuple(digests[one] for one in part),
        )
        for part in parts.values()
    ]


def decide(entry: Entry, facts: CodeFacts, catalogue: Catalogue, at_us: int) -> Plan | Refusal:
    """Add, open or stop."""
    match entry.command:
        case AddCodes() as command:
            return _add(command, facts, catalogue, at_us)
        case OpenCodes() as command:
            return _open(command, catalogue, at_us)
        case StopCodes() as command:
            return _stop(command, facts)
    raise TypeError(f"not a command about codes: {type(entry.command).__name__}")


def by_code(command: AddCodes | OpenCodes, catalogue: Catalogue) -> Stock | Refusal:
    """The stock that codes are for, if it is handed out by code."""
    stock = catalogue.stock_by_code(command.program, command.stock)
    if stock is None:
        return Refusal(errors.STOCK_UNKNOWN, {"program": command.program[:40], "stock": command.stock[:40]})
    if stock.rules.hand_out != "code":
        return Refusal(errors.STOCK_NOT_BY_CODE, {"stock": stock.code})
    if stock.state is StockState.STOPPED:
        return Refusal(errors.STOCK_CLOSED, {"stock": stock.code})
    return stock


def _add(command: AddCodes, facts: CodeFacts, catalogue: Catalogue, at_us: int) -> Plan | Refusal:
    """Codes that are there already stay whose they are, and are told."""
    stock = by_code(command, catalogue)
    if isinstance(stock, Refusal):
        return stock
    fresh = {
        code: last4 for code, last4 in zip(command.digests, command.last4, strict=True) if code not in facts.known
    }
    rows = [
        (
            "voucher_code",
            {
                "at": at_us,
                "taken_at": 0,
                "id": code.hex(),
                "batch": command.batch.hex(),
                "stock": stock.id,
                "bucket": bucket_of(code),
                "last4": last4,
            },
        )
        for code, last4 in fresh.items()
    ]
    known = sorted(code.hex() for code in command.digests if code in facts.known)
    return _done("voucher.codes_added.v1", {"added": len(fresh), "known": known}, rows, tuple(fresh))


def _open(command: OpenCodes, catalogue: Catalogue, at_us: int) -> Plan | Refusal:
    stock = by_code(command, catalogue)
    if isinstance(stock, Refusal):
        return stock
    row = {
        "at": at_us,
        "id": command.batch.hex(),
        "stock": stock.id,
        "count": command.count,
        "version": 1,
        "bucket": bucket_of(command.batch),
        "state": 1,
    }
    answer = {"batch": command.batch.hex(), "count": command.count, "stock": stock.code}
    born = CodeBatch(command.batch, 1, stock.id, open=True)
    return _done("voucher.codes_opened.v1", answer, [("code_batch", row)], (born,))


def _stop(command: StopCodes, facts: CodeFacts) -> Plan | Refusal:
    batch = facts.batches.get(command.batch)
    if batch is None:
        return Refusal(errors.CODE_BATCH_UNKNOWN)
    if not batch.open:
        return Refusal(errors.CODE_BATCH_STOPPED)
    row = {"bucket": bucket_of(batch.id), "id": batch.id.hex(), "version": batch.version, "state": 2}
    stopped = msgspec.structs.replace(batch, open=False, version=batch.version + 1)
    answer = {"batch": batch.id.hex(), "state": "stopped"}
    return _done("voucher.codes_stopped.v1", answer, [("code_batch_change", row)], (stopped,))


def _done(
    event: str, answer: Mapping[str, object], cold: Sequence[tuple[str, dict[str, Any]]], born: tuple[object, ...]
) -> Plan:
    return Plan(answer=msgspec.json.encode(answer, order="sorted"), event=event, cold=tuple(cold), born=born)
