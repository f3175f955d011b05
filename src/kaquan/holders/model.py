"""Wallets, and who holds them as the door sees it: sealed, never in the clear."""

from hashlib import sha256
from typing import Any

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id, bucket_of


class RegisterHolder(Command, frozen=True, kw_only=True):
    """Open a wallet. All personal data is sealed before it becomes a command; an anonymous wallet has none.

    `phone_index` is the blind index of the phone number, which also decides the wallet's bucket, so that one
    number has one wallet. `person_index` tells the wallets of one natural person: sixteen bytes of the blind index of
    the identity number. `name`, `phone`, `id_number` are sealed bytes, `wrapped_key` the sealed subject key, `digest`
    the keyed digest of the person (`privacy.vault.Vault.digest`).
    """

    identified: bool
    wrapped_key: bytes
    subject_key: bytes
    name: bytes | None = None
    phone: bytes | None = None
    id_number: bytes | None = None
    phone_index: bytes | None = None
    person_index: bytes | None = None
    digest: bytes | None = None

    @property
    def subject(self) -> Id:
        """Decides the bucket: the blind index when there is one, else the caller's key."""
        return Id((self.phone_index or sha256(self.key.encode("utf-8", "surrogatepass")).digest())[:16])

    def content(self) -> bytes:
        """What is the same on every retry; ciphertexts and keys are drawn anew each time."""
        return msgspec.msgpack.encode((self.phone_index, self.identified, self.digest, self.caller))


class IdentifyHolder(Command, frozen=True, kw_only=True):
    """Put on record who holds a wallet that was opened without an identity number.

    `name` and `id_number` are sealed with the wallet's own key, None when it has none (an unknown wallet, or an
    erased holder); `person_index` is as in `RegisterHolder`, `digest` the keyed digest of both.
    """

    wallet: Id
    digest: bytes
    name: bytes | None
    id_number: bytes | None
    person_index: bytes | None = None

    @property
    def subject(self) -> Id:
        """The wallet."""
        return self.wallet

    def content(self) -> bytes:
        """What is the same on every retry; ciphertexts are drawn anew each time."""
        return msgspec.msgpack.encode((self.wallet, self.digest, self.caller))


class HolderFacts(msgspec.Struct):
    """Which of the batch's blind indexes are taken, and earlier decisions."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    taken: set[bytes]

    def absorb(self, plan: Plan) -> None:
        """A number registered by this batch is taken from now on."""
        self.taken.update(plan.born)


class Wallet(msgspec.Struct, frozen=True):
    """A wallet as rules need it. `person` is the blind index of the identity number, zeros when it is not known."""

    id: Id
    active: bool
    identified: bool
    version: int
    person: bytes = bytes(16)

    def seen(self) -> dict[str, Any]:
        """The row for `wallet_check`: what was decided holds for this version only."""
        return {"bucket": bucket_of(self.id), "id": self.id.hex(), "version": self.version}


class WalletFacts(msgspec.Struct):
    """The wallets a batch addresses, and earlier decisions."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    wallets: dict[bytes, Wallet]

    def absorb(self, plan: Plan) -> None:
        """A wallet that this batch changed is as the plan leaves it from now on; a sale changes none."""
        self.wallets.update((wallet.id, wallet) for wallet in plan.born)
