"""Sabotages of the demo's town and its table."""

from mutants.sabotages import Sabotage, sabotage

DEMO = "tests/flows/test_demo.py::test_"
FORTY = DEMO + "forty_days_hold_no_surprise_and_the_table_adds_up"

DEMO_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "forget what disputes hold back in the table",
        FORTY,
        ("cli/demo_table.py", '"-", lambda t, m: m.disputed_fen', '"-", lambda t, m: 0'),
    ),
    sabotage(
        "let a holder shop with a card that was returned",
        FORTY,
        ("simulation/population.py", " and self.state != RETURNED", ""),
    ),
    sabotage(
        "leave a file that was not finished",
        DEMO + "a_stop_inside_a_step_changes_nothing",
        ("simulation/bank.py", "if row.state == FileState.OPEN:", "if False:"),
    ),
)
