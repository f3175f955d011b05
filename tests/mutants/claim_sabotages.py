"""Sabotages of claims, codes and draws. See `mutants.sabotages`."""

from mutants.sabotages import sabotage

CLAIMS = "tests/flows/test_claims.py::test_"
CODES = "tests/flows/test_codes.py::test_"
DRAWS = "tests/flows/test_draws.py::test_"
SLOTS = "tests/rules/test_slots.py::test_"
SQL = "db/migrations/0012_claims.sql"

CLAIM_SABOTAGES = (
    sabotage(
        "give a person one token more than her limit",
        CLAIMS + "in_one_batch_the_limit_holds_and_is_told_for_good",
        (SQL, "WHERE w.slot <= w.most", "WHERE w.slot <= w.most + 1"),
    ),
    sabotage(
        "count each wallet as a person of its own",
        CLAIMS + "two_wallets_of_one_identity_share_a_person_limit",
        ("vouchers/claims.py", "return Id(wallet.person) if any(wallet.person) else wallet.id", "return wallet.id"),
    ),
    sabotage(
        "take a token over without burning its command's id",
        CLAIMS + "a_claim_that_died_holds_its_token_for_a_grace_then_its_late_arrival_is_refused",
        ("quotas/tokens.py", "if not bury(", "if False and not bury("),
    ),
    sabotage(
        "let what took effect for something else hold a token",
        SLOTS + "every_token_stands_in_one_way",
        (
            "quotas/slots.py",
            "return not (decision.took_effect and decision.content == content)",
            "return not decision.took_effect",
        ),
    ),
    sabotage(
        "call a stock sold out when a taker's own slice is empty",
        CLAIMS + "sold_out_only_when_every_slice_is_empty",
        ("quotas/rules.py", "ordered = sorted(slices,", "ordered = sorted(slices[own : own + 1],"),
    ),
    sabotage(
        "take tokens for a retry of what was decided",
        CLAIMS + "a_retry_finds_its_own_token_and_a_new_day_takes_none_for_it",
        ("vouchers/claims.py", "not wallet.active or entry.id in facts.commands:", "not wallet.active:"),
    ),
    sabotage(
        "let a wallet that became active meanwhile have a voucher without its code",
        CODES + "a_wallet_that_becomes_active_meanwhile_gets_no_voucher_without_its_code",
        (
            "vouchers/claiming.py",
            "            if entry.id not in taken\n",
            "            if entry in asked and entry.id not in taken\n",
        ),
    ),
    sabotage(
        "tell a stopped batch of codes from an unknown code",
        CODES + "one_answer_for_unknown_used_stopped_expired_and_unopened",
        ("vouchers/claims.py", "if refusal is not None and refusal.code is errors.CLAIM_OVER:", "if False:"),
    ),
    sabotage(
        "use a code twice",
        CODES + "a_code_gives_one_voucher_and_a_retry_the_same",
        ("vouchers/code_registry.py", "return given_up(code.content, decision)", "return True"),
    ),
    sabotage(
        "commit the list of a draw without waiting for entries that are being written",
        DRAWS + "the_list_waits_for_entries_that_are_being_written",
        ("draws/service.py", "and not store.writers_done(connection)", "and False"),
    ),
    sabotage(
        "let an entry in that comes after the end",
        DRAWS + "an_entry_checks_that_the_draw_is_as_it_was_seen",
        ("draws/rules.py", '("draw_check", draw.seen()), ', ""),
    ),
    sabotage(
        "reveal another seed than the one that was committed to",
        DRAWS + "every_step_of_a_draw_has_its_place",
        ("draws/rules.py", "if commitment(command.seed) != draw.commitment:", "if False:"),
    ),
    sabotage(
        "give a voucher to an entry that did not win",
        DRAWS + "who_did_not_win_gets_nothing",
        ("draws/rules.py", "if facts.winners[draw.id].get(command.entry) != command.wallet:", "if False:"),
    ),
)
