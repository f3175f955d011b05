"""The sabotages of settlement: cuts, periods, reserves, bank accounts."""

from mutants.sabotages import APPLY, sabotage

SETTLEMENT = "tests/flows/test_settlement.py::test_"
CYCLES = "tests/flows/test_cycles.py::test_"

SETTLEMENT_SABOTAGES = (
    sabotage(
        "charge a fen too much",
        "tests/rules/test_settlement.py::test_a_plain_month",
        (
            "settlement/statement.py",
            "fee = share(_positive(sum(trade)), fee_bps)",
            "fee = Money(share(_positive(sum(trade)), fee_bps) + 1)",
        ),
    ),
    sabotage(
        "release a reserve twice",
        SETTLEMENT + "a_reserve_is_released_once_when_it_is_due_and_paid_with_the_next_settlement",
        ("settlement/rules.py", "if reserve.state == RESERVE_RELEASED:", "if False:"),
        (APPLY, "          AND t.state = 1;\n", "          AND true;\n"),
    ),
    sabotage(
        "settle the months before again",
        SETTLEMENT + "what_comes_after_the_preview_is_counted_next_time",
        ("settlement/queries.sql", " AND NOT (e.at < u.previous_at AND e.xid < u.previous_xid)", ""),
        (
            "settlement/queries.sql",
            "WHERE (p.at >= %(since_at)s::bigint",
            "WHERE (true OR p.at >= %(since_at)s::bigint",
        ),
    ),
    sabotage(
        "pay to an account that nobody has verified",
        CYCLES + "a_week_waits_for_a_verified_account_and_is_never_lost",
        ("settlement/rules.py", "merchant.bank_verified or not settlement.requires_verified_bank", "True"),
    ),
    sabotage(
        "hold back twice from what waited",
        "tests/rules/test_settlement.py::test_what_would_be_paid_waits_for_a_bank_account_and_bears_fee_and_reserve_once",
        ("settlement/statement.py", "left - released - pending", "left - released"),
    ),
    sabotage(
        "close a period that is not settled",
        CYCLES + "a_period_is_closed_only_when_nobody_has_anything_left",
        ("settlement/closing.py", "    if left:\n", "    if False:\n"),
    ),
    sabotage(
        "lose what commits after the close",
        CYCLES + "what_commits_after_the_close_is_counted_by_the_next_settlement",
        ("settlement/queries.sql", "(e.at < u.closed_at AND e.xid < u.closed_xid)", "(e.at < u.closed_at)"),
    ),
    sabotage(
        "count holidays as working days",
        CYCLES + "three_working_days_later_over_the_golden_week",
        (
            "settlement/cycles.py",
            "planned = calendar.add_business_days(period_end, terms.days)",
            "planned = _planned_day(period_end, terms)",
        ),
    ),
    sabotage(
        "book a merchant of another platform with the issuer",
        "tests/flows/test_two_books.py::test_settlement_fee_reserve_and_release_stay_in_the_merchants_book",
        ("settlement/rules.py", "made.terms.ledger_of(made.merchant)", "made.terms.ledger"),
    ),
    sabotage(
        "let a proof count for whichever account is bound",
        CYCLES + "an_account_bound_later_diverts_nothing_and_is_paid_only_after_its_own_proof",
        ("merchants/bank.py", "command.account_no != account.account_no", "False"),
    ),
)
