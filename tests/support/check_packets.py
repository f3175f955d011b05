"""Checks a receipt of a random packet with nothing but the standard library: `python check_packets.py receipt.json`.

The receipt is what `kaquan packets receipt --json` prints once the pool has ended. Whoever kept the commitment that
was published at the opening compares it with the one in the receipt; this script does the rest. It imports nothing
of Kaquan, so that what it says is not Kaquan's word.
"""

import hashlib
import json
import sys
from pathlib import Path


def faults(receipt):
    """Everything that does not hold, in words."""
    seed, amounts = bytes.fromhex(receipt["seed"]), receipt["amounts_fen"]
    written = seed + b"".join(amount.to_bytes(4, "big") for amount in amounts)
    if hashlib.sha256(written).hexdigest() != receipt["commitment"]:
        yield "seed and amounts are not what was committed to"
    if len(seed) != 32:
        yield "the seed has not 32 bytes"
    if len(amounts) != receipt["count"] or sum(amounts) != receipt["total_fen"]:
        yield "the amounts are not as many, or not as much, as was promised"
    if not all(receipt["min_fen"] <= amount <= receipt["max_fen"] for amount in amounts):
        yield "an amount is smaller or larger than was promised"
    if not 1 <= receipt["number"] <= len(amounts) or amounts[receipt["number"] - 1] != receipt["amount_fen"]:
        yield "the packet at this number held another amount"


def main():
    """Print `ok`, or what does not hold; 0 or 1."""
    found = list(faults(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
    print("\n".join(found) or "ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
