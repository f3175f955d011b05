"""The sabotages of payouts and disputes: results, attempts, files, what is held back."""

from mutants.sabotages import sabotage

PAYOUTS = "tests/flows/test_payouts.py::test_"
DISPUTES = "tests/flows/test_disputes.py::test_"

PAYOUT_SABOTAGES = (
    sabotage(
        "believe a bank that names another amount",
        PAYOUTS + "what_fits_nothing_becomes_an_exception_with_its_reason",
        ("payouts/results.py", "command.amount is not None and command.amount != payout.outgoing", "False"),
    ),
    sabotage(
        "confirm a payout a second time",
        PAYOUTS + "what_fits_nothing_becomes_an_exception_with_its_reason",
        ("payouts/results.py", '(PayoutState.CONFIRMED, Said.CONFIRMED): "confirmed_twice"', "(0, 0): _FITS"),
        ("payouts/results.py", "return _FITTING[payout.state, command.said]", "return _FITS"),
    ),
    sabotage(
        "send what the bank may have paid",
        PAYOUTS + "a_late_confirmation_stops_what_was_to_be_paid_again",
        ("payouts/results.py", "questions=payout.questions + 1", "questions=payout.questions"),
    ),
    sabotage(
        "lose what failed out of the books",
        PAYOUTS + "what_fails_waits_and_is_told_again_under_the_same_number",
        ("payouts/lifecycle.py", "if state in TOLD:", "if state in TOLD | WAITING:"),
    ),
    sabotage(
        "keep the content of a file unsealed",
        PAYOUTS + "a_file_is_made_once_numbered_hashed_and_the_same_for_ever",
        ("payouts/service.py", "return seal(self._cipher, zlib.compress(content, 9), file.id)", "return content"),
    ),
    sabotage(
        "pay what is disputed",
        DISPUTES + "a_payout_pays_what_is_not_disputed",
        ("payouts/model.py", "return Money(self.amount - self.held)", "return self.amount"),
    ),
    sabotage(
        "settle what is disputed",
        DISPUTES + "what_is_disputed_is_left_out_of_the_settlement_and_paid_when_it_is_resolved",
        ("settlement/queries.sql", "41, 160, 161, 177, 179)", "41, 160, 161)"),
    ),
)
