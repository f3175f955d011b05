"""Referrals on a real database, carried out by the timetable: who gets what, and who gets nothing."""

import pytest

from kaquan.commands.model import Effect, Entry, Kind, Refused, scoped_id
from kaquan.holders.service import identification
from kaquan.jobs.timetable import due
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.payments.model import Pay, Refund
from kaquan.programs.model import EndProgram
from kaquan.quotas.slots import GRACE_SECONDS
from kaquan.rewards.gifts import given_id
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.referral_model import AcceptInvite, PayReferral, UndoReferral
from kaquan.vouchers.model import VoucherState
from support.database import Database
from support.rewards import accept, assert_proved, free, off_10, promised, referral_text, run, stranger, town_with
from support.town import Town


@pytest.fixture
def town(database: Database) -> Town:
    return town_with(database.app_url, off_10(), referral_text(invitee_stock="off-10"))


def vouchers(town: Town, wallet: Id) -> list[int]:
    """The states of a wallet's vouchers."""
    return [row[0] for row in town.rows("SELECT state FROM voucher WHERE wallet = %s ORDER BY at, id", wallet.hex())]


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.code.code


def test_the_timetable_pays_both_when_the_first_purchase_has_stayed(town: Town) -> None:
    inviter, invitee = stranger(town, 1), stranger(town, 2)
    assert isinstance(accept(town, invitee, inviter), Effect)
    town.sell(invitee)
    assert run(town) == {Kind.EARN_REFERRAL: 1, Kind.FOLLOW_REFERRAL: 1}
    town.tick(days=8)
    assert run(town) == {Kind.PAY_REFERRAL: 1, Kind.FOLLOW_REFERRAL: 1}
    assert (vouchers(town, inviter), vouchers(town, invitee)) == ([1], [1])
    assert (free(town), promised(town)) == (98_000, 2_000)
    assert run(town) == {}
    assert_proved(town)


def test_nothing_is_paid_before_the_first_purchase_has_stayed(town: Town) -> None:
    inviter, invitee = stranger(town, 1), stranger(town, 2)
    referral = accept(town, invitee, inviter).id
    town.sell(invitee)
    run(town)
    town.tick(days=7)
    early = PayReferral(key="early", caller=SYSTEM, referral=referral)
    assert code(town.app.one(Kind.PAY_REFERRAL, early)) == "referral_not_due"
    assert promised(town) == 0


def test_there_is_one_level_only(town: Town) -> None:
    first, second, third = (stranger(town, number) for number in range(3))
    accept(town, second, first)
    accept(town, third, second)
    town.sell(third)
    run(town)
    town.tick(days=8)
    run(town)
    assert (vouchers(town, first), vouchers(town, second), vouchers(town, third)) == ([], [1], [1])


def test_a_purchase_undone_after_it_was_paid_takes_back_what_was_not_used(town: Town) -> None:
    inviter, invitee = stranger(town, 1), stranger(town, 2)
    referral = accept(town, invitee, inviter).id
    town.sell(invitee)
    run(town)
    town.tick(days=8)
    run(town)
    undo = UndoReferral(key="undo", caller=OPERATOR, referral=referral, reason="withdrawn")
    assert town.ok(Kind.UNDO_REFERRAL, undo).facts["clawback_fen"] == 1_000
    assert run(town) == {Kind.FOLLOW_REFERRAL: 1, Kind.SWEEP_FUND: 1}
    assert (vouchers(town, inviter), vouchers(town, invitee)) == ([5], [5])
    assert (free(town), promised(town)) == (100_000, 0)
    assert run(town) == {}
    assert_proved(town)


def test_a_used_voucher_that_was_taken_back_ends_with_a_refund(town: Town) -> None:
    inviter, invitee = stranger(town, 1), stranger(town, 2)
    referral = accept(town, invitee, inviter).id
    card = town.sell(invitee)
    run(town)
    town.tick(days=8)
    run(town)
    order = Pay(
        key="pay",
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=Money(10_000),
        order_no="o-1",
        vouchers=(given_id(referral),),
    )
    paid = town.ok(Kind.PAY, order).id
    undo = UndoReferral(key="undo", caller=OPERATOR, referral=referral, reason="withdrawn")
    assert town.ok(Kind.UNDO_REFERRAL, undo).facts["clawback_short_fen"] == 1_000
    assert vouchers(town, invitee) == [VoucherState.FORFEITED]
    refund = Refund(key="refund", caller=OPERATOR, payment=paid, reason="returned")
    assert town.ok(Kind.REFUND, refund).facts["vouchers_usable"] == 0
    run(town)
    assert (vouchers(town, invitee), vouchers(town, inviter)) == ([VoucherState.RETURNED], [VoucherState.VOIDED])
    assert (free(town), promised(town)) == (100_000, 0)
    assert_proved(town)


def test_a_person_a_device_and_a_payee_are_invited_once(town: Town) -> None:
    inviter = stranger(town, 1)
    assert isinstance(accept(town, stranger(town, 2), inviter, device=b"d" * 32, payee=b"p" * 32), Effect)
    assert code(accept(town, stranger(town, 3), inviter, device=b"d" * 32)) == "invite_used"
    assert code(accept(town, stranger(town, 4), inviter, payee=b"p" * 32)) == "invite_used"
    assert isinstance(accept(town, stranger(town, 5), inviter, device=b"e" * 32, payee=b"q" * 32), Effect)
    assert town.rows("SELECT count(*) FROM referral") == [(2,)]


