"""Sabotages of custody. See `mutants.sabotages`."""

from mutants.sabotages import Sabotage, sabotage

RULES = "tests/rules/test_custody.py::test_"
FLOWS = "tests/flows/test_custody.py::test_"

CUSTODY_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "add the rules of custody up",
        RULES + "the_strictest_counts_and_never_the_sum",
        (
            "custody/requirement.py",
            "return self.strictest.required_fen if self.strictest else ZERO",
            "return Money(sum(line.required_fen for line in self.lines))",
        ),
    ),
    sabotage(
        "round what is required down",
        RULES + "the_strictest_counts_and_never_the_sum",
        ("custody/requirement.py", "-(-max(0, basis) * rate_bps // WHOLE)", "max(0, basis) * rate_bps // WHOLE"),
    ),
    sabotage(
        "let a guarantee stand after its last day",
        RULES + "a_guarantee_stands_where_it_may_on_its_days",
        ("custody/requirement.py", "one.valid_from <= on <= one.valid_until", "one.valid_from <= on"),
    ),
    sabotage(
        "let money that the bank does not have cover",
        RULES + "no_release_leaves_less_than_is_required",
        (
            "custody/coverage.py",
            "return Money(max(0, min(now.surplus_fen, justified)))",
            "return Money(max(0, min(now.ledger_fen - now.required_fen, justified)))",
        ),
    ),
    sabotage(
        "match a movement to two entries",
        RULES + "every_movement_is_matched_once_and_the_rest_explains_the_difference",
        ("custody/matching.py", "            left.remove(one)\n", ""),
    ),
    sabotage(
        "sell on although custody is short",
        FLOWS + "sales_stop_in_another_process_from_its_next_command_on",
        ("sales/rules.py", "if terms.stop is not None:", "if False:"),
    ),
    sabotage(
        "stop sales without telling the other processes",
        FLOWS + "sales_stop_in_another_process_from_its_next_command_on",
        ("custody/rules.py", "if (old.stop is None) != (new.stop is None):", "if False:"),
    ),
    sabotage(
        "let one person both enter a statement and look at it",
        FLOWS + "a_statement_is_looked_at_by_another_person",
        ("custody/statements.py", "if same_person(person, statement.person):", "if False:"),
    ),
)
