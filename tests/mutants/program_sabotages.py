"""The sabotages that one life of a program notices: packets, reserves, statements, pauses, subsidies."""

from mutants.sabotages import APPLY, sabotage

LIFE = "tests/machine/test_program_lives.py::test_one_life_that_meets_every_invariant"

PROGRAM_SABOTAGES = (
    sabotage(
        "life: hand out a packet again",
        LIFE,
        ("rewards/packets.py", "- slice_.count_left + 1\n", "- runs[slice_.number] + 1\n"),
    ),
    sabotage(
        "life: give back packets that were taken",
        LIFE,
        ("rewards/packets.py", "count, amount = sum(one.count_left for one in slices)", "count, amount = pool.count"),
    ),
    sabotage(
        "life: leave what a pool gave back in it",
        LIFE,
        ("rewards/packets.py", "[(one, (0, 0)) for one in slices if one.count_left]", "[]"),
    ),
    sabotage(
        "life: release a reserve again",
        LIFE,
        ("settlement/rules.py", "if reserve.state == RESERVE_RELEASED:", "if False:"),
        (APPLY, "          AND t.state = 1;\n", "          AND true;\n"),
    ),
    sabotage(
        "life: keep another statement than was told",
        LIFE,
        ("settlement/statement.py", "            gross=one.gross,\n", "            gross=one.gross - one.refunds,\n"),
        ("settlement/statement.py", "            refunds=one.refunds,\n", "            refunds=ZERO,\n"),
    ),
    sabotage(
        "life: settle a period again",
        LIFE,
        ("settlement/rules.py", "if ends and command.period_end <= max(ends):", "if False:"),
    ),
    sabotage(
        "life: hand out in a paused program",
        LIFE,
        ("vouchers/claims.py", " or not stock.terms.sells:", ":"),
    ),
    sabotage(
        "life: hand out of a paused stock",
        LIFE,
        ("vouchers/claims.py", "if stock.state is not StockState.RUNNING or not", "if not"),
    ),
    sabotage(
        "life: grant a month in a pause",
        LIFE,
        ("rewards/gifts.py", "return not stock.terms.grants or stock.state is StockState.PAUSED", "return False"),
    ),
    sabotage(
        "life: grant a rebate in a pause",
        LIFE,
        ("rewards/rules.py", "    if not terms.grants:\n", "    if False:\n"),
    ),
    sabotage(
        "life: settle nobody in a pause",
        LIFE,
        (
            "settlement/rules.py",
            "    if terms is None or merchant is None:",
            "    if not (terms and merchant and terms.sells):",
        ),
    ),
    sabotage(
        "life: keep a subsidy from its fund",
        LIFE,
        ("rewards/bonus.py", "    if lot.fund == NO_FUND:\n        return [Leg", "    if True:\n        return [Leg"),
    ),
    sabotage(
        "life: let a subsidy stay for ever",
        LIFE,
        ("sales/value.py", "        microseconds(expires),\n        fund.id,", "        0,\n        fund.id,"),
    ),
)
