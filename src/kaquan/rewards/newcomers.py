"""Whether an invitee is new to a program and invited once: judged by the natural person, whatever her wallets. Pure.

Who is identified only later is judged again when her referral is to be paid. Of several referrals of one person the
one that was accepted first counts, or one that was paid before anybody knew.
"""

from kaquan.holders.model import Wallet
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Terms
from kaquan.rewards import errors
from kaquan.rewards.referral_model import Referral, ReferralFacts, ReferralState


def same_person(invitee: Wallet, inviter: Wallet) -> bool:
    """Whether two wallets are known to be one person's."""
    return invitee.id == inviter.id or (any(invitee.person) and invitee.person == inviter.person)


def not_new(wallet: Id, terms: Terms, facts: ReferralFacts) -> Refusal | None:
    """Why a wallet's person can't be invited to the program: she was, or she has bought before."""
    keys = [(each, terms.program) for each in facts.kin[wallet]]
    if any(key in facts.invited for key in keys):
        return Refusal(errors.INVITE_USED)
    if any(key in facts.bought for key in keys):
        return Refusal(errors.INVITE_NOT_NEW, {"program": terms.terms.program.name_zh})
    return None


def turned_out(referral: Referral, facts: ReferralFacts, terms: Terms) -> Refusal | None:
    """Why a referral that was earned is not to be paid, by what was learnt of the persons since it was accepted."""
    if same_person(facts.wallets[referral.wallet], facts.wallets[referral.inviter]):
        return Refusal(errors.INVITE_OWN)
    for each in facts.kin[referral.wallet][1:]:
        other = facts.invited.get((each, referral.program))
        paid = other is not None and other.state == ReferralState.PAID
        if other is not None and (paid or (other.at_us, other.referral) < (referral.at_us, referral.id)):
            return Refusal(errors.INVITE_USED)
        first = facts.bought.get((each, referral.program))
        if first is not None and first.at_us < referral.at_us:
            return Refusal(errors.INVITE_NOT_NEW, {"program": terms.terms.program.name_zh})
    return None
