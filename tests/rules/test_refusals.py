"""Every reason to refuse has a story, words in both languages, a way out, and a line in the reference."""

import ast
import importlib
import pkgutil
import re
import string
from collections.abc import Iterator
from pathlib import Path

import kaquan
from kaquan.kernel.refusal import CATALOGUE, RefusalCode
from support.stories import told_codes

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference" / "refusals.md"
QUOTE = "rules/test_quote.py::"
WHAT_CANNOT = "rules/test_giveaways.py::test_what_cannot_be_given_is_refused"
GRANTED = "rules/test_giveaways.py::test_what_is_granted_by_itself_fits_its_stock"
OUTSIDE = "api/test_door_outside.py::"
DRAWS = "flows/test_draws.py::"
STATEMENTS = "flows/test_statements.py::"
SETTLEMENT = "flows/test_settlement.py::"
RELEASED = f"{SETTLEMENT}test_a_reserve_is_released_once_when_it_is_due_and_paid_with_the_next_settlement"
CLOSED = "flows/test_cycles.py::test_a_period_is_closed_only_when_nobody_has_anything_left"

ENDPOINT = "flows/test_webhooks.py::test_every_refusal_of_an_endpoint_leaves_it_as_it_was"

BULK = "flows/test_bulk.py::test_there_may_not_be_too_many_rows_or_jobs"

