"""The teller's words about passing cards on and idle ones: `转让 pass-on A li`, `到账 arrive A B`.

The card that arrives is called by the second name. `确认 recognise A evidence e-1 approved-by second`.
"""

from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.sales.leaving_model import ReactivateCard, ReceiveCard, RecogniseBreakage, RemindIdle, TransferCard
from support.words import Words, nothing


class LeavingWords(Words):
    """The words of a teller about cards that change hands or lie unused."""

    def _pass_on(self, told: dict[str, str], card: str, to: str) -> Any:
        wallet = self.wallets.get(to, nothing(to))
        outcome = self._do(Kind.TRANSFER_CARD, TransferCard, told, card=self._card(card), to=wallet, reason="asked")
        if isinstance(outcome, Effect):
            self.given[f"transfer {card}"], self.wallets[f"to {card}"] = outcome.id, wallet
        return outcome

    def _arrive(self, told: dict[str, str], card: str, name: str = "-") -> Any:
        transfer = self.given.get(f"transfer {card}", nothing(card))
        to = self.wallets.get(f"to {card}", self.wallets["zhang"])
        outcome = self._do(Kind.RECEIVE_CARD, ReceiveCard, told, transfer=transfer, to=to)
        if isinstance(outcome, Effect):
            self.cards[name] = outcome.id
        return outcome

    def _reactivate(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.REACTIVATE_CARD, ReactivateCard, told, card=self._card(card))

    def _recognise(self, told: dict[str, str], card: str) -> Any:
        fields = {"evidence": told.get("evidence", ""), "approved_by": told.get("approved-by", "")}
        return self._do(Kind.RECOGNISE_BREAKAGE, RecogniseBreakage, told, card=self._card(card), **fields)

    def _remind(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.REMIND_IDLE, RemindIdle, told, card=self._card(card))
