"""The sabotages: a name, the test that must turn red, and what is written instead of what.

A patch that no longer applies fails the run: then look for where the thing is done now, and whether the test still
watches it.
"""

from typing import NamedTuple


class Edit(NamedTuple):
    """In `path` below `src/kaquan`: `write` instead of `instead_of`, which stands there exactly once."""

    path: str
    instead_of: str
    write: str


class Sabotage(NamedTuple):
    """What is broken, who must notice, and how it is broken."""

    name: str
    test: str
    edits: tuple[Edit, ...]


def sabotage(name: str, test: str, *edits: tuple[str, str, str]) -> Sabotage:
    """One sabotage; edits as (path, instead of, write)."""
    return Sabotage(name, test, tuple(Edit(*edit) for edit in edits))


DOOR = "tests/flows/test_door.py::test_"
MONEY = "tests/rules/test_money.py::test_"
LOTS = "tests/rules/test_lots.py::test_"
LIFE = "tests/flows/test_program_life.py::test_"
SQL = "db/migrations/0006_door.sql"
APPLY = "db/migrations/0008_vouchers.sql"

SABOTAGES = (
    sabotage(
        "drop the row-count check",
        DOOR + "a_payment_decided_on_old_balances_is_decided_again",
        (SQL, "IF p_got <> p_wanted THEN", "IF false THEN"),
    ),
    sabotage(
        "drop the version check of lots",
        DOOR + "a_payment_decided_on_old_balances_is_decided_again",
        (
            APPLY,
            "p_lot_change_held, p_lot_change_state) AS u (bucket, id, version, balance, held, state)\n"
            "        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id AND t.version = "
            "u.version;",
            "p_lot_change_held, p_lot_change_state) AS u (bucket, id, version, balance, held, state)\n"
            "        WHERE t.bucket = ANY (p_buckets) AND t.bucket = u.bucket AND t.id = u.id;",
        ),
    ),
    sabotage(
        "drop the version check of rows that were only read",
        DOOR + "a_card_frozen_after_the_facts_were_loaded_does_not_pay",
        ("commands/execute.py", "for row in plan.checks:", "for row in ():"),
    ),
    sabotage(
        "drop the look-up of ids",
        DOOR + "a_retry_hears_the_first_answer_and_takes_nothing",
        ("commands/execute.py", "known = facts.commands.get(entry.id)", "known = None"),
    ),
    sabotage(
        "drop the check of contents",
        DOOR + "a_key_used_for_another_content_is_refused_and_moves_nothing",
        ("commands/execute.py", "if stored not in (content, TOMBSTONE):", "if False:"),
    ),
    sabotage(
        "do not record refusals",
        DOOR + "a_refusal_stays_a_refusal_when_it_would_be_possible_now",
        ("commands/execute.py", "if decision.code.burns:", "if False:"),
    ),
    sabotage(
        "scope ids to nobody",
        "tests/rules/test_ids.py::test_one_key_is_another_id_for_another_organisation_or_subject",
        ("commands/model.py", "% (organisation, subject, key.encode())", "% (0, subject, key.encode())"),
    ),
    sabotage(
        "forget what earlier commands of the batch took",
        DOOR + "a_batch_counts_what_its_earlier_commands_took",
        ("commands/execute.py", "            row.become(values)\n", ""),
    ),
    sabotage(
        "skip a leaf",
        DOOR + "every_effect_has_a_leaf_that_opens_to_its_answer",
        (
            "commands/execute.py",
            "        self.plans.append((identity, plan))\n",
            "        self.plans = self.plans[:1] + [(identity, plan)]\n",
        ),
    ),
    sabotage(
        "apply a dry run",
        DOOR + "a_dry_run_tells_and_leaves_nothing",
        (
            "commands/execute.py",
            "if not dry_run:\n                with _TRACER",
            "if True:\n                with _TRACER",
        ),
    ),
    sabotage(
        "do not burn the id of a payment that was reversed before it came",
        DOOR + "a_payment_reversed_before_it_is_written_never_takes_effect",
        ("payments/refunds.py", "command.order_no, bury=not known)", "command.order_no, bury=False)"),
    ),
    sabotage(
        "switch the order registry off",
        DOOR + "an_order_is_paid_by_one_payment",
        (
            "payments/bills.py",
            "refusal = refusal or _barred(facts.barred.get(entry.id), terms)",
            "refusal = refusal or None",
        ),
    ),
    sabotage(
        "drop the floor of a lot",
        DOOR + "the_database_keeps_the_floors_of_a_lot",
        (
            "db/migrations/0003_cards.sql",
            "balance     bigint NOT NULL CHECK (balance >= 0)",
            "balance     bigint NOT NULL",
        ),
        ("db/migrations/0003_cards.sql", "CHECK (held <= balance)", "CHECK (true)"),
    ),
    sabotage(
        "let history be rewritten",
        DOOR + "history_cannot_be_rewritten",
        (
            "db/migrations/0002_ledger.sql",
            "GRANT SELECT, INSERT ON command, journal, posting TO kaquan_app;",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON command, journal, posting TO kaquan_app;",
        ),
    ),
    sabotage(
        "count held money as free",
        LOTS + "what_may_not_pay_is_not_counted",
        ("cards/lots.py", "and lot.balance > lot.held\n", "and lot.balance > 0\n"),
    ),
    sabotage(
        "pay from what has expired",
        LOTS + "what_may_not_pay_is_not_counted",
        ("cards/lots.py", "and (lot.expires_us == 0 or at_us < lot.expires_us)\n", ""),
    ),
    sabotage(
        "turn the burn order round",
        LOTS + "each_order_by_example",
        (
            "cards/lots.py",
            "return (lot.kind != LotKind.PRINCIPAL, *_expiry(lot))",
            "return (lot.kind == LotKind.PRINCIPAL, *_expiry(lot))",
        ),
    ),
    sabotage(
        "allow a second capture",
        DOOR + "a_capture_ends_its_hold_and_nothing_can_be_done_twice",
        (
            "payments/lifecycle.py",
            '    (PaymentState.AUTHORIZED, "void"): PaymentState.VOIDED,\n',
            '    (PaymentState.AUTHORIZED, "void"): PaymentState.VOIDED,\n'
            '    (PaymentState.CAPTURED, "capture"): PaymentState.CAPTURED,\n',
        ),
    ),
    sabotage(
        "allow a void after a capture",
        DOOR + "a_capture_ends_its_hold_and_nothing_can_be_done_twice",
        (
            "payments/lifecycle.py",
            '    (PaymentState.AUTHORIZED, "void"): PaymentState.VOIDED,\n',
            '    (PaymentState.AUTHORIZED, "void"): PaymentState.VOIDED,\n'
            '    (PaymentState.CAPTURED, "void"): PaymentState.VOIDED,\n',
        ),
    ),
    sabotage(
        "release only the captured part of a hold",
        DOOR + "a_capture_ends_its_hold_and_nothing_can_be_done_twice",
        (
            "payments/holds.py",
            "- paid.get(lot.id, 0), lot.held - part, lot.state)",
            "- paid.get(lot.id, 0), lot.held - paid.get(lot.id, 0), lot.state)",
        ),
    ),
    sabotage(
        "read the clock instead of taking the time",
        DOOR + "a_hold_ends_by_the_commands_clock",
        ("payments/rules.py", "from kaquan.kernel.clock import ", "from kaquan.kernel.clock import system_now, "),
        (
            "payments/rules.py",
            "microseconds(at + timedelta(minutes=",
            "microseconds(system_now() + timedelta(minutes=",
        ),
    ),
    sabotage(
        "refund to the wrong lots",
        DOOR + "a_refund_returns_to_the_lots_that_paid",
        (
            "payments/returns.py",
            "for (lot, _), part in zip(shares, parts[:count], strict=True) if part]",
            "for (lot, _), part in zip(reversed(shares), parts[:count], strict=True) if part]",
        ),
    ),
    sabotage(
        "refund twice",
        DOOR + "a_refund_returns_to_the_lots_that_paid",
        (
            "payments/lifecycle.py",
            '    (PaymentState.CAPTURED, "refund"): PaymentState.REFUNDED,\n',
            '    (PaymentState.CAPTURED, "refund"): PaymentState.REFUNDED,\n'
            '    (PaymentState.REFUNDED, "refund"): PaymentState.REFUNDED,\n',
        ),
    ),
    sabotage(
        "count a rebate twice",
        DOOR + "a_rebate_is_earned_once_and_lost_with_the_payment",
        ("rewards/rules.py", "return Earned(amount_earned,", "return Earned(Money(2 * amount_earned),"),
    ),
    sabotage(
        "keep the rebate of a refunded payment",
        DOOR + "a_rebate_is_earned_once_and_lost_with_the_payment",
        (
            "payments/claws.py",
            "state = RewardState.CANCELLED if cut == reward.amount else RewardState.WAITING",
            "state = RewardState.WAITING",
        ),
    ),
    sabotage(
        "leak a phone number into an answer",
        DOOR + "personal_data_is_in_no_row_in_the_clear",
        ("holders/service.py", "phone=sealed.phone,", "phone=(person.phone or '').encode(),"),
        (
            "holders/rules.py",
            '"state": "registered"})',
            '"state": "registered", "phone": (command.phone or b"").decode()})',
        ),
    ),
    sabotage(
        "identify a holder twice",
        DOOR + "who_is_identified_afterwards_keeps_the_phone_number",
        ("holders/rules.py", "    if wallet.identified:\n", "    if not wallet.active:\n"),
    ),
    sabotage(
        "sell on what a wallet was",
        DOOR + "a_wallet_that_changed_meanwhile_is_read_again",
        (
            "sales/rules.py",
            '            ("wallet_check", wallet.seen()),\n            ("card", _row(wish, number)),',
            '            ("card", _row(wish, number)),',
        ),
    ),
    sabotage(
        "overlook another name under the same key",
        DOOR + "another_name_under_the_same_key_is_refused",
        ("holders/model.py", "self.identified, self.digest, self.caller", "self.identified, self.caller"),
    ),
    sabotage(
        "store a name in the clear",
        DOOR + "personal_data_is_in_no_row_in_the_clear",
        ("privacy/vault.py", "name=sealed(PersonField.NAME, person.name)", "name=person.name.encode()"),
    ),
    sabotage(
        "round a share one fen up",
        MONEY + "a_share_is_rounded_half_up_once",
        (
            "kernel/money.py",
            "rounded = (2 * scaled + WHOLE) // (2 * WHOLE)",
            "rounded = (2 * scaled + WHOLE) // (2 * WHOLE) + 1",
        ),
    ),
    sabotage(
        "round each part by itself",
        MONEY + "parts_sum_and_none_is_off_by_more_than_a_fen",
        (
            "kernel/money.py",
            "        seen += weight\n        target = sign * ((2 * abs(amount) * seen + total) // (2 * total))",
            "        target = given + sign * ((2 * abs(amount) * weight + total) // (2 * total))",
        ),
    ),
    sabotage(
        "let the laxest law apply",
        "tests/rules/test_law_stack.py::test_of_each_rule_the_strictest_article_wins_whatever_the_order",
        ("law/model.py", "return article.value < known.value", "return article.value > known.value"),
    ),
    sabotage(
        "apply an article before its day",
        "tests/rules/test_law_stack.py::test_an_article_binds_from_its_first_day_to_its_last",
        ("law/model.py", "(first is None or first <= day)", "True"),
    ),
    sabotage(
        "open a network without a licence",
        "tests/rules/test_lawful.py::test_open_acceptance_of_stored_value_needs_a_licence",
        ("programs/lawful.py", "needed.value and not program.licence", "needed.value and program.licence is None"),
    ),
    sabotage(
        "count an opinion before it was given",
        "tests/rules/test_lawful.py::test_an_opinion_counts_from_its_day_on_and_only_where_the_article_admits_one",
        ("programs/lawful.py", "any(opinion.on <= day.isoformat() for opinion in given)", "any(given)"),
    ),
    sabotage(
        "sell a licensed card on credit",
        "tests/rules/test_law.py::test_a_licensed_card_is_not_bought_with_a_credit_card",
        ("law/rules.py", "if channel == CREDIT_CARD:", "if channel is None:"),
    ),
    sabotage(
        "let who submitted approve",
        LIFE + "who_submitted_does_not_approve",
        ("programs/amendments.py", "if same_person(moment.person, life.submitted_by):", "if False:"),
    ),
    sabotage(
        "loosen a running program at once",
        LIFE + "a_loosening_is_not_in_force_at_once",
        ("programs/amendments.py", "if looser := loosening(diff(current.terms, terms)):", "if looser := []:"),
    ),
    sabotage(
        "grant while a program is paused",
        LIFE + "a_paused_program_grants_nothing_and_what_waited_arrives_after",
        ("rewards/rules.py", "    if not terms.grants:\n", "    if False:\n"),
    ),
    sabotage(
        "write any step of a program",
        LIFE + "a_step_that_the_table_does_not_know_is_not_written",
        (APPLY, "ARRAY['wallet', 'enrolment'];", "ARRAY['wallet', 'enrolment', 'program'];"),
    ),
    sabotage(
        "pause a program on what it was",
        LIFE + "what_is_decided_on_an_old_state_is_decided_again",
        (
            APPLY,
            "? 'version' THEN 'AND t.version = u.version' END",
            "? 'version' AND v_table <> 'program' THEN 'AND t.version = u.version' END",
        ),
        ("db/migrations/0010_program_life.sql", "    PRIMARY KEY (program, number)\n", "    CHECK (true)\n"),
    ),
)
