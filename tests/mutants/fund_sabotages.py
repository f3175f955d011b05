"""Sabotages of funders' money and of stocks."""

from mutants.sabotages import Sabotage, sabotage

FUNDS = "tests/flows/test_funds.py::test_"

FUND_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "open a stock without its money",
        FUNDS + "a_stock_opens_when_all_that_it_may_cost_is_there",
        ("stocks/rules.py", "    if worst <= free:\n", "    if worst:\n"),
    ),
    sabotage(
        "overlook what a fund paid out a moment before, in the same batch",
        FUNDS + "pay_outs_and_pay_ins_of_one_batch_stand_on_each_other",
        ("commands/execute.py", "facts.absorb(decision)", "decision.born and facts.absorb(decision)"),
    ),
    sabotage(
        "pay out what open stocks may need",
        FUNDS + "money_goes_back_only_as_far_as_it_is_free",
        ("funders/rules.py", "free = Money(max(0, budget - reserved))", "free = Money(max(0, budget))"),
    ),
    sabotage(
        "sweep what came back twice",
        FUNDS + "what_comes_back_is_swept_once_and_can_be_promised_again",
        (
            "funders/rules.py",
            "changes=tuple(levelled(fund, facts, budget)))",
            "changes=tuple(levelled(fund, facts, Money(2 * budget - promisable))))",
        ),
    ),
    sabotage(
        "overlook a stock that opened meanwhile",
        "tests/races/test_funds.py::test_money_for_one_stock_opens_one",
        ("funders/service.py", "if version == catalogue.version:", "if version:"),
    ),
    sabotage(
        "let the breaker count what a resumed stock had used before",
        FUNDS + "the_breaker_pauses_a_stock_that_is_used_too_fast_and_a_resumed_one_runs_on",
        ("stocks/queries.sql", "e ON p.at >= e.at", "e ON true"),
    ),
    sabotage(
        "give a funder's money on an expired card to the issuer",
        "tests/flows/test_proofs.py::test_everything_is_proved_and_an_outsider_adds_up_the_same",
        (
            "rewards/bonus.py",
            "    if lot.fund == NO_FUND:\n        return [Leg(Account.CARD_BONUS",
            "    if lot.fund:\n        return [Leg(Account.CARD_BONUS",
        ),
    ),
)
