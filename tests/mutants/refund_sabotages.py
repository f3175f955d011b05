"""Sabotages of refunds: what comes back to whom, and where it lands."""

from mutants.sabotages import Sabotage, sabotage

LANDING = "tests/rules/test_landing.py::test_"
RETURNS = "tests/rules/test_returns.py::test_"
AGREE = "tests/rules/test_oracle.py::test_engine_and_oracle_agree_on_random_sequences"

REFUND_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "put money on a card that was closed",
        LANDING + "principal_that_comes_back_to_a_closed_card_is_owed_to_the_holder_and_bonus_to_its_payer",
        ("payments/landing.py", "closed = arrival.card.state == CardState.CLOSED", "closed = False"),
    ),
    sabotage(
        "refund to a card that somebody else changes meanwhile",
        LANDING + "a_refund_reads_the_card_again_when_anybody_changed_it",
        ("payments/refunds.py", "[card.touched()] if card is not None else []", "[]"),
    ),
    sabotage(
        "leave a holder the rebate that was spent",
        "tests/flows/test_refund_desk.py::"
        "test_two_refunds_of_one_card_at_the_same_moment_leave_nobody_a_spent_rebate",
        ("payments/claws.py", "        if owed > 0:", "        if False:"),
    ),
    sabotage(
        "set a rebate off against another payer's bonus",
        AGREE,
        ("payments/claws.py", "facts.owed.get((card, lot.fund), 0)", "sum(facts.owed.values())"),
    ),
    sabotage(
        "give back last what paid last",
        AGREE,
        ("payments/returns.py", 'if order == "first_paid_first" else', 'if order == "last_paid_first" else'),
    ),
    sabotage(
        "give a whole voucher for a part of one",
        RETURNS + "refunds_in_any_sizes_give_every_party_what_it_paid",
        ("payments/vouchers_back.py", "coming.refund, voucher.stock, voucher.terms, off)",
         "coming.refund, voucher.stock, voucher.terms, face)"),
    ),
    sabotage(
        "ask a voucher for more than it took off",
        RETURNS + "one_that_is_priced_anew_leaves_others_no_less_than_nothing",
        ("payments/repricing.py", "left = max(0, left - stays)", "left = left - stays"),
    ),
    sabotage(
        "let the oracle forget that a lot has expired",
        AGREE,
        ("oracle/rules.py", "    if part.expired:\n", "    if False:\n"),
    ),
)  # fmt: skip
