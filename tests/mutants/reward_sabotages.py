"""Sabotages of monthly plans, referrals, packets and bonus that funds pay for."""

from mutants.sabotages import Sabotage, sabotage

DRIPS = "tests/flows/test_drips.py::test_"
PACKETS = "tests/flows/test_packets.py::test_"
REFERRALS = "tests/flows/test_referrals.py::test_"
FUNDED = "tests/flows/test_funded_bonus.py::test_"

REWARD_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "grant a month twice",
        DRIPS + "two_grants_of_one_month_in_one_batch_hand_out_one",
        ("rewards/plans.py", " or command.month != plan.given + 1:", ":"),
    ),
    sabotage(
        "cancel a plan and keep its money",
        DRIPS + "a_cancelled_plan_gives_back_what_it_had_taken_and_it_can_be_promised_at_once",
        ("rewards/plans.py", "quotas, bucket)], release_legs(parts)", "quotas, bucket)], []"),
    ),
    sabotage(
        "hand out the first packet of a slice again",
        PACKETS + "all_packets_together_are_the_total_and_each_is_opened_once",
        (
            "rewards/packets.py",
            "slice_.number + 1]) - slice_.count_left + 1",
            "slice_.number]) + 1",
        ),
    ),
    sabotage(
        "keep what nobody took of a pool",
        PACKETS + "what_nobody_took_goes_back_to_the_fund_and_can_be_promised_again",
        ("rewards/packets.py", "legs = release_legs(worth)", "legs = release_legs([])"),
    ),
    sabotage(
        "commit to the seed alone",
        "tests/rules/test_splitting.py::test_a_commitment_is_to_the_seed_and_to_every_packet_in_its_place",
        ("rewards/splitting.py", "sha256(seed + parts).digest()", "sha256(seed).digest()"),
    ),
    sabotage(
        "pay a referral before the first purchase has stayed",
        REFERRALS + "nothing_is_paid_before_the_first_purchase_has_stayed",
        ("rewards/referrals.py", "if microseconds(at) < referral.due_us:", "if False:"),
    ),
    sabotage(
        "invite one device again and again",
        REFERRALS + "a_person_a_device_and_a_payee_are_invited_once",
        (
            "rewards/referrals.py",
            "in outside if digest is not None",
            "in outside if False",
        ),
    ),
    sabotage(
        "forget what a newcomer bought with her other wallet",
        REFERRALS + "who_turns_out_to_have_bought_before_gets_nothing",
        ("rewards/newcomers.py", "if first is not None and first.at_us < referral.at_us:", "if False:"),
    ),
    sabotage(
        "let a voucher that was taken back count again",
        REFERRALS + "a_used_voucher_that_was_taken_back_ends_with_a_refund",
        ("rewards/gifts.py", 'forfeited = after(voucher.state, "forfeit")', "forfeited = None"),
    ),
    sabotage(
        "give a fund's expired bonus to the issuer",
        FUNDED + "a_pledge_is_billed_as_the_rebate_is_granted_and_unbilled_as_it_expires",
        ("rewards/bonus.py", "    if lot.fund == NO_FUND:\n", "    if True:\n"),
    ),
    sabotage(
        "let a bonus and a plan take the same money",
        FUNDED + "a_bonus_and_a_plan_of_one_purchase_take_different_money",
        ("sales/rules.py", "if on_top.changes else facts", "if False else facts"),
    ),
)
