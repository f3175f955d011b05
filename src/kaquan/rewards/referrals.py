"""Referrals: may this invitation be accepted, when is it earned, who gets what, and what is taken back. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Stock, Terms
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.grants import Referral as ReferralTerms
from kaquan.programs.lifecycle import ProgramState
from kaquan.quotas.model import IN_ALL, Tally, Want
from kaquan.quotas.rules import add
from kaquan.rewards import errors
from kaquan.rewards.gifts import Gift, Given, TakenBack, give, never, take_back
from kaquan.rewards.newcomers import not_new, same_person, turned_out
from kaquan.rewards.referral_model import (
    REFERRAL_WORDS_ZH,
    AcceptInvite,
    EarnReferral,
    FollowReferral,
    Invitation,
    InvitationState,
    PayReferral,
    Referral,
    ReferralCommand,
    ReferralFacts,
    ReferralState,
    UndoReferral,
    invitation_id,
)
from kaquan.rewards.rules import window_end
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.limits import outside_subject
from kaquan.vouchers.model import NOBODY
from kaquan.vouchers.orders import day_number

PAID_RULE = 1_100_000_000
"""The rule under which paid invitations are tallied: this and the number of their stock, above all stocks."""

INVITED_RULE = 1_200_000_000
"""The rule of the tokens that let a person, device or payment account be invited once: this and the program."""

REASON_LENGTH_MAX = 200


def terms_of(terms: Terms, code: str = "") -> ReferralTerms | None:
    """A program's referral by its code, else the first; none when it has none."""
    return next((one for one in terms.terms.referrals if code in ("", one.code)), None)


