"""A rush on several servers, a timetable and an operator beside: every voucher is handed out, and not one more.

At full size: `python bench/rush.py`.
"""

from collections import Counter

from kaquan.commands.model import Effect, Kind
from support.database import Database
from support.grants import stock_text
from support.rush import PASSED, RUSHED, claim, persons, rush, untrue
from support.town import build

CLAIMERS = 20_000
VOUCHERS = 2_000
WORKERS = 3
EXPIRING = 100
MONEY = 100_000_000


def test_a_rush_hands_out_every_voucher_and_not_one_more(database: Database) -> None:
    stocks = stock_text(RUSHED, count=VOUCHERS, person_total=1) + stock_text(PASSED, person_total=1, valid_days=1)
    town = build(database.app_url, more=stocks)
    town.fund("city", MONEY)
    for stock in (RUSHED, PASSED):
        town.stock(stock)
    wallets = persons(town, CLAIMERS)
    before = town.app.execute(Kind.CLAIM, [claim(one, "before", PASSED) for one in wallets[:EXPIRING]])
    passed = sum(isinstance(one, Effect) for one in before)
    town.tick(days=2)
    told = rush(database.app_url, town.now, wallets, WORKERS)
    codes = sum((one.codes for one in told), Counter[str]())
    assert codes[""] == VOUCHERS
    assert set(codes) <= {"", "stock_sold_out", "claim_person_limit", "claim_in_flight"}, codes
    assert sum(one.differing for one in told) == 0
    issued = {
        row[0].bytes
        for row in town.rows("SELECT v.id FROM voucher v JOIN stock s ON s.id = v.stock WHERE s.code = %s", RUSHED)
    }
    assert issued == set().union(*(one.effects for one in told)), "what was told is what is there"
    states = dict(town.rows("SELECT state::int, count(*) FROM voucher GROUP BY 1"))
    assert states.get(4) == passed and states.get(5, 0) > 0, states
    assert list(untrue(database.owner_url)) == []