DIRECT = {
    "accounting_day_busy": "flows/test_accounting.py::test_days_are_not_closed_while_an_older_operation_runs",
    "accounting_kind_unclear": "flows/test_accounting.py::test_a_book_of_two_kinds_wants_to_be_told_which",
    "job_unknown": "flows/test_bulk_cli.py::test_a_file_is_submitted_carried_out_and_what_failed_is_sent_again",
    "job_csv_invalid": "rules/test_bulk.py::test_a_file_whose_first_line_names_no_columns_is_refused",
    "job_rows_out_of_range": BULK,
    "job_limit_reached": BULK,
    "job_ended": "flows/test_bulk.py::test_a_cancelled_job_does_no_further_rows",
    "payment_code_malformed": "rules/test_payment_codes.py::test_what_is_no_code_is_told_without_a_look_up",
    "device_label_invalid": "rules/test_payment_codes.py::test_a_label_that_cannot_be_is_refused",
    "device_handles_taken": "flows/test_payment_codes.py::test_a_handle_is_given_once",
    "phone_invalid": "rules/test_privacy.py::test_what_is_no_mobile_number_is_refused_without_telling_it",
    "id_number_invalid": "rules/test_privacy.py::test_a_wrong_identity_number_is_refused_without_telling_it",
    "phone_unknown": "flows/test_cli.py::test_what_is_unknown_is_named",
    "name_invalid": "rules/test_privacy.py::test_a_name_that_cannot_be_is_refused",
    "law_bearer_identity_missing": "rules/test_law.py::test_ten_thousand_yuan_itself_asks_for_identity",
    "law_person_cash_above_max": "rules/test_law.py::test_large_amounts_are_not_paid_in_cash",
    "law_organisation_cash_above_max": "rules/test_law.py::test_large_amounts_are_not_paid_in_cash",
    "law_pack_not_in_force": "rules/test_lawful.py::test_a_pack_that_is_not_in_force_judges_nothing_and_is_refused",
    "program_file_too_long": "rules/test_terms.py::test_a_file_that_is_not_a_program_is_refused_and_never_raises",
    "program_term_fixed": "rules/test_terms.py::test_fixed_terms_stay",
    "voucher_not_best": f"{QUOTE}test_what_saves_less_is_told_how_much_less",
    "voucher_spared": f"{QUOTE}test_of_two_alike_the_one_that_expires_first_is_used_and_the_other_spared",
    "voucher_not_searched": f"{QUOTE}test_beyond_the_limit_only_the_best_of_each_category_are_searched",
    "program_code_twice": WHAT_CANNOT,
    "program_funding_of_nothing": WHAT_CANNOT,
    "program_funding_shares": WHAT_CANNOT,
    "program_funding_twice": WHAT_CANNOT,
    "program_bonus_by_merchant": GRANTED,
    "program_grant_ends": GRANTED,
    "program_grant_hand_out": GRANTED,
    "program_grant_limited": GRANTED,
    "program_grant_without_stock": WHAT_CANNOT,
    "program_plan_does_not_fit": GRANTED,
    "program_stock_budget_small": WHAT_CANNOT,
    "program_stock_rate": WHAT_CANNOT,
    "program_stock_threshold": WHAT_CANNOT,
    "program_stock_window": WHAT_CANNOT,
    "program_stock_without_goods": WHAT_CANNOT,
    "program_top_up_by_merchant": "rules/test_giveaways.py::test_a_merchant_bears_no_part_of_a_top_up_voucher",
    "program_stock_term_unread": "rules/test_giveaways.py::test_a_top_up_voucher_has_no_term_that_only_orders_read",
    "program_top_up_without_card": "rules/test_giveaways.py::test_a_top_up_voucher_needs_a_program_that_sells_cards",
    "program_voucher_valid_above_law": WHAT_CANNOT,
    "program_packets_do_not_fit": "rules/test_giveaways.py::test_packets_that_can_not_be_split_are_refused",
    "draw_busy": f"{DRAWS}test_a_list_that_can_not_be_closed_says_so",
    "draw_seed_wrong": f"{DRAWS}test_every_step_of_a_draw_has_its_place",
    "entry_unknown": "flows/test_vouchers_cli.py::test_a_draw_is_opened_entered_closed_and_checked_by_anybody",
    "statement_untied": f"{STATEMENTS}test_a_statement_that_does_not_tie_is_not_made",
    "statement_too_long": f"{STATEMENTS}test_a_statement_has_a_most_of_lines",
    "statement_unknown": "flows/test_statements_cli.py::test_statements_are_made_listed_shown_and_checked",
    "settlement_terms_changed": f"{SETTLEMENT}test_new_terms_between_preview_and_run_ask_for_a_new_preview",
    "settlement_merchant_unknown": f"{SETTLEMENT}test_every_refusal_of_a_settlement_moves_nothing",
    "period_invalid": f"{SETTLEMENT}test_every_refusal_of_a_settlement_moves_nothing",
    "period_not_over": f"{SETTLEMENT}test_every_refusal_of_a_settlement_moves_nothing",
    "cut_stale": f"{SETTLEMENT}test_a_preview_older_than_the_last_settlement_is_refused",
    "period_open": CLOSED,
    "period_closed": CLOSED,
    "calendar_horizon": f"{SETTLEMENT}test_every_refusal_of_a_settlement_moves_nothing",
    "endpoint_unknown": ENDPOINT,
    "endpoint_organisation_unknown": ENDPOINT,
    "endpoint_url_invalid": ENDPOINT,
    "endpoint_event_unknown": ENDPOINT,
    "endpoint_limit_reached": ENDPOINT,
    "endpoint_removed": ENDPOINT,
    "endpoint_port_refused": "rules/test_webhooks.py::test_ports_and_literal_addresses_of_a_url_are_judged",
    "endpoint_address_refused": "rules/test_webhooks.py::test_one_address_that_is_not_public_makes_a_name_suspect",
    "endpoint_host_unknown": "rules/test_webhooks.py::test_one_address_that_is_not_public_makes_a_name_suspect",
    "delivery_unknown": "flows/test_webhooks_cli.py::test_an_endpoint_is_added_heard_of_rotated_and_removed",
    "reserve_unknown": f"{SETTLEMENT}test_every_refusal_of_a_settlement_moves_nothing",
    "reserve_not_due": RELEASED,
    "reserve_released": RELEASED,
    "api_key_missing": "api/test_authorization.py::test_without_a_key_nobody_is_let_in",
    "role_not_allowed": f"{OUTSIDE}test_a_key_without_the_scope_may_not",
    "not_found": f"{OUTSIDE}test_in_a_batch_each_answers_for_itself",
    "path_unknown": f"{OUTSIDE}test_an_unknown_address_and_a_wrong_method",
    "method_not_allowed": f"{OUTSIDE}test_an_unknown_address_and_a_wrong_method",
    "request_invalid": f"{OUTSIDE}test_a_body_that_says_nothing_is_refused",
    "idempotency_key_missing": f"{OUTSIDE}test_a_dry_run_needs_no_id_and_moves_nothing",
    "idempotency_key_reserved": f"{OUTSIDE}test_ids_of_what_two_persons_decided_are_nobodys_to_use",
    "body_too_large": f"{OUTSIDE}test_a_body_that_says_nothing_is_refused",
    "body_too_slow": f"{OUTSIDE}test_a_body_that_never_ends_is_given_up",
    "too_many_requests": f"{OUTSIDE}test_too_many_requests_are_told_how_long_to_wait",
    "too_busy": f"{OUTSIDE}test_a_full_queue_is_told_at_once",
    "answer_unknown": f"{OUTSIDE}test_what_is_not_answered_in_time_is_unknown",
    "internal_fault": f"{OUTSIDE}test_what_breaks_on_our_side_is_told_with_a_request_id",
    "token_wrong": "flows/test_identity.py::test_a_wrong_secret_is_told_apart_from_nothing",
    "token_expired": "flows/test_identity.py::test_a_key_lets_nobody_in_after_its_days",
    "token_revoked": "flows/test_identity.py::test_a_revoked_key_lets_nobody_in_once_memory_is_over",
}
"""Codes that no row of a story ends in, and the test that shows each: not judged by the door, or not about a card."""


