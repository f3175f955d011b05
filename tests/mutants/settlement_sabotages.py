"""The sabotages of settlement: cuts, periods, reserves, bank accounts."""

from mutants.sabotages import APPLY, sabotage

SETTLEMENT = "tests/flows/test_settlement.py::test_"
FEES = "tests/rules/test_settlement_fees.py::test_"
CYCLES = "tests/flows/test_cycles.py::test_"

SETTLEMENT_SABOTAGES = (
    sabotage(
        "charge a fen too much",
        FEES + "without_tiers_each_period_is_charged_by_itself",
        (
            "settlement/fees.py",
            "accrued = share(_positive(trade), rate)",
            "accrued = Money(share(_positive(trade), rate) + 1)",
        ),
    ),
    sabotage(
        "never true up a month",
        FEES + "a_month_costs_what_its_whole_costs_however_it_is_cut",
        ("settlement/fees.py", "closes = bool(terms.fee_tiers) and ends_month(period_end, terms)", "closes = False"),
    ),
    sabotage(
        "round the tax of each settlement by itself",
        FEES + "a_month_costs_what_its_whole_costs_however_it_is_cut",
        ("settlement/fees.py", "return Money(tax - before.tax)", "return Money(tax_in(fee, vat_bps))"),
    ),
    sabotage(
        "let partners keep their share of what is refunded",
        FEES + "a_partner_has_his_share_of_the_whole_at_most_his_cap",
        (
            "settlement/sharing.py",
            "target = Money(max(target, -earlier))",
            "target = Money(max(target, before.given))",
        ),
    ),
    sabotage(
        "draw more than is held back",
        FEES + "every_fen_goes_somewhere_whatever_the_terms",
        ("settlement/statement.py", "amount = min(wanted, Money(sum(rest.values())))", "amount = wanted"),
    ),
    sabotage(
        "hold back above the cap",
        FEES + "every_fen_goes_somewhere_whatever_the_terms",
        ("settlement/statement.py", "if asked.room is not None:", "if False:"),
    ),
    sabotage(
        "draw on what may be released before the run",
        "tests/flows/test_settlement_full.py::test_a_reserve_that_is_due_is_not_drawn_on_so_that_the_preview_is_run",
        ("settlement/counting.py", "pay_on is not None and one.release_on > pay_on", "pay_on is not None"),
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
        ("settlement/counting.py", "merchant.bank_verified or not settlement.requires_verified_bank", "True"),
    ),
    sabotage(
        "hold back twice from what waited",
        "tests/rules/test_settlement.py::test_what_would_be_paid_waits_for_a_bank_account_and_bears_fee_and_reserve_once",
        ("settlement/statement.py", " - asked.pending\n", "\n"),
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
