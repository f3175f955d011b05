"""The teller says commands in words to a town: `支付 pay A 100 order o-1`. Chinese words are for the reader only.

Cards have names (`A`), holders too (`zhang` is registered and identified from the start); payments are called by
their order number; amounts are yuan. What a word leaves open has a default, so that a story tells only what it is
about. A name that was never given stands for something that does not exist.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from kaquan.cards.model import Freeze, Replace, ReportLost, Unfreeze
from kaquan.commands.model import Effect, Entry, Kind, scoped_id
from kaquan.funders.model import fund_id
from kaquan.holders.service import identification, registration
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.ids import Id
from kaquan.merchants.model import (
    BindBankAccount,
    RegisterMerchant,
    RegisterOrganisation,
    RegisterStore,
    VerifyBankAccount,
)
from kaquan.payments.model import Authorize, Capture, ExpireHold, Pay, Refund, Void
from kaquan.payments.service import reverse
from kaquan.privacy.model import Person
from kaquan.programs.enrolment import EnrolMerchant, SuspendMerchant
from kaquan.rewards.model import ExpireLot, GrantReward
from kaquan.sales.model import Sell, TopUp
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview, Settle
from kaquan.settlement.partners import PayPartner
from kaquan.settlement.write_offs import WriteOff
from support.accounting_words import AccountingWords
from support.claim_words import ClaimWords
from support.closing_words import ClosingWords
from support.code_words import PaymentCodeWords
from support.custody_words import CustodyWords
from support.fund_words import FundWords
from support.identity_words import IdentityWords
from support.leaving_words import LeavingWords
from support.payout_words import PayoutWords
from support.program_words import ProgramWords
from support.reward_words import RewardWords
from support.voucher_words import VoucherWords
from support.words import CALLERS, fen, nothing

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")

ID_NUMBER = "11010519491231002X"
ID_NUMBERS = (ID_NUMBER, "440308199001010017", "320106198505050025", "510104197703030031")


class Teller(
    ProgramWords,
    FundWords,
    CustodyWords,
    ClaimWords,
    VoucherWords,
    RewardWords,
    PaymentCodeWords,
    IdentityWords,
    AccountingWords,
    ClosingWords,
    PayoutWords,
    LeavingWords,
):
    """One story's words and the ids behind them."""

    def say(self, words: str) -> Any:
        """Execute one command in words; its outcome, or None when the words only let time pass."""
        quoted = re.findall(r"`([^`]*)`", words)
        plain = CHINESE.sub(" ", re.sub(r"`[^`]*`", " ", words))
        verb, *rest = plain.split()
        told: dict[str, str] = {"key": self.town.key(), "by": "operator"}
        subjects: list[str] = []
        while rest:
            word = rest.pop(0)
            if word in _OPTIONS:
                told[word] = rest.pop(0)
            else:
                subjects.append(word)
        speak: Callable[..., Any] = getattr(self, f"_{verb.replace('-', '_')}")
        return speak(told, *subjects, *quoted)

    def at(self, day_and_time: str) -> None:
        """Let it be that time in Shanghai, written as 05-21 09:30 (2025) or with its year. Time never goes back."""
        text = day_and_time if len(day_and_time) > 11 else f"2025-{day_and_time}"
        now = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
        assert now >= self.town.now, f"time does not go back: {day_and_time}"
        self.town.now = now

    # Holders, cards, money in

    def _register(self, told: dict[str, str], name: str, phone: str, *rest: str) -> Any:
        known = told.get("passport") or ID_NUMBERS[int(told.get("id", "0"))]
        person = Person(told.get("named", "李四"), phone, None if "unidentified" in rest else known)
        command = registration(self.town.app.master, OPERATOR, told["key"], person)
        outcome = self.town.app.one(Kind.REGISTER_HOLDER, command)
        if isinstance(outcome, Effect):
            self.wallets[name] = outcome.id
        return outcome

    def _identify(self, told: dict[str, str], name: str) -> Any:
        app, wallet = self.town.app, self.wallets.get(name, nothing(name))
        person = {"name": told.get("named", "李四"), "id_number": ID_NUMBER}
        command = identification(app.connection, app.master, OPERATOR, told["key"], wallet=wallet, **person)
        return app.one(Kind.IDENTIFY_HOLDER, command)

    def _sell(self, told: dict[str, str], card: str, face: str) -> Any:
        to = told.get("to", "zhang")
        outcome = self._do(
            Kind.SELL,
            Sell,
            told,
            wallet=self.wallets.get(to, nothing(to)),
            program=told.get("program", self.town.program),
            face=fen(face),
            channel=told.get("via", "sandbox"),
            vouchers=self._with(told),
        )
        if isinstance(outcome, Effect):
            self.cards[card] = outcome.id
        return outcome

    def _top_up(self, told: dict[str, str], card: str, face: str = "0") -> Any:
        """Without a face only vouchers put value on the card."""
        fields = {"channel": told.get("via", "sandbox"), "vouchers": self._with(told)}
        return self._do(Kind.TOP_UP, TopUp, told, card=self._card(card), face=fen(face), **fields)

    def _freeze(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.FREEZE, Freeze, told, card=self._card(card), reason="asked")

    def _unfreeze(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.UNFREEZE, Unfreeze, told, card=self._card(card), reason="asked")

    def _report_lost(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.REPORT_LOST, ReportLost, told, card=self._card(card))

    def _replace(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.REPLACE, Replace, told, card=self._card(card))

    # Payments

    def _spending(self, told: dict[str, str], card: str, amount: str) -> dict[str, Any]:
        merchant, store = told.get("at", "mall-1"), told.get("store")
        return {
            "card": self._card(card) if card != "-" else None,
            "number": self._number(card, told["number"]) if "number" in told else None,
            "merchant": self.town.merchants.get(merchant, nothing(merchant)),
            "store": self.town.stores.get(store, nothing(store)) if store else None,
            "amount": fen(amount),
            "order_no": told.get("order", ""),
            **self._order_told(told),
        }

    def _number(self, card: str, which: str) -> str:
        """`new`: the number that the card bears; `old`: one that it bore before."""
        same = {"new": "=", "old": "<>"}[which]
        joined = "card c JOIN card_number n ON n.card = c.id"
        sql = f"SELECT n.number FROM {joined} WHERE c.id = %s AND n.number {same} c.number"
        return str(self.town.rows(sql, self._card(card).hex())[0][0])

    def _pay(self, told: dict[str, str], card: str, amount: str) -> Any:
        return self._spend(Kind.PAY, Pay, told, card, amount)

    def _authorize(self, told: dict[str, str], card: str, amount: str) -> Any:
        return self._spend(Kind.AUTHORIZE, Authorize, told, card, amount)

    def _spend(self, kind: Kind, shape: Any, told: dict[str, str], card: str, amount: str) -> Any:
        spending = self._spending(told, card, amount)
        if told.get("with") == "auto":
            command = shape(key=told["key"], caller=CALLERS[told["by"]], **spending)
            spending["vouchers"] = self._quoted(kind, command).command.vouchers
        return self._paid(told, card, self._do(kind, shape, told, **spending))

    def _quote(self, told: dict[str, str], card: str, amount: str) -> Any:
        """What a payment would come to; nothing moves."""
        command = Pay(key=told["key"], caller=CALLERS[told["by"]], **self._spending(told, card, amount))
        return self._quoted(Kind.PAY, command).outcome

    def _paid(self, told: dict[str, str], card: str, outcome: Any) -> Any:
        order = told.get("order", "")
        if isinstance(outcome, Effect) or order not in self.payments:
            self.payments[order] = outcome.id
            self.payers[order] = self._card(card)
        return outcome

    def _set_out(self, told: dict[str, str], card: str, amount: str) -> None:
        """A payment that claims its order and then dies on the way, before it is decided."""
        command = Pay(key=told["key"], caller=OPERATOR, **self._spending(told, card, amount))
        entry = Entry(command, scoped_id(OPERATOR.organisation, command.subject, command.key), b"")
        door = self.town.app.door
        self.town.app.handlers[Kind.PAY].route(door._cursor, [entry], door.at(), False)

    def _payment(self, order: str) -> Id:
        return self.payments.get(order, nothing(order))

    def _capture(self, told: dict[str, str], order: str, amount: str = "") -> Any:
        wanted = fen(amount) if amount else None
        return self._do(Kind.CAPTURE, Capture, told, payment=self._payment(order), amount=wanted)

    def _void(self, told: dict[str, str], order: str) -> Any:
        return self._do(Kind.VOID, Void, told, payment=self._payment(order))

    def _expire_hold(self, told: dict[str, str], order: str) -> Any:
        return self._do(Kind.EXPIRE_HOLD, ExpireHold, told, payment=self._payment(order))

    def _refund(self, told: dict[str, str], order: str, late: str = "") -> Any:
        """`amount 50` or `lines 1,2` come back, else all that is left; `times 3` says it three times."""
        back = {
            "amount": fen(told["amount"]) if "amount" in told else None,
            "lines": tuple(int(number) - 1 for number in told.get("lines", "").split(",") if number),
        }
        fields = {"payment": self._payment(order), "reason": "returned", "late": late == "late", **back}
        for _ in range(int(told.get("times", "1")) - 1):
            assert isinstance(self._do(Kind.REFUND, Refund, told | {"key": self.town.key()}, **fields), Effect)
        return self._do(Kind.REFUND, Refund, told, **fields)

    def _reverse(self, told: dict[str, str], order: str) -> Any:
        app, merchant = self.town.app, self.town.merchants[told.get("at", "mall-1")]
        return reverse(app.door, app.catalogue, CALLERS[told["by"]], told["key"], merchant, order)

    # What the timetable does

    def _grant(self, told: dict[str, str], order: str) -> Any:
        card, payment = self.payers.get(order, nothing(order)), self._payment(order)
        outcome = self._do(Kind.GRANT_REWARD, GrantReward, told, card=card, payment=payment)
        if isinstance(outcome, Effect):
            self.lots[order] = outcome.id
        return outcome

    def _expire_lot(self, told: dict[str, str], order: str) -> Any:
        card, lot = self.payers.get(order, nothing(order)), self.lots.get(order, nothing(order))
        return self._do(Kind.EXPIRE_LOT, ExpireLot, told, card=card, lot=lot)

    def _expire_principal(self, told: dict[str, str], card: str) -> Any:
        found = self.town.rows("SELECT id FROM lot WHERE card = %s AND kind = 0 ORDER BY id", self._card(card).hex())
        return self._do(Kind.EXPIRE_LOT, ExpireLot, told, card=self._card(card), lot=Id(found[0][0].bytes))

    def _expire_subsidy(self, told: dict[str, str], card: str) -> Any:
        """The first subsidy on the card, `of city` that of a fund."""
        fund = fund_id(told["of"]).hex() if "of" in told else None
        sql = "SELECT id FROM lot WHERE card = %s AND kind = 2 AND fund = coalesce(%s, fund) ORDER BY expires_at, id"
        found = self.town.rows(sql, self._card(card).hex(), fund)
        return self._do(Kind.EXPIRE_LOT, ExpireLot, told, card=self._card(card), lot=Id(found[0][0].bytes))

    def _wait(self, told: dict[str, str]) -> None:
        """Only time passes."""

    # Reference data

    def _organisation(self, told: dict[str, str], code: str, *rest: str) -> Any:
        fields = {"code": code, "name": code, "keeps_book": "book" in rest}
        return self._do(Kind.REGISTER_ORGANISATION, RegisterOrganisation, told, **fields)

    def _merchant(self, told: dict[str, str], code: str) -> Any:
        account = "" if told.get("bank") == "none" else told.get("account", "6222020200112230")
        bank = "" if told.get("bank") == "none" else "工商银行"
        fields = {"code": code, "name": code, "account_bank": bank, "account_no": account}
        outcome = self._do(
            Kind.REGISTER_MERCHANT, RegisterMerchant, told, organisation=told.get("of", "jingxi-stores"), **fields
        )
        if isinstance(outcome, Effect):
            self.town.merchants[code] = Id(bytes.fromhex(outcome.facts["id"]))
        return outcome

    def _shop(self, told: dict[str, str], code: str) -> Any:
        fields = {"code": code, "name": code, "scene": "retail"}
        return self._do(Kind.REGISTER_STORE, RegisterStore, told, merchant=told.get("of", "mall-1"), **fields)

    def _bind(self, told: dict[str, str], code: str, account: str) -> Any:
        fields = {"merchant": code, "account_bank": told.get("bank", "工商银行"), "account_no": account}
        return self._do(Kind.BIND_BANK_ACCOUNT, BindBankAccount, told, **fields)

    def _verify(self, told: dict[str, str], code: str, account: str) -> Any:
        fields = {"merchant": code, "account_no": account, "proof": told.get("proof", "")}
        return self._do(Kind.VERIFY_BANK_ACCOUNT, VerifyBankAccount, told, **fields)

    def _enrol(self, told: dict[str, str], code: str) -> Any:
        program = told.get("program", self.town.program)
        return self._do(Kind.ENROL_MERCHANT, EnrolMerchant, told, merchant=code, program=program)

    def _suspend(self, told: dict[str, str], code: str) -> Any:
        fields = {"merchant": code, "program": told.get("program", self.town.program), "reason": "complaint"}
        return self._do(Kind.SUSPEND_MERCHANT, SuspendMerchant, told, **fields)

    def _write_off(self, told: dict[str, str], code: str) -> Any:
        fields = {
            "program": self.town.app.catalogue.programs[self.town.program],
            "merchant": self.town.merchants[code],
            "approved_by": told.get("approved-by", "").strip('"'),
            "reason": told.get("because", "closed"),
        }
        return self._do(Kind.WRITE_OFF_DEBT, WriteOff, told, **fields)

    def _pay_partner(self, told: dict[str, str], code: str) -> Any:
        program = self.town.app.catalogue.programs[told.get("program", self.town.program)]
        fields = {"program": program, "partner": self.town.merchants[code]}
        return self._do(Kind.PAY_PARTNER, PayPartner, told, **fields)

    def _settle_up(self, told: dict[str, str], code: str, period_end: str) -> Any:
        """One merchant's period, as a preview of this moment counts it."""
        app, merchant = self.town.app, self.town.merchants[code]
        program = app.catalogue.programs[told.get("program", self.town.program)]
        day, at = date.fromisoformat(period_end), app.door.at()
        seen = settlement.preview(app.connection, app.catalogue, app.calendar, program, day, [merchant], at=at)
        assert isinstance(seen, Preview), seen
        fields = {"program": program, "merchant": merchant, "period_end": day, "terms": seen.terms, "cut": seen.cut}
        return self._do(Kind.SETTLE, Settle, told, **fields)


_OPTIONS = {
    "in",
    "reference",
    "source",
    "to",
    "program",
    "via",
    "order",
    "at",
    "store",
    "key",
    "by",
    "of",
    "number",
    "named",
    "as",
    "approved-by",
    "because",
    "on",
    "text",
    "account",
    "bank",
    "proof",
    "with",
    "outside",
    "lines",
    "wallet",
    "amount",
    "minutes",
    "device",
    "payee",
    "passport",
    "seats",
    "times",
    "inviter",
    "id",
    "role",
    "scopes",
    "within",
    "days",
    "grace",
    "card",
    "ago",
    "ahead",
    "shown",
    "for",
    "cost",
    "ref",
    "try",
    "evidence",
}
