"""Checks a receipt of a draw on its own: python check_draw.py receipt.json list.txt

The receipt says which entry is meant and what was published; the list has the ids of all entries, one a line. Uses
nothing but Python itself.
"""

import hashlib
import json
import sys
from pathlib import Path


def check(receipt: dict, lines: list[str]) -> int:
    """The place of the entry. Raises `ValueError` that says which promise was broken."""
    entries = sorted(bytes.fromhex(line) for line in lines)
    entry, seed = bytes.fromhex(receipt["entry"]), bytes.fromhex(receipt["seed"])
    if hashlib.sha256(seed).hexdigest() != receipt["commitment"]:
        raise ValueError("the seed is not the one that was committed to before the draw")
    if hashlib.sha256(b"".join(entries)).hexdigest() != receipt["list_digest"]:
        raise ValueError("the list is not the one that was committed to before the seed was known")
    if len(set(entries)) != len(entries) or entry not in entries:
        raise ValueError("the entry does not stand in the list, or one stands there twice")
    place = sorted(entries, key=lambda one: hashlib.sha256(seed + one).digest()).index(entry) + 1
    if place != receipt["place"] or (place <= receipt["seats"]) != receipt["won"]:
        raise ValueError(f"the receipt says place {receipt['place']}, and it is {place}")
    return place


if __name__ == "__main__":
    told, names = json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]).read_text("utf-8")
    print("place", check(told, names.split()), "won" if told["won"] else "not won")
