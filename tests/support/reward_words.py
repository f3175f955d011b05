"""The teller's words about rewards: `发放 grant-month A 1`, `接受 accept li inviter zhang`, `领取 open-packet P li`.

Plans are called by their card, referrals by the invitee, pools of packets by a name, from which their seed follows.
Vouchers are called after what brought them: `A-1` after the first month of A's plan, `P-1` after the
first packet opened of P, `li` and `zhang` after the referral of the one by the other.
"""

from hashlib import sha256
from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.jobs.run import run_due
from kaquan.kernel.ids import Id
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.model import ExpireLot
from kaquan.rewards.packet_model import EndPackets, OpenPacket, OpenPackets
from kaquan.rewards.plan_model import CancelPlan, GrantDrip
from kaquan.rewards.referral_model import AcceptInvite, EarnReferral, FollowReferral, PayReferral, UndoReferral
from support.words import Words, nothing


class RewardWords(Words):
    """The words of a teller about what programs give. `given` knows referrals by invitees, and pools by name."""

    def _named(self, name: str, outcome: Any) -> Any:
        if isinstance(outcome, Effect):
            self.given[name] = outcome.id
        return outcome

    def _expire_funded(self, told: dict[str, str], order: str) -> Any:
        """The larger of the lots that funds paid for an order's rebate and that have not expired."""
        sql = (
            "SELECT l.id, l.card FROM lot l JOIN payment p ON p.id = l.origin"
            " WHERE p.order_no = %s AND l.fund IS NOT NULL AND l.state = 0 ORDER BY l.granted DESC LIMIT 1"
        )
        lot, card = self.town.rows(sql, order)[0]
        return self._do(Kind.EXPIRE_LOT, ExpireLot, told, card=Id(card.bytes), lot=Id(lot.bytes))

    def _timetable(self, told: dict[str, str]) -> None:
        """Everything that is due."""
        run_due(self.town.app)

    # Monthly plans, by the card that they are for

    def _plan(self, card: str) -> Id:
        sql = "SELECT id FROM plan WHERE card = %s ORDER BY at DESC LIMIT 1"
        found = self.town.rows(sql, self.cards.get(card, nothing(card)).hex())
        return Id(found[0][0].bytes) if found else nothing(card)

    def _grant_month(self, told: dict[str, str], card: str, month: str) -> Any:
        outcome = self._do(Kind.GRANT_DRIP, GrantDrip, told, plan=self._plan(card), month=int(month))
        if isinstance(outcome, Effect):
            self.vouchers[f"{card}-{month}"] = Id(bytes.fromhex(outcome.facts["vouchers"][0]))
        return outcome

    def _cancel_plan(self, told: dict[str, str], card: str) -> Any:
        return self._do(Kind.CANCEL_PLAN, CancelPlan, told, plan=self._plan(card), reason="card closed")

    # Referrals, by the invitee

    def _accept(self, told: dict[str, str], invitee: str, code: str = "") -> Any:
        inviter = self.wallets.get(told.get("inviter", ""), nothing(invitee))
        outcome = self._do(
            Kind.ACCEPT_INVITE,
            AcceptInvite,
            told,
            wallet=self.wallets.get(invitee, nothing(invitee)),
            program=told.get("program", self.town.program),
            code=code or invite_code(inviter),
            device=told["device"].encode() if "device" in told else None,
            payee=told["payee"].encode() if "payee" in told else None,
        )
        return self._named(invitee, outcome)

    def _referral(self, invitee: str) -> Id:
        return self.given.get(invitee, nothing(invitee))

    def _earn(self, told: dict[str, str], invitee: str) -> Any:
        return self._do(Kind.EARN_REFERRAL, EarnReferral, told, referral=self._referral(invitee))

    def _pay_referral(self, told: dict[str, str], invitee: str) -> Any:
        outcome = self._do(Kind.PAY_REFERRAL, PayReferral, told, referral=self._referral(invitee))
        if isinstance(outcome, Effect) and "voucher" in outcome.facts:
            self.vouchers[invitee] = Id(bytes.fromhex(outcome.facts["voucher"]))
        return outcome

    def _undo_referral(self, told: dict[str, str], invitee: str) -> Any:
        fields = {"referral": self._referral(invitee), "reason": "withdrawn"}
        return self._do(Kind.UNDO_REFERRAL, UndoReferral, told, **fields)

    def _follow(self, told: dict[str, str], invitee: str) -> Any:
        fields = {"inviter": self.wallets[told["inviter"]], "referral": self._referral(invitee)}
        outcome = self._do(Kind.FOLLOW_REFERRAL, FollowReferral, told, **fields)
        if isinstance(outcome, Effect) and "voucher" in outcome.facts:
            self.vouchers[told["inviter"]] = Id(bytes.fromhex(outcome.facts["voucher"]))
        return outcome

    # Packets, by names

    def _open_packets(self, told: dict[str, str], name: str, code: str = "lucky") -> Any:
        fields = {
            "program": told.get("program", self.town.program),
            "code": code,
            "seed": sha256(name.encode()).digest(),
        }
        return self._named(name, self._do(Kind.OPEN_PACKETS, OpenPackets, told, **fields))

    def _open_packet(self, told: dict[str, str], pool: str, holder: str) -> Any:
        wallet, identity = self.wallets.get(holder, nothing(holder)), self.given.get(pool, nothing(pool))
        outcome = self._do(Kind.OPEN_PACKET, OpenPacket, told, wallet=wallet, pool=identity)
        if isinstance(outcome, Effect):
            opened = sum(name.startswith(f"{pool}-") for name in self.vouchers)
            self.vouchers[f"{pool}-{opened + 1}"] = outcome.id
        return outcome

    def _end_packets(self, told: dict[str, str], pool: str) -> Any:
        return self._do(Kind.END_PACKETS, EndPackets, told, pool=self.given.get(pool, nothing(pool)))
