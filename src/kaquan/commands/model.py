"""What passes through the door: commands, plans, outcomes."""

from collections.abc import Mapping, Sequence
from enum import IntEnum, unique
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple

import msgspec

from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import BUCKET_COUNT, Id, bucket_of
from kaquan.kernel.refusal import Refusal


@unique
class Kind(IntEnum):
    """Every kind of command. The number is stored with commands, postings and journal rows: never reuse one."""

    REGISTER_ORGANISATION = 1
    REGISTER_MERCHANT = 2
    REGISTER_STORE = 3
    OPEN_PROGRAM = 4
    AMEND_PROGRAM = 5
    REGISTER_HOLDER = 6
    IDENTIFY_HOLDER = 7
    ENROL_MERCHANT = 8
    SUSPEND_MERCHANT = 9
    SELL = 10
    TOP_UP = 11
    FREEZE = 12
    UNFREEZE = 13
    REPORT_LOST = 14
    REPLACE = 15
    PAY = 20
    AUTHORIZE = 21
    CAPTURE = 22
    VOID = 23
    EXPIRE_HOLD = 24
    REFUND = 25
    REVERSE = 26
    GRANT_REWARD = 30
    EXPIRE_LOT = 31
    GRANT_DRIP = 32
    CANCEL_PLAN = 33
    SETTLE = 40
    RELEASE_RESERVE = 41
    BIND_BANK_ACCOUNT = 43
    VERIFY_BANK_ACCOUNT = 44
    CLOSE_PERIOD = 45
    REGISTER_FUND = 50
    PAY_IN_FUND = 51
    PAY_OUT_FUND = 52
    SWEEP_FUND = 53
    OPEN_STOCK = 54
    PAUSE_STOCK = 55
    RESUME_STOCK = 56
    STOP_STOCK = 57
    RAISE_STOCK = 58
    CLAIM = 60
    VOID_VOUCHER = 61
    EXPIRE_VOUCHER = 62
    RESERVE_VOUCHER = 63
    RELEASE_VOUCHER = 64
    ISSUE_VOUCHER = 65
    CLAIM_BY_CODE = 66
    ADD_CODES = 67
    OPEN_CODES = 68
    STOP_CODES = 69
    OPEN_DRAW = 70
    ENTER_DRAW = 71
    END_DRAW = 72
    LIST_DRAW = 73
    REVEAL_DRAW = 74
    AWARD = 75
    ACCEPT_INVITE = 80
    EARN_REFERRAL = 81
    PAY_REFERRAL = 82
    UNDO_REFERRAL = 83
    FOLLOW_REFERRAL = 84
    OPEN_PACKETS = 86
    OPEN_PACKET = 87
    END_PACKETS = 88
    DRAFT_PROGRAM = 90
    SUBMIT_PROGRAM = 91
    APPROVE_PROGRAM = 92
    REJECT_PROGRAM = 93
    START_PROGRAM = 94
    PAUSE_PROGRAM = 95
    RESUME_PROGRAM = 96
    END_PROGRAM = 97
    CLOSE_PROGRAM = 98
    PROPOSE_AMENDMENT = 99
    ISSUE_KEY = 110
    ROTATE_KEY = 111
    REVOKE_KEY = 112
    REQUEST_APPROVAL = 115
    APPROVE_REQUEST = 116
    REJECT_REQUEST = 117
    FINISH_REQUEST = 118
    PAY_PARTNER = 160
    WRITE_OFF_DEBT = 161
    ADD_DEVICE = 120
    REMOVE_DEVICE = 121
    ADD_ENDPOINT = 130
    CHANGE_ENDPOINT = 131
    REMOVE_ENDPOINT = 132
    ROTATE_ENDPOINT_SECRET = 133
    STOP_ENDPOINT = 134
    REQUEST_CLOSING = 150
    CLOSE_CARD = 151
    PAY_OUT_CLOSING = 152
    CANCEL_CLOSING = 153
    TRANSFER_CARD = 154
    RECEIVE_CARD = 155
    REACTIVATE_CARD = 156
    RECOGNISE_BREAKAGE = 157
    NOTE_OVERDUE = 158
    REMIND_IDLE = 159
    MAKE_STATEMENT = 180
    CLOSE_DAYS = 185
    DEPOSIT_CUSTODY = 190
    RELEASE_CUSTODY = 191
    ASSESS_CUSTODY = 192
    LIFT_STOP = 193
    ENTER_STATEMENT = 194
    LOOK_AT_STATEMENT = 195
    IMPORT_STATEMENT = 196
    EXPLAIN_DISCREPANCY = 197
    SET_SOURCE_ACCOUNT = 170
    OPEN_PAYOUT_FILE = 171
    SEND_PAYOUT = 172
    CLOSE_PAYOUT_FILE = 173
    RECORD_PAYOUT_RESULT = 174
    REISSUE_PAYOUT = 175
    EXPLAIN_EXCEPTION = 176
    OPEN_DISPUTE = 177
    ANSWER_DISPUTE = 178
    RESOLVE_DISPUTE = 179


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants. `key` is the caller's own id of the attempt: the same key for every retry of it."""

    key: str
    caller: Caller

    @property
    def subject(self) -> Id:
        """The wallet-side object the command addresses; the command lives in its bucket."""
        raise NotImplementedError  # every kind says its own; a Struct can't be an ABC

    def content(self) -> bytes:
        """What a retry must repeat to the letter: everything but the key."""
        return msgspec.msgpack.encode(self)


