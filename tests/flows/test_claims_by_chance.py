"""Claims by chance against a small model: whatever arrives, dies, comes again, a person's limit holds to the unit."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.test_claims import asked, claim, dies, opened, wallet
from kaquan.db.embedded import Server
from kaquan.kernel.ids import Id
from kaquan.quotas.slots import GRACE_SECONDS
from support.database import fresh_database
from support.town import Town

LIMIT = 2
WALLETS = 2

steps = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.integers(0, WALLETS - 1), st.integers(0, 5)),
        st.tuples(st.just("dies"), st.integers(0, WALLETS - 1), st.integers(0, 5)),
        st.tuples(st.just("together"), st.integers(0, WALLETS - 1), st.integers(2, 4)),
        st.tuples(st.just("wait"), st.just(0), st.integers(1, GRACE_SECONDS)),
    ),
    min_size=3,
    max_size=12,
)


@pytest.fixture(scope="module")
def town(server: Server, template_name: str) -> Iterator[Town]:
    """One town for all examples; each has a person of its own."""
    with fresh_database(server, template_name) as database:
        yield opened(database, person_total=LIMIT, count=5_000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_a_person_gets_her_limit_and_no_more(town: Town, steps: list[tuple[str, int, int]]) -> None:
    town.counter += 1
    person = town.counter
    wallets = [wallet(town, 10 * person + number, f"C{person:08d}") for number in range(WALLETS)]
    for what, which, number in steps:
        if what == "wait":
            town.tick(seconds=number)
        elif what == "dies":
            dies(town, claim(town, wallets[which], f"{person}-{which}-{number}"))
        elif what == "claim":
            told = asked(town, claim(town, wallets[which], f"{person}-{which}-{number}"))[0]
            assert told in ("", "claim_person_limit", "claim_in_flight", "claim_taken_over", "key_reused")
            if told == "claim_person_limit":
                assert vouchers(town, wallets) == LIMIT
        else:
            told_all = asked(town, *(claim(town, wallets[which]) for _ in range(number)))
            assert told_all == sorted(told_all), "those that come first get it"
        assert vouchers(town, wallets) <= LIMIT
    town.tick(seconds=GRACE_SECONDS)
    asked(town, *(claim(town, wallets[0]) for _ in range(LIMIT + 1)))
    assert vouchers(town, wallets) == LIMIT, "nothing is stranded: after the grace every slot is somebody's"


def vouchers(town: Town, wallets: list[Id]) -> int:
    """How many the person has."""
    found = town.rows("SELECT count(*) FROM voucher WHERE wallet = ANY (%s::uuid[])", [one.hex() for one in wallets])
    return int(found[0][0])
