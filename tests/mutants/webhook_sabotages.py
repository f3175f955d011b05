"""Sabotages of webhooks."""

from mutants.sabotages import Sabotage, sabotage

HOOKS = "tests/flows/test_webhooks.py::test_"
SENDING = "tests/flows/test_webhook_sending.py::test_"
RULES = "tests/rules/test_webhooks.py::test_"

WEBHOOK_SABOTAGES: tuple[Sabotage, ...] = (
    sabotage(
        "let a taken delivery never come back",
        "tests/races/test_webhooks.py::test_a_killed_dispatcher_loses_nothing",
        ("webhooks/queries.sql", "SET due_at = %(leased)s::bigint,", "SET due_at = %(leased)s::bigint * 2,"),
    ),
    sabotage(
        "tell every organisation everything",
        HOOKS + "each_organisation_hears_what_concerns_it",
        ("webhooks/rules.py", "return organisation == OPERATORS or organisation in concerned", "return True"),
    ),
    sabotage(
        "sign with the new secret only",
        HOOKS + "old_and_new_secret_sign_for_a_day",
        ("webhooks/secrets.py", "at_us < endpoint.previous_until_us", "False"),
    ),
    sabotage(
        "go on telling a receiver that is gone",
        HOOKS + "a_receiver_that_is_gone_is_stopped_until_its_owner_wants_it_again",
        ("webhooks/service.py", "if answered.status == rules.GONE:", "if False:"),
    ),
    sabotage(
        "follow a redirect",
        HOOKS + "a_redirect_is_not_followed_and_of_an_answer_a_little_is_kept",
        ("webhooks/sending.py", "follow_redirects=False", "follow_redirects=True"),
    ),
    sabotage(
        "judge the first address only",
        SENDING + "what_leads_inside_is_never_connected_to",
        (
            "webhooks/addresses.py",
            "read = [_literal(address) for address in addresses]",
            "read = [_literal(address) for address in addresses[:1]]",
        ),
    ),
    sabotage(
        "check the certificate for the address",
        SENDING + "the_certificate_is_checked_for_the_host_though_the_address_is_called",
        ("webhooks/sending.py", '"sni_hostname": where.host, ', ""),
    ),
    sabotage(
        "let a log line tell the address",
        SENDING + "no_log_line_tells_where_or_with_what_was_sent",
        ("webhooks/sending.py", "setLevel(logging.WARNING)", "setLevel(logging.DEBUG)"),
    ),
    sabotage(
        "let everything that failed come back at once",
        RULES + "two_deliveries_that_failed_together_do_not_come_back_together",
        ("webhooks/rules.py", "(delay // _JITTER) * drawn // 2**32", "0"),
    ),
)
