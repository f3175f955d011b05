"""A rush at full size: 100,000 persons claim 10,000 vouchers from several processes, on a durable server.

    python bench/rush.py [--persons 100000] [--vouchers 10000] [--workers 4]

One person in ten tries with two wallets, one claim in twenty is sent again, an operator voids vouchers as they are
handed out, and the timetable runs beside. The table says how many were handed out, and what was wrong: nothing.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from kaquan.kernel.clock import seconds  # noqa: E402
from rig import rig  # noqa: E402
from support.grants import stock_text  # noqa: E402
from support.rush import RUSHED, persons, rush, untrue  # noqa: E402
from support.town import build  # noqa: E402

MONEY_EACH = 1_000


def main(claimers: int, vouchers: int, workers: int) -> int:
    """Run it and print the table; 1 when anything was wrong."""
    with rig() as ready:
        url = ready.server.app_url
        town = build(url, more=stock_text(RUSHED, count=vouchers, person_total=1))
        town.fund("city", 2 * MONEY_EACH * vouchers)
        town.stock(RUSHED)
        began = seconds()
        wallets = persons(town, claimers)
        prepared = seconds() - began
        began = seconds()
        told = rush(url, town.now, wallets, workers)
        took = max(one.took for one in told)
        codes = sum((one.codes for one in told), Counter[str]())
        ((handed,),) = town.rows("SELECT count(*) FROM voucher")
        wrong = list(untrue(ready.server.owner_url))
        lost = set().union(*(one.effects for one in told)) ^ {
            row[0].bytes for row in town.rows("SELECT id FROM voucher")
        }
        durable = ", ".join(f"{name} {value}" for name, value in ready.settings().items())
    print(f"{'persons':>28}  {claimers:,} with {len(wallets):,} wallets, registered in {prepared:.0f} s")
    print(f"{'server':>28}  {durable}")
    print(f"{'processes':>28}  {workers} that claim, 1 timetable, 1 operator who voids")
    decided = sum(codes.values())
    print(f"{'claims decided':>28}  {decided:,} in {took:.1f} s: {decided / took:,.0f} a second")
    print(f"{'vouchers handed out':>28}  {handed:,} of {vouchers:,}")
    for code, count in codes.most_common():
        print(f"{code or 'got one':>28}  {count:,}")
    print(f"{'told and there differ in':>28}  {len(lost)}")
    print(f"{'retries told otherwise':>28}  {sum(one.differing for one in told)}")
    print(f"{'wrong':>28}  {len(wrong)}", *wrong, sep="\n")
    facts = {"claims_per_s": round(decided / took), "claims": decided, "handed_out": handed, "of": vouchers}
    print(json.dumps({**facts, "wrong": len(wrong) + len(lost) + sum(one.differing for one in told)}))
    return 0 if handed == vouchers and not wrong and not lost else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--vouchers", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    sys.exit(main(given.persons, given.vouchers, given.workers))