def decide_accept(entry: Entry, facts: ReferralFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """A referral with the invitee, whose person, device and payment account nobody else has used for one."""
    command: AcceptInvite = entry.command
    wallet = facts.wallets.get(command.wallet)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    terms = catalogue.program(command.program)
    if terms is None:
        return Refusal(PROGRAM_UNKNOWN, {"program": command.program[:40]})
    rules = terms_of(terms, command.referral)
    if rules is None or not terms.sells:
        return Refusal(errors.REFERRAL_NONE, {"program": terms.terms.program.name_zh})
    inviter = facts.wallets.get(facts.inviters.get(command.code, NOBODY))
    if inviter is None or not inviter.active:
        return Refusal(errors.INVITE_UNKNOWN)
    if same_person(wallet, inviter):
        return Refusal(errors.INVITE_OWN)
    if refusal := not_new(wallet.id, terms, facts) or facts.routed.get(entry.id):
        return refusal
    return _accepted(entry.id, wallet.id, inviter.id, terms, rules, at)


def wanted_tokens(entry: Entry, person: Id, program: int) -> list[Want]:
    """That a person, a device, a payment account are invited to a program once, whatever wallet they come with."""
    command: AcceptInvite = entry.command
    outside = [(b"device", command.device), (b"payee", command.payee)]
    subjects = [person, *(outside_subject(kind, digest) for kind, digest in outside if digest is not None)]
    return [Want(subject, INVITED_RULE + program, IN_ALL, 1, entry.id, entry.content) for subject in subjects]


def _accepted(identity: Id, invitee: Id, inviter: Id, terms: Terms, rules: ReferralTerms, at: datetime) -> Plan:
    row = {
        "at": microseconds(at),
        "due_at": 0,
        "short": 0,
        "id": identity.hex(),
        "wallet": invitee.hex(),
        "inviter": inviter.hex(),
        "invitation": invitation_id(inviter, identity).hex(),
        "terms": terms.id,
        "version": 1,
        "bucket": bucket_of(identity),
        "inviter_bucket": bucket_of(inviter),
        "program": terms.program,
        "state": int(ReferralState.PENDING),
        "code": rules.code,
    }
    return Plan(
        answer=_answer({"first_face_fen": rules.first_face_fen, "referral": identity.hex(), "state": "pending"}),
        event="referral.accepted.v1",
        subject=invitee,
        person=b'{"referral":"%b","wallet":"%b"}' % (identity.hex().encode(), invitee.hex().encode()),
        cold=(("referral", row),),
    )


def decide(entry: Entry, facts: ReferralFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Earn, pay or undo, on the invitee's side."""
    command: ReferralCommand = entry.command
    referral = facts.referrals.get(command.referral)
    if referral is None:
        return Refusal(errors.REFERRAL_UNKNOWN)
    terms = catalogue.terms[referral.terms]
    match command:
        case EarnReferral():
            return _earn(referral, facts, terms)
        case PayReferral():
            return _pay(entry, referral, facts, catalogue, at)
        case UndoReferral():
            return _undo(entry, referral, facts, catalogue, at)
    raise TypeError(f"not a command about a referral: {type(command).__name__}")


def _earn(referral: Referral, facts: ReferralFacts, terms: Terms) -> Plan | Refusal:
    rules = _rules(referral, terms)
    if refusal := _not_in(referral, ReferralState.PENDING):
        return refusal
    first = facts.bought.get((referral.wallet, referral.program))
    if first is None:
        return Refusal(errors.REFERRAL_NOT_BOUGHT)
    if first.face < rules.first_face_fen:
        changed = (ReferralState.LAPSED, 0, first.origin, NOBODY, 0)
        return _moved(referral, changed, "referral.lapsed.v1", face_fen=first.face)
    due_us = microseconds(window_end(instant(first.at_us), rules.kept_days))
    changed = (ReferralState.EARNED, due_us, first.origin, NOBODY, 0)
    return _moved(referral, changed, "referral.earned.v1", due_us=due_us, face_fen=first.face)


def _pay(
    entry: Entry, referral: Referral, facts: ReferralFacts, catalogue: Catalogue, at: datetime
) -> Plan | Refusal:
    """Paid on the invitee's side; the inviter's follows, which needs her to have been told of the invitation.

    Who was identified since she accepted, and is the inviter herself or no newcomer, gets nothing. An
    invitee whose voucher can never be given gets none, with the reason; her inviter may still get hers.
    """
    if refusal := _not_in(referral, ReferralState.EARNED):
        return refusal
    if microseconds(at) < referral.due_us:
        return Refusal(errors.REFERRAL_NOT_DUE, {"due": shown(instant(referral.due_us))})
    terms = catalogue.terms[referral.terms]
    if learnt := turned_out(referral, facts, terms):
        ended = (ReferralState.CLAWED_BACK, referral.due_us, referral.origin, NOBODY, 0)
        return _moved(referral, ended, "referral.undone.v1", reason=learnt.code.code)
    if terms.state is ProgramState.PAUSED:
        return Refusal(errors.GRANTS_PAUSED, {"program": terms.terms.program.name_zh})
    if invitation_id(referral.inviter, referral.id) not in facts.invitations:
        return Refusal(errors.REFERRAL_NOT_FOLLOWED)
    rules = _rules(referral, terms)
    paid = (ReferralState.PAID, referral.due_us, referral.origin, NOBODY, 0)
    if not rules.invitee_stock:
        return _moved(referral, paid, "referral.paid.v1")
    stock = catalogue.stock_by_code(terms.terms.program.code, rules.invitee_stock)
    if stock is None:
        given: Given | Refusal = Refusal(voucher_errors.STOCK_CLOSED, {"stock": rules.invitee_stock})
    else:
        given = give(Gift(entry.id, referral.id, referral.wallet, stock), facts, at)
    if isinstance(given, Refusal):
        lost = never(given, stock, terms)
        return _moved(referral, paid, "referral.paid.v1", reason=given.code.code) if lost else given
    voucher = given.voucher.id
    moved = _moved(referral, (*paid[:3], voucher, 0), "referral.paid.v1", voucher=voucher.hex())
    return _giving(moved, given)


def _undo(
    entry: Entry, referral: Referral, facts: ReferralFacts, catalogue: Catalogue, at: datetime
) -> Plan | Refusal:
    command: UndoReferral = entry.command
    if referral.state not in (ReferralState.PENDING, ReferralState.EARNED, ReferralState.PAID):
        return _state(referral)
    taken = take_back(entry.id, facts.vouchers.get(referral.voucher), catalogue, at)
    if isinstance(taken, Refusal):
        return taken
    changed = (ReferralState.CLAWED_BACK, referral.due_us, referral.origin, referral.voucher, taken.short)
    plan = _moved(
        referral,
        changed,
        "referral.undone.v1",
        clawback_fen=taken.released,
        clawback_short_fen=taken.short,
        reason=command.reason[:REASON_LENGTH_MAX],
    )
    return _taking(plan, taken)


def decide_follow(entry: Entry, facts: ReferralFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """The inviter's side, in line with what the invitee's says."""
    command: FollowReferral = entry.command
    referral, inviter = facts.referrals.get(command.referral), facts.wallets.get(command.inviter)
    if referral is None or inviter is None or referral.inviter != command.inviter:
        return Refusal(errors.REFERRAL_UNKNOWN)
    identity = invitation_id(command.inviter, referral.id)
    invitation = facts.invitations.get(identity)
    if invitation is None:
        return _recorded(identity, referral, at)
    match invitation.state, referral.state:
        case InvitationState.OPEN, ReferralState.PAID:
            return _reward(entry, invitation, referral, facts, catalogue, at)
        case InvitationState.OPEN, ReferralState.LAPSED:
            return _followed(invitation, (InvitationState.LAPSED, NOBODY, 0), referral, "invitation.lapsed.v1")
        case ((InvitationState.OPEN | InvitationState.PAID), ReferralState.CLAWED_BACK):
            return _take_back(entry, invitation, referral, facts, catalogue, at)
    return Refusal(errors.REFERRAL_FOLLOWED)


def _recorded(identity: Id, referral: Referral, at: datetime) -> Plan:
    row = {
        "at": microseconds(at),
        "short": 0,
        "id": identity.hex(),
        "wallet": referral.inviter.hex(),
        "referral": referral.id.hex(),
        "version": 1,
        "bucket": bucket_of(identity),
        "referral_bucket": bucket_of(referral.id),
        "state": int(InvitationState.OPEN),
    }
    return Plan(
        answer=_answer({"invitation": identity.hex(), "state": "open"}),
        event="invitation.recorded.v1",
        subject=referral.inviter,
        person=_inviting(identity, referral.inviter),
        cold=(("invitation", row),),
    )


def _reward(
    entry: Entry,
    invitation: Invitation,
    referral: Referral,
    facts: ReferralFacts,
    catalogue: Catalogue,
    at: datetime,
) -> Plan | Refusal:
    terms = catalogue.terms[referral.terms]
    rules = _rules(referral, terms)
    stock = catalogue.stock_by_code(terms.terms.program.code, rules.inviter_stock)
    if stock is None:
        refusal = Refusal(voucher_errors.STOCK_CLOSED, {"stock": rules.inviter_stock})
        return _lapsed(refusal, invitation, referral) if never(refusal, stock, terms) else refusal
    in_all, of_day = paid_tallies(stock, invitation.wallet, facts, at)
    if rules.inviter_total and in_all.count >= rules.inviter_total:
        return _followed(invitation, (InvitationState.OVER_CAP, NOBODY, 0), referral, "invitation.capped.v1")
    if rules.inviter_day and of_day.count >= rules.inviter_day:
        return Refusal(errors.INVITER_DAY, {"limit": rules.inviter_day})
    given = give(Gift(entry.id, invitation.id, invitation.wallet, stock), facts, at)
    if isinstance(given, Refusal):
        return _lapsed(given, invitation, referral) if never(given, stock, terms) else given
    voucher = given.voucher.id
    paid = (InvitationState.PAID, voucher, 0)
    moved = _followed(invitation, paid, referral, "invitation.paid.v1", voucher=voucher.hex())
    moved.changes = (*moved.changes, add(in_all), add(of_day))
    return _giving(moved, given)


def _lapsed(refusal: Refusal, invitation: Invitation, referral: Referral) -> Plan:
    ended = (InvitationState.LAPSED, NOBODY, 0)
    return _followed(invitation, ended, referral, "invitation.lapsed.v1", reason=refusal.code.code)


def _take_back(
    entry: Entry,
    invitation: Invitation,
    referral: Referral,
    facts: ReferralFacts,
    catalogue: Catalogue,
    at: datetime,
) -> Plan | Refusal:
    taken = take_back(entry.id, facts.vouchers.get(invitation.voucher), catalogue, at)
    if isinstance(taken, Refusal):
        return taken
    changed = (InvitationState.CLAWED_BACK, invitation.voucher, taken.short)
    plan = _followed(
        invitation,
        changed,
        referral,
        "invitation.undone.v1",
        clawback_fen=taken.released,
        clawback_short_fen=taken.short,
    )
    return _taking(plan, taken)


def paid_tallies(stock: Stock, inviter: Id, facts: ReferralFacts, at: datetime) -> tuple[Tally, Tally]:
    """How often an inviter was paid with vouchers of this stock, in all and today."""
    rule = PAID_RULE + stock.id
    return facts.quotas.tally(inviter, rule, IN_ALL), facts.quotas.tally(inviter, rule, day_number(at))


def _rules(referral: Referral, terms: Terms) -> ReferralTerms:
    """The terms that a referral was accepted under."""
    return next(one for one in terms.terms.referrals if one.code == referral.code)


def _not_in(referral: Referral, state: ReferralState) -> Refusal | None:
    return None if referral.state == state else _state(referral)


def _state(referral: Referral) -> Refusal:
    state = ReferralState(referral.state)
    return Refusal(errors.REFERRAL_STATE, {"state": state.name.lower(), "state_zh": REFERRAL_WORDS_ZH[state]})


def _moved(referral: Referral, changed: tuple[Any, ...], event: str, **facts: object) -> Plan:
    return Plan(
        answer=_answer({"referral": referral.id.hex(), "state": changed[0].name.lower(), **facts}),
        event=event,
        subject=referral.wallet,
        person=referral.person(),
        changes=((referral, changed),),
    )


def _followed(
    invitation: Invitation, changed: tuple[Any, ...], referral: Referral, event: str, **facts: object
) -> Plan:
    """A step on the inviter's side; the referral's present state is why, and no command changes it back."""
    return Plan(
        answer=_answer({"invitation": invitation.id.hex(), "state": changed[0].name.lower(), **facts}),
        event=event,
        subject=referral.inviter,
        person=_inviting(invitation.id, referral.inviter),
        changes=((invitation, changed),),
    )


def _inviting(invitation: Id, inviter: Id) -> bytes:
    return b'{"invitation":"%b","wallet":"%b"}' % (invitation.hex().encode(), inviter.hex().encode())


def _giving(plan: Plan, given: Given) -> Plan:
    plan.changes = (*plan.changes, *given.changes)
    plan.inserts = (("voucher", given.voucher.row()),)
    plan.postings = given.postings
    plan.born = (given.voucher,)
    return plan


def _taking(plan: Plan, taken: TakenBack) -> Plan:
    plan.changes = (*plan.changes, *taken.changes)
    plan.postings = taken.postings
    return plan


def _answer(facts: dict[str, Any]) -> bytes:
    return msgspec.json.encode(facts, order="sorted")
