"""The sabotages of vouchers in payments, sales and top-ups. See `mutants.sabotages`."""

from mutants.sabotages import sabotage

AT_DOOR = "tests/flows/test_vouchers_at_door.py::test_"
RETURNS = "tests/rules/test_returns.py::test_"
VOUCHERS = "tests/rules/test_vouchers.py::test_"
SALES = "tests/rules/test_sales.py::test_"
VOUCHER_SALES = "tests/flows/test_voucher_sales.py::test_"
QUOTE = "tests/rules/test_quote.py::test_"
SQL = "db/migrations/0008_vouchers.sql"

VOUCHER_SABOTAGES = (
    sabotage(
        "forget how much a card paid today",
        "tests/flows/test_risk.py::test_a_batch_counts_what_its_earlier_payments_took",
        ("risk/rules.py", "add(said.amount, amount)", "add(said.amount, 0)"),
    ),
    sabotage(
        "lose the counters of cards beside those of vouchers",
        "tests/flows/test_risk.py::test_cards_and_vouchers_are_counted_side_by_side",
        ("db/migrations/0022_risk.sql", "tally_count := tally_count || v_count;", "tally_count := v_count;"),
    ),
    sabotage(
        "drop the version check of vouchers",
        AT_DOOR + "a_voucher_that_another_holds_by_now_is_not_held_twice",
        (
            SQL,
            "             AS u (bucket, id, version, state, used, held_until, holder)\n"
            "        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id "
            "AND t.version = u.version\n",
            "             AS u (bucket, id, version, state, used, held_until, holder)\n"
            "        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id\n",
        ),
    ),
    sabotage(
        "drop the version check of tallies",
        AT_DOOR + "a_use_that_another_counted_meanwhile_counts",
        (SQL, "        WHERE t.version = excluded.version - 1;\n", "        ;\n"),
    ),
    sabotage(
        "take off more than the goods cost",
        RETURNS + "a_capture_that_earlier_vouchers_cover_frees_the_others",
        ("vouchers/orders.py", "    return min(face, eligible)\n", "    return face if eligible else eligible\n"),
    ),
    sabotage(
        "strand a voucher whose hold ran out",
        VOUCHERS + "a_hold_whose_time_is_up_holds_nobody_off",
        ("vouchers/model.py", "self.holder != holder and self.held_us > at_us", "self.holder != holder"),
    ),
    sabotage(
        "use up a voucher for nothing",
        RETURNS + "a_capture_that_earlier_vouchers_cover_frees_the_others",
        ("payments/holds.py", "if not now or (below and", "if (below and"),
    ),
    sabotage(
        "keep promised what a voucher did not need",
        RETURNS + "a_capture_that_earlier_vouchers_cover_frees_the_others",
        ("payments/tenders.py", "legs += funders.release_legs(unused)", "del unused"),
    ),
    sabotage(
        "round each refund by itself",
        "tests/rules/test_money.py::test_a_fen_at_a_time_comes_from_everybody_in_turn",
        (
            "kernel/money.py",
            "    targets = allocate(Money(sum(given) + amount), weights)\n",
            "    targets = [gone + part for gone, part in zip(given, allocate(amount, weights), strict=True)]\n",
        ),
    ),
    sabotage(
        "give the holder what the lost discount was worth",
        RETURNS + "one_of_two_comes_back",
        ("payments/repricing.py", 'return self.rules.partial_refund == "reprice"', "return False"),
    ),
    sabotage(
        "let a voucher count again after a partial refund",
        RETURNS + "a_voucher_of_which_some_came_back_before_does_not_count_again",
        ("payments/vouchers_back.py", "valid and back.last and not payment.refunded:", "valid and back.last:"),
    ),
    sabotage(
        "quote more off than cash leaves room for",
        QUOTE + "what_was_paid_outside_leaves_no_room_for_a_voucher",
        ("vouchers/quote.py", " and sum(one.amount for one in applied) <= self._room", ""),
    ),
    sabotage(
        "let an exclusive voucher join others",
        QUOTE + "an_exclusive_voucher_stands_against_all_others_together",
        ("vouchers/orders.py", "        if stock.rules.exclusive:\n", "        if False:\n"),
    ),
    sabotage(
        "keep what a purchase did not need of a voucher",
        SALES + "lots_are_worth_the_face_and_each_funder_pays_its_share",
        ("sales/value.py", "Money(all_ - one)", "Money(0)"),
    ),
    sabotage(
        "let vouchers pay a purchase in the order in which they are named",
        SALES + "the_order_in_which_vouchers_are_named_changes_nothing",
        ("vouchers/orders.py", "vouchers = sorted(vouchers, key=_rank)", "vouchers = list(vouchers)"),
    ),
    sabotage(
        "leave a voucher that topped up a card usable",
        VOUCHER_SALES + "two_top_ups_of_one_batch_stand_on_each_other",
        ("sales/value.py", "(VoucherState.REDEEMED, part.amount, 0, wish.id)", "(part.voucher.state, 0, 0, wish.id)"),
    ),
    sabotage(
        "keep what comes back to an expired subsidy",
        VOUCHER_SALES + "an_expired_subsidy_is_its_funds_also_when_a_refund_comes_late",
        (
            "payments/landing.py",
            "return lot.state == LotState.EXPIRED or 0 < lot.expires_us <= at_us",
            "return False",
        ),
    ),
    sabotage(
        "know only purchases that somebody paid money for",
        VOUCHER_SALES + "the_contract_of_a_voucher_paid_purchase_is_the_one_that_was_kept",
        ("sales/queries.sql", "l.kind IN (0, 2)", "l.kind = 0"),
    ),
)
"""What is broken of vouchers, who must notice, and how."""
