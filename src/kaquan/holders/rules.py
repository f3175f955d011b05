"""May this holder be registered? Pure."""

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import HOLDER_EXISTS
from kaquan.holders.model import HolderFacts, RegisterHolder
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


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "\\x" + value.hex()
