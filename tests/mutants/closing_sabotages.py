"""Sabotages of returning cards, passing them on, and idle money."""

from mutants.sabotages import Sabotage, sabotage

QUOTE = "tests/rules/test_closing_quote.py::test_"
FLOWS = "tests/flows/test_closing.py::test_"

CLOSING_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "take back the discount although the issuer is the cause",
        FLOWS + "a_card_goes_through_three_hands_and_its_history_with_it",
        ("sales/closing_quote.py", "if listed is None or listed.value:", "if True:"),
    ),
    sabotage(
        "let a holder pay extra",
        QUOTE + "every_fen_of_a_line_has_an_owner_and_nobody_pays_extra",
        ("sales/closing_quote.py", "rest = Money(max(0, paid - consumed))", "rest = Money(paid - consumed)"),
    ),
    sabotage(
        "count the day of payment among the days to withdraw",
        QUOTE + "the_days_to_withdraw",
        (
            "sales/closing_quote.py",
            "asked.day <= business_date(purchase.paid_at)",
            "asked.day < business_date(purchase.paid_at)",
        ),
    ),
    sabotage(
        "keep costs in the days that are free",
        QUOTE + "costs_are_kept_only_where_the_law_says_so",
        ("sales/closing_quote.py", "return free is None or not _within(purchase, asked, free.value)", "return True"),
    ),
    sabotage(
        "leave a plan running on a card that was returned",
        FLOWS + "a_returned_card_ends_its_plan_and_gives_a_funds_money_back_to_it",
        (
            "sales/closing_rules.py",
            "    changes, legs = together(changes, ended), [*legs, *released]\n    amount",
            "    amount",
        ),
    ),
    sabotage(
        "grant a rebate to a card that was returned",
        FLOWS + "a_rebate_that_waits_lapses_with_its_card",
        ("rewards/rules.py", "if card.state == CardState.CLOSED:", "if False:"),
    ),
    sabotage(
        "pay somebody who shows nothing",
        FLOWS + "a_bearer_card_is_paid_to_whoever_shows_an_identity",
        ("sales/closing_payout.py", "(command.same_name is None and not command.identified)", "False"),
    ),
    sabotage(
        "forget what was used when a card is passed on",
        FLOWS + "a_card_goes_through_three_hands_and_its_history_with_it",
        ("sales/closing_store.py", "before.used + used", "used"),
    ),
    sabotage(
        "remind of an idle card every day",
        FLOWS + "the_timetable_tells_of_overdue_requests_and_idle_cards_once",
        ("sales/queries.sql", "AND r.at >= i.moved)", "AND r.at < i.moved)"),
        ("sales/idling.py", "(reminded is not None and reminded >= moved)", "False"),
    ),
)
