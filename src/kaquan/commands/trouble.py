"""How an error of ours is told in a log: by what it is and where it happened, never by its message.

Messages of Python and of the driver quote what was being worked on: a name, a row, a line of a file.
"""

import traceback

from kaquan.kernel.refusal import Fault


def told(trouble: BaseException | None) -> str:
    """Type, SQLSTATE if there is one, and the line it came from; the message only of a fault, which is our own."""
    if trouble is None:
        return "nothing is known"
    words = [type(trouble).__name__]
    if state := getattr(trouble, "sqlstate", None):
        words.append(str(state))
    if frames := traceback.extract_tb(trouble.__traceback__):
        words.append(f"in {frames[-1].filename}:{frames[-1].lineno} {frames[-1].name}")
    if isinstance(trouble, Fault):
        words.append(str(trouble))
    return " ".join(words)
