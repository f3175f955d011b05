"""Hot functions name the buckets they touch, in every statement."""

from collections.abc import Callable, Collection, Mapping

import psycopg
import pytest

from support.database import Database
from tidy import hot, schema
from tidy.sources import told

Lint = Callable[[Mapping[str, str], Collection[str]], list[str]]

RULES: dict[Lint, tuple[str, str]] = {
    hot.unbound: (
        "every statement of a hot function names the buckets of each wallet-side table it reads or changes",
        "add `t.bucket = ANY (p_buckets)`, or join its bucket to that of a table that has it",
    ),
    hot.not_joined: (
        "hot functions join wallet-side tables by bucket, too",
        "add `AND t.bucket = u.bucket` to the join",
    ),
    hot.written_in_with: (
        "a hot function never writes inside WITH: a cluster can't route it",
        "make it a statement of its own",
    ),
    hot.unchecked: (
        "a hot function that inserts checks that its rows are in the buckets of the batch",
        "raise KQ001 unless `p_bucket <@ p_buckets`",
    ),
}

READS = "SELECT t.id FROM unnest(p_bucket, p_id) AS u (bucket, id) JOIN lot t ON t.bucket = u.bucket AND t.id = u.id"
SOUND = f"BEGIN {READS} WHERE t.bucket = ANY (p_buckets); END"

BROKEN: dict[str, Lint] = {
    f"BEGIN {READS}; END": hot.unbound,
    f"BEGIN {READS} WHERE t.bucket = 7; END": hot.unbound,
    f"{SOUND}; PERFORM 1 FROM lot t WHERE t.card = ANY (p_card) FOR NO KEY UPDATE;": hot.unbound,
    "IF p_id IS NOT NULL THEN DELETE FROM lot t WHERE t.id = ANY (p_id);": hot.unbound,
    "UPDATE lot t SET state = 1 FROM unnest(p_id) AS u (id) WHERE t.id = u.id AND u.id <> '= ANY (p_buckets)';": (
        hot.unbound
    ),
    "SELECT t.id FROM unnest(p_id) AS u (id) JOIN lot t ON t.id = u.id WHERE t.bucket = ANY (p_buckets);": (
        hot.not_joined
    ),
    "SELECT 1 FROM card c, lot t WHERE t.bucket = ANY (p_buckets) AND c.bucket = ANY (p_buckets);": (hot.not_joined),
    "UPDATE lot t SET state = 1 FROM unnest(p_id) AS u (id) WHERE t.bucket = ANY (p_buckets) AND t.id = u.id;": (
        hot.not_joined
    ),
    "WITH made AS (INSERT INTO lot SELECT * FROM unnest(p_lots) RETURNING id) SELECT id FROM made;": (
        hot.written_in_with
    ),
    "WITH made AS MATERIALIZED (\n UPDATE lot SET state = 1 RETURNING id) SELECT id FROM made;": hot.written_in_with,
    "INSERT INTO lot (bucket, id) SELECT u.bucket, u.id FROM unnest(p_bucket, p_id) AS u (bucket, id);": (
        hot.unchecked
    ),
}
"""A body that breaks a rule, and the rule it breaks."""


@pytest.mark.parametrize("lint", RULES, ids=lambda lint: str(lint.__name__))
def test_hot_functions_keep_their_rules(database: Database, lint: Lint) -> None:
    with psycopg.connect(database.owner_url) as connection:
        functions, tables = hot.hot_functions(connection), schema.wallet_side(connection)
    assert {"apply_batch", "apply_changes", "load_payments", "claim_orders"} <= functions.keys()
    offenders = lint(functions, tables)
    assert not offenders, told(*RULES[lint], offenders)


@pytest.mark.parametrize("body", BROKEN)
def test_a_breach_shows(body: str) -> None:
    tables = {"lot", "card"}
    assert BROKEN[body]({"aside": body}, tables), "the lint does not see it"


def test_a_sound_body_passes() -> None:
    assert [offender for lint in RULES for offender in lint({"aside": SOUND}, {"lot", "card"})] == []
