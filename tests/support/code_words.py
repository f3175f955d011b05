"""The teller's words about payment codes: devices that show them, and paying by what one shows.

`device p-1 card A` adds a device to a wallet (`to li-1`), `remove-device p-1` ends it. `pay-code p-1 100` pays by
what the device shows now, by what it showed (`ago 30` seconds) or will show (`ahead 30`); `wrong` is a code that it
never shows, `shown c-1` gives the code a name and, said again, brings it again. A device that nobody has is `nobody`.
"""

from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.db.wire import raw_cursor
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import offline
from kaquan.payment_codes.model import RemoveDevice
from kaquan.payment_codes.service import Payer, adding, payer
from kaquan.payments.model import Authorize, Pay
from support.town import Town
from support.words import CALLERS, Words, nothing

NOBODY = ("99999999", bytes(32))


class PaymentCodeWords(Words):
    """What the teller says of payment codes."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.phones: dict[str, tuple[str, bytes]] = {"nobody": NOBODY}
        self.shown: dict[str, str] = {}

    def _device(self, told: dict[str, str], name: str) -> Any:
        """The outcome of adding a device; a story need not say that it is a phone."""
        app, to = self.town.app, told.get("to", "zhang")
        made = adding(
            raw_cursor(app.connection),
            app.master,
            OPERATOR,
            told["key"],
            wallet=self.wallets.get(to, nothing(to)),
            label=told.get("named", "phone"),
            card=self._card(told["card"]) if "card" in told else None,
        )
        assert not isinstance(made, Refusal), made
        outcome = app.one(Kind.ADD_DEVICE, made[0])
        if isinstance(outcome, Effect) and not outcome.replayed:
            self.phones[name] = (outcome.facts["handle"], made[1])
            self.given[name] = outcome.id
        return outcome

    def _remove_device(self, told: dict[str, str], name: str) -> Any:
        return self._do(Kind.REMOVE_DEVICE, RemoveDevice, told, device=self.given.get(name, nothing(name)))

    def _pay_code(self, told: dict[str, str], name: str, amount: str, *rest: str) -> Any:
        return self._by_code(Kind.PAY, Pay, told, amount, self._shown(told, name, "wrong" in rest))

    def _authorize_code(self, told: dict[str, str], name: str, amount: str) -> Any:
        return self._by_code(Kind.AUTHORIZE, Authorize, told, amount, self._shown(told, name))

    def _quote_code(self, told: dict[str, str], name: str, amount: str, *rest: str) -> Any:
        """What a payment by a code would come to; the code is not used."""
        found = payer(self.town.app.connection, self._shown(told, name, "wrong" in rest))
        assert isinstance(found, Payer)
        spending = self._spending(told, "-", amount) | {"wallet": found.wallet, "code": found.code}
        quoted = self._quoted(Kind.PAY, Pay(key=told["key"], caller=CALLERS[told["by"]], **spending))
        if quoted.outcome.id and not isinstance(quoted.outcome, Effect):
            assert quoted.choice is None or quoted.outcome.refusal.code.burns, "a bad code tells nothing of a wallet"
        return quoted.outcome

    def _by_code(self, kind: Kind, shape: Any, told: dict[str, str], amount: str, code: str) -> Any:
        found = payer(self.town.app.connection, code)
        assert isinstance(found, Payer), found
        spending = self._spending(told, "-", amount) | {"wallet": found.wallet, "code": found.code}
        return self._paid(told, "-", self._do(kind, shape, told, **spending))

    def _shown(self, told: dict[str, str], name: str, wrong: bool = False) -> str:
        if told.get("shown") in self.shown:
            return self.shown[told["shown"]]
        handle, secret = self.phones[name]
        now = microseconds(self.town.now) // 1_000_000 - int(told.get("ago", "0")) + int(told.get("ahead", "0"))
        code = offline.code(secret, handle, now)
        if wrong:
            digits = f"{(int(code[10:17]) + 1 + len(self.shown)) % 10**7:07d}"
            code = code[:10] + digits
            code += offline.check_digit(code)
            self.shown[f"wrong {len(self.shown)}"] = code
        if "shown" in told:
            self.shown[told["shown"]] = code
        return code