def _import_everything() -> None:
    for module in pkgutil.walk_packages(kaquan.__path__, "kaquan."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


_import_everything()


def constants() -> dict[str, str]:
    """The name of each code's constant."""
    names = {}
    for code in CATALOGUE.values():
        assert isinstance(code, RefusalCode)
    for module in pkgutil.iter_modules(kaquan.__path__):
        if not (ROOT / "src" / "kaquan" / module.name / "errors.py").exists():
            continue
        declared = importlib.import_module(f"kaquan.{module.name}.errors")
        names |= {value.code: name for name, value in vars(declared).items() if isinstance(value, RefusalCode)}
    return names


CONSTANTS = constants()


def test_every_code_is_declared_in_an_errors_module() -> None:
    assert CONSTANTS.keys() == CATALOGUE.keys()
    assert len(set(CONSTANTS.values())) == len(CONSTANTS), "two codes under one constant's name"


def test_every_code_has_a_story_or_a_named_test() -> None:
    """Way out: add a row to tests/stories that ends in the code; else name the test that shows it in DIRECT."""
    told = told_codes()
    assert CATALOGUE.keys() - told - DIRECT.keys() == set()
    assert told & DIRECT.keys() == set(), "told by a story now: strike it from DIRECT"
    assert DIRECT.keys() - CATALOGUE.keys() == set(), "no such code any more"


def test_every_named_test_exists_and_speaks_of_its_code() -> None:
    for code, place in DIRECT.items():
        file, _, name = place.partition("::")
        text = (ROOT / "tests" / file).read_text("utf-8")
        found = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == name
        ]
        assert found, f"{code}: there is no {place}"
        body = ast.get_source_segment(text, found[0]) or ""
        assert code in body or CONSTANTS[code] in body, f"{place} does not speak of {code}"


def test_every_code_speaks_both_languages_and_tells_the_way_out() -> None:
    for code in CATALOGUE.values():
        for words in (code.zh, code.remedy_zh):
            assert re.search(r"[\u4e00-\u9fff]", words), f"{code.code}: no Chinese in {words!r}"
        for words in (code.en, code.remedy_en):
            assert re.search(r"[A-Za-z]{2}", words), f"{code.code}: no English in {words!r}"
            assert not re.search(r"[\u4e00-\u9fff]", words), f"{code.code}: Chinese in {words!r}"
        assert 400 <= code.status < 600, code.code
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", code.code), code.code


def test_both_languages_tell_the_same_facts() -> None:
    for code in CATALOGUE.values():
        chinese, english = placeholders(code.zh, code.remedy_zh), placeholders(code.en, code.remedy_en)
        assert {name.removesuffix("_zh") for name in chinese} == {name.removesuffix("_en") for name in english}, code


def placeholders(*words: str) -> set[str]:
    """The facts that words name."""
    return {name for text in words for _, name, _, _ in string.Formatter().parse(text) if name}


def refusals_made() -> Iterator[tuple[str, str, set[str] | None]]:
    """(where, constant, facts) of every `Refusal(CODE, {…})` in the source; None when the facts are not literal."""
    for path in sorted((ROOT / "src" / "kaquan").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal"):
                continue
            code, facts = node.args[0], node.args[1] if len(node.args) > 1 else None
            constant = code.attr if isinstance(code, ast.Attribute) else getattr(code, "id", "")
            yield f"{path.name}:{node.lineno}", constant, _literal(facts)


def _literal(facts: ast.expr | None) -> set[str] | None:
    if facts is None:
        return set()
    if isinstance(facts, ast.Dict) and all(isinstance(key, ast.Constant) for key in facts.keys):
        return {str(key.value) for key in facts.keys if isinstance(key, ast.Constant)}
    return None


def test_every_placeholder_is_filled_by_a_fact() -> None:
    """Facts that are not written beside the code are filled in stories, which read every word of every refusal."""
    needed = {
        CONSTANTS[code.code]: placeholders(code.zh, code.en, code.remedy_zh, code.remedy_en)
        for code in CATALOGUE.values()
    }
    for where, constant, facts in refusals_made():
        if facts is not None and constant in needed:
            assert needed[constant] <= facts, f"{where}: {constant} lacks {needed[constant] - facts}"


def test_every_code_is_used() -> None:
    source = "\n".join(
        path.read_text("utf-8") for path in (ROOT / "src" / "kaquan").rglob("*.py") if path.name != "errors.py"
    )
    assert [name for name in CONSTANTS.values() if not re.search(rf"\b{name}\b", source)] == []


def test_every_code_stands_in_the_reference() -> None:
    """Way out: run .venv/bin/python docs/generate.py."""
    page = REFERENCE.read_text("utf-8")
    assert [code for code in CATALOGUE if f"`{code}`" not in page] == []