class Entry(msgspec.Struct):
    """A command inside the door, with its scoped id and the digest of its content."""

    command: Any
    id: Id
    content: bytes


TOMBSTONE = bytes(16)
"""The content of a command that was refused before it arrived (an order reversed first): it matches anything."""


class Decision(NamedTuple):
    """How a command was decided: whether it took effect, and the digest of what it asked."""

    took_effect: bool
    content: bytes


_TIME_BYTES = 6
_BUCKET_MASK = BUCKET_COUNT - 1


def scoped_id(organisation: int, subject: Id, key: str) -> Id:
    """The inside id of a command: the caller's key, scoped to its organisation and to what it addresses.

    A key that is a UUID version 7 keeps its time, so that ids stay in order on disk. The bucket is the
    subject's. The effect of a command (a payment, a card, a lot) takes the command's id as its own.
    """
    digest = sha256(b"%d\0%b\0%b" % (organisation, subject, key.encode())).digest()
    return _laid_out(_uuid7_time(key) or digest[10:16], digest, subject)


def _laid_out(time: bytes, digest: bytes, subject: Id) -> Id:
    """Six bytes of time and ten of a digest as a UUID of version 7 in the bucket of the subject."""
    version, variant = 0x70 | (digest[0] & 0x0F), 0x80 | (digest[2] & 0x3F)
    last = (digest[9] & ~_BUCKET_MASK & 0xFF) | (subject[15] & _BUCKET_MASK)
    return Id(b"%b%c%c%c%b%c" % (time, version, digest[1], variant, digest[3:9], last))


def _uuid7_time(key: str) -> bytes | None:
    if len(key) == 36 and key[14] == "7" and key[8] == "-" and key[13] == "-":
        try:
            time = bytes.fromhex(key[0:8] + key[9:13])
        except ValueError:
            return None
        return time if len(time) == _TIME_BYTES else None  # `fromhex` overlooks spaces
    return None


class Row(msgspec.Struct):
    """A loaded row that a plan may change. Rules read it; only the door changes it, between decisions."""

    table: ClassVar[str]
    id: Id
    version: int

    def rank(self) -> bytes:
        """The place in the order in which rows of a table are locked and written: that of its key."""
        return self.id

    def become(self, values: Sequence[Any]) -> None:
        """Take the values a plan gives."""
        raise NotImplementedError  # every kind says its own; a Struct can't be an ABC

    def changed(self) -> tuple[Any, ...]:
        """The row for `<table>_change`: bucket, id, the version that was read, the new values."""
        raise NotImplementedError  # every kind says its own; a Struct can't be an ABC

    def checked(self) -> tuple[Any, ...]:
        """The row for `<table>_check`: bucket, id, the version that was read."""
        raise NotImplementedError  # every kind says its own; a Struct can't be an ABC


class SlowRow(Row):
    """A loaded row of the slow path: it is written as a JSON object that names its columns."""

    def record(self) -> dict[str, Any]:
        """The object for `<table>_change`: bucket, id, the version that was read, the new values by column."""
        return {"bucket": bucket_of(self.id), "id": self.id.hex(), "version": self.version, **self.columns()}

    def columns(self) -> dict[str, Any]:
        """The columns that may change, with their values."""
        raise NotImplementedError  # every kind says its own; a Struct can't be an ABC


class Plan(msgspec.Struct):
    """What a command will do if it is applied. Nothing in it has happened yet.

    `answer` and `person` are canonical JSON: the money part and the person part of the trail's leaf, sealed
    apart. `subject` is whose key seals the person part (None: no person is concerned). `changes` pairs loaded
    rows with their new values, `checks` are rows that were only read, `inserts` are new rows by table,
    `cold` new rows of slow tables as JSON objects, `postings` the money that moves.
    """

    answer: bytes
    event: str
    subject: Id | None = None
    person: bytes = b""
    changes: tuple[tuple[Row, tuple[Any, ...]], ...] = ()
    checks: tuple[Row, ...] = ()
    inserts: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    cold: tuple[tuple[str, dict[str, Any]], ...] = ()
    postings: tuple[tuple[Any, ...], ...] = ()
    subject_key: bytes | None = None
    born: tuple[Any, ...] = ()


_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    """The money part of a leaf, and what the caller is told. Its fields stand in the order of canonical JSON, so that
    they are written as they stand: sorting them each time costs as much again."""

    def written(self) -> bytes:
        """The canonical bytes, for a plan."""
        return _encode(self)


class Effect(msgspec.Struct, frozen=True):
    """The command took effect. `replayed` tells that it had already done so."""

    id: Id
    answer: bytes
    replayed: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """The answer, decoded."""
        decoded: dict[str, Any] = msgspec.json.decode(self.answer)
        return decoded


class Refused(msgspec.Struct, frozen=True):
    """The command was refused and nothing moved. `replayed` tells that it had already been refused."""

    id: Id
    refusal: Refusal
    replayed: bool = False


Outcome = Effect | Refused


Routed = Mapping[bytes, Refusal]
"""Refusals by command id, from what a command had to claim in another bucket."""
