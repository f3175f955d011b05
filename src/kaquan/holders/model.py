"""A holder's registration, as the door sees it: sealed, never in the clear."""

from hashlib import sha256

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id


class RegisterHolder(Command, frozen=True, kw_only=True):
    """Open a wallet. All personal data is sealed before it becomes a command; an anonymous wallet has none.

    `phone_index` is the blind index of the phone number, which also decides the wallet's bucket, so that one
    number has one wallet. `name`, `phone`, `id_number` are sealed bytes, `wrapped_key` the sealed subject key.
    """

    identified: bool
    wrapped_key: bytes
    subject_key: bytes
    name: bytes | None = None
    phone: bytes | None = None
    id_number: bytes | None = None
    phone_index: bytes | None = None

    @property
    def subject(self) -> Id:
        """Decides the bucket: the blind index when there is one, else the caller's key."""
        return Id((self.phone_index or sha256(self.key.encode("utf-8", "surrogatepass")).digest())[:16])

    def content(self) -> bytes:
        """What is the same on every retry; ciphertexts and keys are drawn anew each time."""
        return msgspec.msgpack.encode((self.phone_index, self.identified, self.caller))


class HolderFacts(msgspec.Struct):
    """Which of the batch's blind indexes are taken, and earlier decisions."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    taken: set[bytes]

    def absorb(self, plan: Plan) -> None:
        """A number registered by this batch is taken from now on."""
        self.taken.update(plan.born)
