"""Sabotages of payment codes. See `mutants.sabotages`."""

from mutants.sabotages import sabotage

FLOWS = "tests/flows/test_payment_codes.py::test_"
RULES = "tests/rules/test_payment_codes.py::test_"
SQL = "db/migrations/0017_payment_codes.sql"

CODE_SABOTAGES = (
    sabotage(
        "let a code pay twice",
        FLOWS + "two_tills_in_one_batch_use_a_code_once",
        ("payment_codes/service.py", "if holder == use.command}", "if holder}"),
    ),
    sabotage(
        "claim an order for a code that does not count",
        FLOWS + "an_invalid_code_claims_no_order",
        ("payments/service.py", "[entry for entry in meant if entry.id not in refused]", "meant"),
    ),
    sabotage(
        "pay from a wallet by another's code",
        FLOWS + "a_foreign_wallet_is_not_paid_from_by_a_code",
        ("payment_codes/service.py", " and shower.wallet == entry.command.wallet", ""),
    ),
    sabotage(
        "cover the code by what a retry must repeat",
        RULES + "a_retry_may_bring_another_code",
        ("payments/model.py", "msgspec.structs.replace(self, code=None)", "self"),
    ),
    sabotage(
        "claim codes of a device that is locked meanwhile",
        FLOWS + "a_device_that_is_locked_meanwhile_gives_no_code",
        (SQL, "m.step > p_since) < p_misses", "m.step > p_since) < 1000"),
    ),
    sabotage(
        "let guesses go on",
        RULES + "after_too_many_wrong_codes_the_right_one_does_not_count",
        ("payment_codes/rules.py", "if shower.misses + len(missed) >= MISSES_MAX:", "if False:"),
    ),
    sabotage(
        "let codes live a step longer",
        RULES + "a_code_lives_sixty_seconds_and_a_phone_may_be_off_by_thirty",
        ("payment_codes/rules.py", "now - LIFE_STEPS - SKEW_STEPS + 1", "now - LIFE_STEPS - SKEW_STEPS"),
    ),
    sabotage(
        "check codes by the sum of their digits",
        RULES + "a_check_digit_tells_every_two_neighbours_that_changed_places",
        (
            "payment_codes/offline.py",
            "int(_DAMM[interim][int(digit)])",
            "(interim + int(digit)) % 10",
        ),
    ),
    sabotage(
        "tell what is in a wallet to who shows a bad code",
        FLOWS + "a_quote_tells_nothing_of_a_wallet_without_a_code_that_counts",
        ("payments/service.py", "(tried.replayed or not tried.refusal.code.burns)", "False"),
    ),
    sabotage(
        "keep the secret of a device that was removed",
        FLOWS + "a_device_keeps_sealed_what_it_is_called_and_its_secret_only_while_it_lives",
        ("payment_codes/model.py", '{"state": self.state, "secret": None}', '{"state": self.state}'),
        (SQL, "CHECK ((secret IS NOT NULL) = (state = 1))", "CHECK (true)"),
    ),
)
