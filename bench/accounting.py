"""What exporting a book costs: seconds, processor time, memory and size by format, for as many payments as you say.

    .venv/bin/python bench/accounting.py [payments] [merchants]

A town of the tests trades and closes its books; the payments are posted beside it, over twelve days. Then each format
is written by day and rule, and with a voucher for each command.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from support.accounting import LAST, close, traded, written  # noqa: E402
from support.database import fresh_database, shared_server, template  # noqa: E402

MERCHANTS = """
INSERT INTO merchant (id, bucket, code, name, organisation, account_bank, account_no)
SELECT md5('m' || i)::uuid, 60, 'm-' || i, 'm', 2, '', '' FROM generate_series(1, %(merchants)s) i
"""
PAYMENTS = """
INSERT INTO posting SELECT {amount}, 1747713600000000 + (i::bigint * 1000000000000 / %(payments)s),
       pg_current_xact_id()::text::bigint, md5('p' || i)::uuid, {debit_owner}, {credit_owner}, 60, {line}, 1, 1, 20,
       {debit}, {credit}, {source}
FROM generate_series(1, %(payments)s) i WHERE i %% {each} = 0
"""
MERCHANT = "md5('m' || (i %% %(merchants)s + 1))::uuid"
LEGS = (
    {"amount": "1000 + i %% 5000", "debit_owner": "md5('l' || i)::uuid", "credit_owner": MERCHANT, "line": 1}
    | {"debit": 20, "credit": 40, "source": 1, "each": 1},
    {"amount": "100 + i %% 50", "debit_owner": "md5('b' || i)::uuid", "credit_owner": MERCHANT, "line": 2}
    | {"debit": 21, "credit": 40, "source": 2, "each": 3},
    {"amount": "100 + i %% 50", "debit_owner": "NULL", "credit_owner": "NULL", "line": 3}
    | {"debit": 61, "credit": 60, "source": 0, "each": 3},
)


def main(payments: int, merchants: int) -> None:
    """Fill a book and export it in every way."""
    asked = {"payments": payments, "merchants": merchants}
    with shared_server() as server, fresh_database(server, template(server)) as database:
        town = traded(database.app_url)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute("SET search_path TO kaquan")
            owner.execute(MERCHANTS, asked)
            for leg in LEGS:
                owner.execute(PAYMENTS.format(**leg).encode(), asked)
            (count,) = owner.execute("SELECT count(*) FROM posting").fetchone() or (0,)
        close(town, LAST)
        print(f"{payments:,} payments, {count:,} postings, {merchants} merchants")
        print(f"{'format':<12}{'vouchers':<12}{'seconds':>9}{'cpu':>9}{'MB':>9}{'memory MB':>11}")
        with tempfile.TemporaryDirectory() as folder:
            for full in (False, True):
                for form in ("csv", "beancount", "xlsx"):
                    wall, cpu = time.monotonic(), time.process_time()
                    files = written(town, Path(folder) / f"{form}-{full}", form, full=full)
                    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
                    size = sum(path.stat().st_size for path in files) / 1e6
                    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                    by = "each" if full else "by day"
                    print(f"{form:<12}{by:<12}{wall:>9.1f}{cpu:>9.1f}{size:>9.1f}{memory:>11.0f}", flush=True)


if __name__ == "__main__":
    main(*(int(one) for one in (sys.argv[1:] + ["200000", "300"][len(sys.argv) - 1 :])))
