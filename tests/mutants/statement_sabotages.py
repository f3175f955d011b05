"""The sabotages of statements: what is counted twice or left out, what is changed unnoticed, what another reads."""

from mutants.sabotages import sabotage

STATEMENTS = "tests/flows/test_statements.py::test_"
FILES = "tests/rules/test_statement_files.py::test_"
BEFORE = "  AND NOT (p.at < u.previous_at AND p.xid < u.previous_xid)\n"
GROUPED = "GROUP BY 1, 2, 3, 4"

STATEMENT_SABOTAGES = (
    sabotage(
        "make a statement that does not tie",
        STATEMENTS + "a_statement_that_does_not_tie_is_not_made",
        ("reporting/rules.py", "        if one.closing != one.ledger:\n", "        if False:\n"),
    ),
    sabotage(
        "count in a statement what the one before counted",
        STATEMENTS + "a_merchants_statement_ties_to_the_books_and_the_next_one_stands_on_it",
        (
            "reporting/queries.sql",
            f"{BEFORE}{GROUPED}",
            GROUPED,
        ),
        ("reporting/queries.sql", "WHERE (at >= %(since_at)s::bigint", "WHERE (true OR at >= %(since_at)s::bigint"),
    ),
    sabotage(
        "lose what commits after a statement was cut",
        STATEMENTS + "what_commits_late_is_counted_by_the_next_statement",
        (
            "reporting/queries.sql",
            f"{BEFORE}{GROUPED}",
            f"  AND NOT p.at < u.previous_at\n{GROUPED}",
        ),
    ),
    sabotage(
        "begin the chain of statements anew each time",
        STATEMENTS + "a_merchants_statement_ties_to_the_books_and_the_next_one_stands_on_it",
        ("reporting/rules.py", "(FIRST if previous is None else previous.hash).hex()", "FIRST.hex()"),
    ),
    sabotage(
        "believe a statement that the next one contradicts",
        FILES + "a_change_is_found_by_the_hash_the_next_file_or_the_books",
        ("reporting/checking.py", "later.previous != one.digest and ", "False and "),
    ),
    sabotage(
        "let everybody read every statement",
        "tests/api/test_authorization.py::test_who_may_ask_for_what[show_statement-merchant]",
        (
            "api/objects.py",
            "                owners = Owners(wallet=found.subject)\n        self._own(owners)\n",
            "                owners = Owners(wallet=found.subject)\n",
        ),
    ),
    sabotage(
        "print the day of printing into a statement",
        "tests/golden/test_statements.py::test_the_same_record_gives_the_same_bytes",
        ("reporting/workbook.py", '"created": laid.made_at.astimezone(UTC)', '"comments": ""'),
    ),
)