def test_who_turns_out_to_have_invited_herself_gets_nothing(town: Town) -> None:
    inviter, other_phone = town.holder(), town.holder("13800138001", identified=False)
    assert isinstance(accept(town, other_phone, inviter), Effect)
    app, told = town.app, {"wallet": other_phone, "name": "张三", "id_number": "11010519491231002X"}
    town.ok(Kind.IDENTIFY_HOLDER, identification(app.connection, app.master, OPERATOR, town.key(), **told))
    town.sell(other_phone)
    run(town)
    town.tick(days=8)
    run(town)
    assert (vouchers(town, inviter), vouchers(town, other_phone)) == ([], [])
    assert (free(town), promised(town)) == (100_000, 0)
    assert town.rows("SELECT r.state, i.state FROM referral r, invitation i") == [(4, 4)]
    assert run(town) == {}


def test_a_refused_invitation_leaves_device_and_person_free(town: Town) -> None:
    inviter, invitee = stranger(town, 1), stranger(town, 2)
    assert code(accept(town, invitee, inviter, code="nothing", device=b"d" * 32)) == "invite_unknown"
    assert code(accept(town, invitee, invitee, device=b"d" * 32)) == "invite_own"
    assert town.rows("SELECT count(*) FROM token") == [(0,)]
    assert isinstance(accept(town, invitee, inviter, device=b"d" * 32), Effect)


def test_an_invitation_that_was_lost_on_the_way_holds_nobody_off_for_long(town: Town) -> None:
    inviter, lost, other = stranger(town, 1), stranger(town, 2), stranger(town, 3)
    handler = town.app.handlers[Kind.ACCEPT_INVITE]
    command = AcceptInvite(
        key="lost", caller=OPERATOR, wallet=lost, program="jingxika", code=invite_code(inviter), device=b"d" * 32
    )
    entry = Entry(command, scoped_id(OPERATOR.organisation, lost, "lost"), bytes(16))
    assert handler.route(town.app.door._cursor, [entry], town.app.door.at(), False) == {}
    assert code(accept(town, other, inviter, device=b"d" * 32)) == "claim_in_flight"
    town.tick(seconds=GRACE_SECONDS)
    assert isinstance(accept(town, other, inviter, device=b"d" * 32), Effect)


def test_an_invitation_is_of_the_referral_that_it_names(database: Database) -> None:
    more = referral_text(code="more", first_face_fen=100_000)
    town = town_with(database.app_url, off_10(), referral_text(), more)
    inviter = stranger(town, 1)
    assert accept(town, stranger(town, 2), inviter).facts["first_face_fen"] == 50_000
    assert accept(town, stranger(town, 3), inviter, referral="more").facts["first_face_fen"] == 100_000
    assert code(accept(town, stranger(town, 4), inviter, referral="none")) == "referral_none"
    assert town.rows("SELECT code FROM referral ORDER BY code") == [("bring",), ("more",)]


def test_what_an_ended_program_can_not_pay_is_closed_once_and_not_tried_for_ever(database: Database) -> None:
    bring = referral_text(invitee_stock="off-10")
    town = town_with(database.app_url, off_10(shared_budget=True), bring, city=1_500)
    inviter, invitee = stranger(town, 1), stranger(town, 2)
    accept(town, invitee, inviter)
    town.sell(invitee)
    run(town)
    town.ok(Kind.END_PROGRAM, EndProgram(key="end", caller=OPERATOR, program="jingxika", reason="season"))
    town.tick(days=8)
    run(town)
    assert (vouchers(town, inviter), vouchers(town, invitee)) == ([], [1])
    assert town.rows("SELECT r.state, i.state FROM referral r, invitation i") == [(3, 5)]
    town.tick(days=1)
    later = due(town.app.connection, town.app.catalogue, town.app.calendar, town.now)
    assert not {Kind.PAY_REFERRAL, Kind.FOLLOW_REFERRAL} & set(later)
    assert_proved(town)


def identify(town: Town, wallet: Id) -> None:
    """Whose wallet it is becomes known: Zhang San's, who is the town's `holder`."""
    told = {"wallet": wallet, "name": "张三", "id_number": "11010519491231002X"}
    command = identification(town.app.connection, town.app.master, OPERATOR, town.key(), **told)
    town.ok(Kind.IDENTIFY_HOLDER, command)


def test_who_has_bought_with_another_wallet_is_not_new(town: Town) -> None:
    inviter, known = stranger(town, 1), town.holder()
    town.sell(known)
    assert code(accept(town, town.holder("13800138001"), inviter)) == "invite_not_new"
    assert town.rows("SELECT (SELECT count(*) FROM referral), (SELECT count(*) FROM token)") == [(0, 0)]


def test_who_turns_out_to_have_bought_before_gets_nothing(town: Town) -> None:
    inviter, known, other_phone = stranger(town, 1), town.holder(), town.holder("13800138001", identified=False)
    town.sell(known)
    town.tick(minutes=1)
    assert isinstance(accept(town, other_phone, inviter), Effect)
    identify(town, other_phone)
    town.sell(other_phone)
    run(town)
    town.tick(days=8)
    run(town)
    assert (vouchers(town, inviter), vouchers(town, other_phone)) == ([], [])
    assert town.rows("SELECT r.state, i.state FROM referral r, invitation i") == [(4, 4)]
    assert run(town) == {}


def test_of_two_referrals_of_one_person_the_first_is_paid(town: Town) -> None:
    inviter, first = stranger(town, 1), town.holder("13800138001", identified=False)
    accept(town, first, inviter)
    town.tick(minutes=1)
    second = town.holder("13800138002", identified=False)
    accept(town, second, inviter)
    for wallet in (second, first):
        identify(town, wallet)
        town.sell(wallet)
    run(town)
    town.tick(days=8)
    run(town)
    assert (vouchers(town, first), vouchers(town, second), vouchers(town, inviter)) == ([1], [], [1])
    assert run(town) == {}
    assert_proved(town)
