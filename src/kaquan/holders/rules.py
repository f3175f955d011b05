"""May this holder be registered or identified? Pure."""

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import HOLDER_EXISTS, HOLDER_IDENTIFIED, WALLET_UNKNOWN
from kaquan.holders.model import HolderFacts, IdentifyHolder, RegisterHolder, WalletFacts
from kaquan.kernel.ids import bucket_of
from kaquan.kernel.refusal import Refusal


def decide(entry: Entry, facts: HolderFacts, at_us: int) -> Plan | Refusal:
    """Open a wallet whose id is the command's. One phone number has one wallet."""
    command: RegisterHolder = entry.command
    if command.phone_index is not None and command.phone_index in facts.taken:
        return Refusal(HOLDER_EXISTS)
    wallet, bucket = entry.id.hex(), bucket_of(entry.id)
    cold = [
        (
            "wallet",
            {
                "bucket": bucket,
                "id": wallet,
                "identified": command.identified,
                "state": 1,
                "version": 1,
                "at": at_us,
                "person": command.person_index.hex() if command.person_index else None,
            },
        ),
        ("subject_key", {"bucket": bucket, "subject": wallet, "wrapped": _hex(command.wrapped_key)}),
    ]
    if command.name is not None:
        sealed = {"name": command.name, "phone": command.phone, "id_no": command.id_number}
        cold.append(
            ("person", {"bucket": bucket, "wallet": wallet, **{name: _hex(value) for name, value in sealed.items()}})
        )
    if command.phone_index is not None:
        cold.append(("phone_index", {"bucket": bucket, "blind": _hex(command.phone_index), "wallet": wallet}))
    return Plan(
        answer=msgspec.json.encode({"identified": command.identified, "state": "registered"}),
        event="holder.registered.v1",
        subject=entry.id,
        subject_key=command.subject_key,
        person=b'{"wallet":"%b"}' % wallet.encode(),
        cold=tuple(cold),
        born=(command.phone_index,) if command.phone_index else (),
    )


def decide_identify(entry: Entry, facts: WalletFacts) -> Plan | Refusal:
    """Record name and identity number, once. What was sealed without the wallet's key could never be opened."""
    command: IdentifyHolder = entry.command
    wallet = facts.wallets.get(command.wallet)
    index = command.person_index
    if wallet is None or not wallet.active or command.name is None or index is None:
        return Refusal(WALLET_UNKNOWN)
    if wallet.identified:
        return Refusal(HOLDER_IDENTIFIED)
    identity, seen = wallet.id.hex(), wallet.seen()
    sealed = {"name": _hex(command.name), "id_no": _hex(command.id_number)}
    return Plan(
        answer=msgspec.json.encode({"identified": True, "state": "identified"}),
        event="holder.identified.v1",
        subject=wallet.id,
        person=b'{"wallet":"%b"}' % identity.encode(),
        cold=(
            ("wallet_change", {**seen, "identified": True, "person": index.hex()}),
            ("person_change", {"bucket": seen["bucket"], "wallet": identity, **sealed}),
        ),
        born=(msgspec.structs.replace(wallet, identified=True, person=index),),
    )


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "\\x" + value.hex()
