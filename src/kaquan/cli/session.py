"""One command at work: the open installation, what the caller typed looked up, commands sent, effects printed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn
from uuid import UUID

import msgspec

from kaquan.cards import service as cards
from kaquan.cards.errors import CARD_UNKNOWN
from kaquan.cli.endings import Misuse, RefusedHere
from kaquan.cli.labels import Words
from kaquan.cli.printing import Screen
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.kernel import clock, ids
from kaquan.kernel.caller import OPERATOR, Caller
from kaquan.kernel.ids import Id, IdError
from kaquan.kernel.refusal import Refusal
from kaquan.main import Kaquan
from kaquan.payments.errors import MERCHANT_UNKNOWN, STORE_UNKNOWN
from kaquan.programs import service as programs
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.model import Life
from kaquan.settings import Settings

_READ_NOW = -1
"""A version that no reference data has, so that the catalogue is read whatever it holds."""


class Session:
    """An open installation and the wishes of one command: its key, whether it is a dry run, where to print."""

    def __init__(
        self, app: Kaquan, settings: Settings, screen: Screen, key: str | None = None, dry_run: bool = False
    ) -> None:
        self.app = app
        self.settings = settings
        self.screen = screen
        self.dry_run = dry_run
        self.sent: str | None = None
        self._key = key

    def key(self) -> str:
        """The command's key. A fresh one is printed before anything is sent, so that a retry is always possible."""
        if self._key is None:
            born = clock.microseconds(self.app.door.at()) // 1000
            self._key = str(UUID(bytes=ids.new_id(born, ids.draw_bucket())))
            if not self.dry_run:
                self.screen.note(f"请求号 {self._key}", f"key {self._key}")
        return self._key

    def act(self, kind: Kind, make: Callable[[str], Any]) -> Effect:
        """Send the command that `make` makes from the key. Raises `RefusedHere`."""
        command = make(self.key())
        return self.send(lambda: self.app.one(kind, command, dry_run=self.dry_run))

    def send(self, execute: Callable[[], Outcome]) -> Effect:
        """The effect of what `execute` sends under this command's key. Raises `RefusedHere`."""
        self.sent = None if self.dry_run else self.key()
        outcome = execute()
        self.sent = None
        if not isinstance(outcome, Effect):
            raise RefusedHere(outcome.refusal, {"key": self.key(), "replayed": outcome.replayed})
        if outcome.replayed:
            self.screen.note(
                "这个请求号此前已执行，以下是当时的结果。",
                "This key was used before; this is the answer it was given.",
            )
        return outcome

    def tell(self, headline: Words, outcome: Effect, facts: Mapping[str, Any], born: tuple[str, ...] = ()) -> None:
        """Print an effect. `born` names the facts that a dry run cannot know, because nothing was made."""
        if self.dry_run and not outcome.replayed:
            headline = (f"试算，没有发生任何变动：{headline[0]}", f"Dry run, nothing moved: {headline[1]}")
            facts = {name: given for name, given in facts.items() if name not in born}
        document = {"dry_run": self.dry_run, "replayed": outcome.replayed, "key": self._key}
        self.screen.effect(headline, facts, document)

    def caller(self, person: str | None) -> Caller:
        """The operator, with the person who acts: the one who was named, else the one of the settings."""
        return msgspec.structs.replace(OPERATOR, person=person or self.settings.person)

    def refuse(self, refusal: Refusal) -> NoReturn:
        """End the command with a refusal."""
        raise RefusedHere(refusal)

    def catalogue(self) -> Catalogue:
        """Programs, merchants and stores as they are now."""
        self.app.catalogue.refresh(self.app.connection, _READ_NOW)
        return self.app.catalogue

    def program(self, code: str) -> Terms:
        """The latest terms of a program that a person means. Raises `RefusedHere`."""
        found = self.catalogue().program(code.strip())
        if found is None:
            raise RefusedHere(Refusal(PROGRAM_UNKNOWN, {"program": code[:40]}))
        return found

    def life(self, code: str) -> Life:
        """The program that a person means, which may be a draft. Raises `RefusedHere`."""
        found = programs.lives(self.app.connection).get(code.strip())
        if found is None:
            raise RefusedHere(Refusal(PROGRAM_UNKNOWN, {"program": code[:40]}))
        return found

    def card(self, text: str) -> Id:
        """The card that a person means, by number or id. Raises `RefusedHere`."""
        found = cards.find(self.app.connection, text)
        if found is None:
            raise RefusedHere(Refusal(CARD_UNKNOWN))
        return found

    def merchant(self, text: str) -> Id:
        """The merchant that a person means, by code or id. Raises `RefusedHere`."""
        catalogue = self.catalogue()
        found = catalogue.merchant_codes.get(text.strip())
        if found is None:
            with suppress(IdError):
                found = ids.parse("mer", text)
        if found is None or found not in catalogue.merchants:
            raise RefusedHere(Refusal(MERCHANT_UNKNOWN))
        return found

    def store(self, code: str | None) -> Id | None:
        """The store with a code; None for none. Raises `RefusedHere`."""
        if code is None:
            return None
        found = self.catalogue().stores.get(code.strip())
        if found is None:
            raise RefusedHere(Refusal(STORE_UNKNOWN))
        return found[0]


def identity(prefix: str, text: str) -> Id:
    """An id that a person typed. Raises `Misuse`."""
    try:
        return ids.parse(prefix, text)
    except IdError:
        raise Misuse(
            f"“{text}”不是完整的 {prefix}_… 编号，请整段复制。",
            f"{text} is not a whole {prefix}_… id: copy all of it.",
        ) from None


def named_vouchers(texts: Sequence[str] | None) -> tuple[Id, ...]:
    """The vouchers that a person named. Raises `Misuse`."""
    return tuple(identity("vch", text) for text in texts or ())
