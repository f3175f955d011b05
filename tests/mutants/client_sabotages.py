"""Sabotages of the Python client and of serving. See `mutants.sabotages`."""

from mutants.sabotages import sabotage

RETRIES = "tests/client/test_retries.py::test_"
BATCHES = "tests/client/test_batches.py::test_"
ANSWERS = "tests/client/test_answers.py::test_"
REAL = "tests/client/test_real_server.py::test_"
SERVE = "tests/flows/test_serve.py::test_"

CLIENT_SABOTAGES = (
    sabotage(
        "let a till try card numbers without end on the short way",
        "tests/flows/test_two_ways.py::test_card_numbers_that_are_nobodys_count_as_guesses",
        ("api/express.py", "self._serving.guesses.begin(guesser)", "self._serving.guesses.allowed(guesser)"),
    ),
    sabotage(
        "try a lane that can't be opened again and again",
        "tests/rules/test_lanes.py::test_a_lane_is_opened_after_pauses_that_grow",
        ("commands/committer.py", "min(2 * self._pause_seconds, PAUSE_MAX_SECONDS)", "self._pause_seconds"),
    ),
    sabotage(
        "go on asking in the name of a query that failed",
        "tests/rules/test_numbers.py::test_a_fault_is_told_to_all_who_waited_for_it_and_to_nobody_else",
        ("api/numbers.py", "_tell(hears, trouble or cards.get(number))", "_tell(hears, cards.get(number))"),
    ),
    sabotage(
        "retry under a fresh key",
        REAL + "connections_cut_after_the_request_pay_once",
        ("client/transport.py", 'headers["idempotency-key"] = request.key', 'headers["idempotency-key"] = new_key()'),
    ),
    sabotage(
        "call a lost answer no effect",
        RETRIES + "attempts_are_bounded_and_the_key_is_told",
        (
            "client/transport.py",
            "return _Silence(type(trouble).__name__, perhaps=True)",
            "return _Silence(type(trouble).__name__, perhaps=False)",
        ),
    ),
    sabotage(
        "take a revoked token for the answer of an earlier attempt",
        RETRIES + "only_what_the_door_decided_settles_a_doubt",
        ("client/transport.py", "if not patience.perhaps or problem.decided:", "if True:"),
    ),
    sabotage(
        "begin a wait that ends after the time",
        RETRIES + "a_wait_beyond_the_time_is_not_begun",
        ("client/retries.py", "if wait.total_seconds() >= self.left_seconds():", "if False:"),
    ),
    sabotage(
        "send a whole batch again for one in doubt",
        BATCHES + "each_ends_for_itself_and_those_in_doubt_are_sent_again",
        ("client/payments.py", "if isinstance(one, Unknown | Unreachable)]", "if waiting]"),
    ),
    sabotage(
        "follow a redirect with the token",
        RETRIES + "a_stranger_in_the_middle_is_no_answer",
        ("client/transport.py", "follow_redirects=False,", "follow_redirects=True,"),
    ),
    sabotage(
        "show a card number in an order's repr",
        ANSWERS + "no_repr_error_or_log_line_holds_a_secret",
        ("client/answers.py", "order_no={self.order_no!r}, amount_fen", "card={self.card!r}, amount_fen"),
    ),
    sabotage(
        "serve other machines in the clear",
        SERVE + "without_tls_only_this_machine_is_served",
        ("cli/serving.py", "wishes.proxy is None and not is_this_machine(host)", "False"),
    ),
    sabotage(
        "take who comes through a proxy for this machine",
        SERVE + "figures_are_for_this_machine_alone_and_never_for_who_comes_through_a_proxy",
        (
            "api/app.py",
            'through_proxy = "x-forwarded-for" in request.headers or "forwarded" in request.headers',
            "through_proxy = False",
        ),
    ),
)
