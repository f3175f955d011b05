"""What an event says: the ids that it names, out of its command's answer. Pure."""

from collections.abc import Iterator, Mapping

import msgspec

from kaquan.events.catalogue import CODED, EVENTS, message
from kaquan.kernel.ids import PREFIXES, Id, public
from kaquan.webhooks.model import Happened


def named(happened: Happened, programs: Mapping[int, str]) -> Iterator[tuple[str, Id | str]]:
    """The things that an event carries, each by what it is: its id, or its code.

    What an answer does not name is what the command made: its effect has the command's id. `programs` are the codes
    of programs, which answers may tell by their number.
    """
    answer = happened.answer
    for thing in EVENTS[happened.name].carries:
        if thing in CODED:
            told = answer.get(thing, answer.get("code"))
            yield thing, programs.get(told, "") if isinstance(told, int) else str(told)
        else:
            told = answer.get(thing) or answer.get("id")
            yield thing, Id(bytes.fromhex(told)) if told else happened.effect


def body(happened: Happened, programs: Mapping[int, str]) -> bytes:
    """What is sent: the same bytes on every attempt, because they are signed."""
    data = {
        thing: public(PREFIXES[thing], told) if isinstance(told, bytes) else told
        for thing, told in named(happened, programs)
    }
    return msgspec.json.encode(message(happened.name, happened.at_us, data))
