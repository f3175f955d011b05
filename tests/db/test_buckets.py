"""The bucket labels and the hash ranges of PostgreSQL: one label in each of 64 shards."""

import psycopg

from kaquan.kernel.ids import BUCKET_COUNT, BUCKETS, bucket_of, derived_id, new_id, parse, public
from support.database import Database

SHARD_OF = (
    "SELECT (hashint2(label)::bigint + 2147483648) / (4294967296 / %(shards)s) FROM unnest(%(labels)s::int2[]) label"
)


def test_each_label_lies_in_the_shard_of_its_position(database: Database) -> None:
    with psycopg.connect(database.app_url) as connection:
        rows = connection.execute(SHARD_OF, {"shards": BUCKET_COUNT, "labels": list(BUCKETS)}).fetchall()
    assert [row[0] for row in rows] == list(range(64))


def test_no_smaller_label_would_do(database: Database) -> None:
    labels = list(range(max(BUCKETS) + 1))
    with psycopg.connect(database.app_url) as connection:
        rows = connection.execute(SHARD_OF, {"shards": BUCKET_COUNT, "labels": labels}).fetchall()
    smallest: dict[int, int] = {}
    for label, (shard,) in zip(labels, rows, strict=True):
        smallest.setdefault(shard, label)
    assert [smallest[shard] for shard in range(64)] == list(BUCKETS)


def test_ids_carry_their_bucket() -> None:
    for label in BUCKETS:
        identity = new_id(1_750_000_000_000, label)
        assert bucket_of(identity) == label
        assert bucket_of(derived_id(identity, b"x")) == label
        assert parse("crd", public("crd", identity)) == identity
