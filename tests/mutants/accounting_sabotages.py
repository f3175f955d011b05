"""The sabotages of accounting: cuts of days, vouchers, titles, what beancount must notice."""

from mutants.sabotages import sabotage

FLOWS = "tests/flows/test_accounting.py::test_"
RULES = "tests/rules/test_accounting.py::test_"

ACCOUNTING_SABOTAGES = (
    sabotage(
        "drop a line of every voucher from the file",
        FLOWS + "bean_check_finds_nothing_and_a_wrong_fen_at_once",
        (
            "accounting/beancount.py",
            "        for line in voucher.lines:\n",
            "        for line in voucher.lines[1:]:\n",
        ),
    ),
    sabotage(
        "tell a merchant's balance a fen too high",
        FLOWS + "bean_check_finds_nothing_and_a_wrong_fen_at_once",
        (
            "accounting/beancount.py",
            "leaves[name] = leaves.get(name, 0) + one.debits - one.credits\n",
            "leaves[name] = leaves.get(name, 0) + one.debits - one.credits + (one.account == 40)\n",
        ),
    ),
    sabotage(
        "let beancount overlook a fen",
        FLOWS + "bean_check_finds_nothing_and_a_wrong_fen_at_once",
        ("accounting/beancount.py", "{plain(amount)} ~ 0 CNY", "{plain(amount)} CNY"),
    ),
    sabotage(
        "count what committed after the close into a closed day",
        FLOWS + "a_closed_day_reads_the_same_whatever_commits_later",
        ("accounting/store.py", "[one.cut_xid for one in period.cuts]", "[2**62 for one in period.cuts]"),
        ("accounting/store.py", '"until_xid": period.cuts[-1].cut_xid', '"until_xid": 2**62'),
    ),
    sabotage(
        "close days while an older operation still writes",
        FLOWS + "days_are_not_closed_while_an_older_operation_runs",
        ("accounting/rules.py", "if busy := facts.unsettled.get(through, 0):", "if busy := 0:"),
    ),
    sabotage(
        "leave an account without a title out",
        RULES + "a_trial_balance_adds_up_or_says_that_titles_split_an_entry",
        (
            "accounting/trial.py",
            "    if refusal := titles.missing(sums):\n        return refusal\n",
            "    sums = {key: found for key, found in sums.items() if titles.missing([key]) is None}\n",
        ),
    ),
    sabotage(
        "put a pledge on the balance sheet",
        FLOWS + "every_voucher_adds_up_on_the_balance_sheet_and_beside_it",
        ("accounting/owners.py", "pledged = account in OF_FUNDS and owner in self._pledged", "pledged = False"),
    ),
    sabotage(
        "close today",
        RULES + "closed_days_have_no_gap_and_end_where_it_was_said",
        ("accounting/rules.py", "if through >= business_date(at):", "if through > business_date(at):"),
    ),
)
