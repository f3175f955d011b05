"""Who hears of what, when a delivery is tried again, and where a webhook may go."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.events.catalogue import CODED, EVENTS, example, version
from kaquan.kernel.caller import OPERATOR, SYSTEM, Caller, Role
from kaquan.kernel.ids import BUCKETS, PREFIXES, Id, bucket_of, new_id
from kaquan.kernel.refusal import Refusal
from kaquan.webhooks import rules
from kaquan.webhooks.addresses import Target, judged, permitted, target
from kaquan.webhooks.errors import ENDPOINT_ADDRESS_REFUSED, ENDPOINT_HOST_UNKNOWN, ENDPOINT_PORT_REFUSED
from kaquan.webhooks.messages import body, named
from kaquan.webhooks.model import Answered, DeliveryState, Endpoint, EndpointState, Happened, Reach, delivery_id

CAREFUL, INSIDE = Reach(), Reach(http=True, private=True)
DAY_US = 24 * 3600 * 1_000_000

identities = st.builds(new_id, st.integers(0, 2**47), st.sampled_from(BUCKETS))
inside = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]


@given(identities, st.integers(1, 60), st.integers(0, 2**50))
def test_delays_grow_from_ten_seconds_to_twelve_hours_and_end_after_three_days(
    delivery: Id, attempts: int, now_us: int
) -> None:
    due_us = rules.next_due(delivery, attempts, now_us, now_us)
    assert due_us == rules.next_due(delivery, attempts, now_us, now_us)
    plain = min(10 * 3 ** (attempts - 1), 12 * 3600) * 1_000_000
    assert due_us is not None and plain <= due_us - now_us <= plain + plain // 5
    assert rules.next_due(delivery, attempts, now_us - 3 * DAY_US, now_us) is None


@given(identities, st.integers(1, 20))
def test_a_delivery_that_always_fails_is_given_up_within_three_days(delivery: Id, start: int) -> None:
    now_us, state, attempts = start, DeliveryState.WAITING, 0
    while state == DeliveryState.WAITING:
        attempts += 1
        state, due_us = rules.outcome(delivery, attempts, start if attempts > 1 else 0, Answered(500, 1), now_us)
        assert due_us > now_us or state == DeliveryState.GIVEN_UP
        assert due_us <= start + 3 * DAY_US
        now_us = due_us
    assert state == DeliveryState.GIVEN_UP and 12 <= attempts <= 16 and now_us > start + 2 * DAY_US


@pytest.mark.parametrize(("status", "arrived"), [(200, True), (204, True), (299, True), (300, False), (410, False)])
def test_only_2xx_is_delivered(status: int, arrived: bool) -> None:
    state, _ = rules.outcome(new_id(1, 60), 1, 0, Answered(status, 1), 5)
    assert (state == DeliveryState.DELIVERED) == arrived


def test_two_deliveries_that_failed_together_do_not_come_back_together() -> None:
    due = {rules.next_due(new_id(1, 60), 5, 0, 0) for _ in range(20)}
    assert len(due) > 15


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("*", "payment.captured.v1", True),
        ("payment.*", "payment.captured.v1", True),
        ("payment.captured.v1", "payment.captured.v1", True),
        ("payment.captured", "payment.captured.v1", False),
        ("pay.*", "payment.captured.v1", False),
        ("packet.*", "packets.opened.v1", False),
        ("", "payment.captured.v1", False),
        (".*", "payment.captured.v1", False),
    ],
)
def test_a_pattern_means_a_name_a_subject_or_everything(pattern: str, name: str, meant: bool) -> None:
    assert rules.matches([pattern], name) is meant


@given(st.integers(0, 50), st.sets(st.integers(1, 50)))
def test_an_organisation_hears_of_what_concerns_it_and_the_operator_of_everything(owner: int, all_: set[int]) -> None:
    assert rules.may_see(owner, all_) == (owner == 0 or owner in all_)


def test_who_reaches_an_endpoint() -> None:
    merchant = Caller(organisation=7, role=Role.MERCHANT)
    till = Caller(organisation=7, role=Role.MERCHANT, merchant=new_id(1, 60))
    assert [rules.reaches(one, 7) for one in (OPERATOR, SYSTEM, merchant, till)] == [True, True, True, False]
    assert [rules.reaches(one, 8) for one in (OPERATOR, SYSTEM, merchant, till)] == [True, True, False, False]
    assert not rules.reaches(Caller(organisation=0, role=Role.MERCHANT), 7)
    others = [Caller(organisation=7, role=role) for role in (Role.HOLDER, Role.CASHIER, Role.REGULATOR)]
    holder = Caller(organisation=7, role=Role.ISSUER, wallet=new_id(1, 60))
    assert not any(rules.reaches(one, 7) for one in (*others, holder))
    assert rules.reaches(Caller(organisation=7, role=Role.FUNDER), 7)


def test_a_stopped_endpoint_and_one_that_came_later_hear_nothing() -> None:
    endpoint = Endpoint(new_id(1, 60), 1, 0, EndpointState.RUNNING, "", ("card.*",), b"", since_us=10)
    assert rules.hears(endpoint, "card.sold.v1", 10) and not rules.hears(endpoint, "card.sold.v1", 9)
    assert not rules.hears(endpoint, "payment.captured.v1", 10)
    endpoint.state = EndpointState.STOPPED
    assert not rules.hears(endpoint, "card.sold.v1", 10)


@given(identities, identities)
def test_a_delivery_is_the_same_whoever_makes_it_and_lies_with_its_endpoint(endpoint: Id, event: Id) -> None:
    assert delivery_id(endpoint, event) == delivery_id(endpoint, event)
    assert bucket_of(delivery_id(endpoint, event)) == bucket_of(endpoint)
    other = Id(endpoint[:8] + bytes([endpoint[8] ^ 1]) + endpoint[9:])
    assert delivery_id(other, event) != delivery_id(endpoint, event)


@given(st.sampled_from(inside), st.data())
def test_no_address_that_only_we_reach_is_permitted(network: IPv4Network, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, network.num_addresses - 1))
    address = IPv4Address(int(network.network_address) + number)
    embedded = [f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"]
    assert not permitted(address, CAREFUL)
    assert not any(permitted(ip_address(one), CAREFUL) for one in embedded)
    assert not permitted(IPv6Address((0x2002 << 112) | (int(address) << 80)), CAREFUL)
    assert permitted(address, INSIDE) == (not address.is_multicast)


@given(st.ip_addresses(v=4))
def test_a_permitted_address_is_public_and_no_disguise_is_permitted(address: IPv4Address) -> None:
    allowed = permitted(address, CAREFUL)
    assert not allowed or (address.is_global and not address.is_multicast and not address.is_private)
    assert not permitted(IPv6Address(f"::ffff:{address}"), CAREFUL)
    assert permitted(IPv6Address(f"64:ff9b::{address}"), CAREFUL) == allowed


@given(st.ip_addresses(v=6))
def test_a_permitted_address_of_the_new_kind_is_public(address: IPv6Address) -> None:
    if permitted(address, CAREFUL) and address not in IPv6Network("64:ff9b::/96"):
        assert address.is_global and not address.is_multicast and address.ipv4_mapped is None


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "fec0::1",
        "2001:db8::1",
        "2001::1",
        "168.63.129.16",
    ],
)
def test_special_addresses_are_refused(address: str) -> None:
    assert not permitted(ip_address(address), CAREFUL)


@pytest.mark.parametrize("address", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "2606:4700:4700::1111"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert permitted(ip_address(address), CAREFUL)


def test_one_address_that_is_not_public_makes_a_name_suspect() -> None:
    assert judged("a.example", ["1.1.1.1", "2400:3200::1", "1.1.1.1"], CAREFUL) == ("1.1.1.1", "2400:3200::1")
    for addresses, code in (
        (["1.1.1.1", "10.0.0.1"], ENDPOINT_ADDRESS_REFUSED),
        (["fe80::1%eth0"], ENDPOINT_ADDRESS_REFUSED),
        ([], ENDPOINT_HOST_UNKNOWN),
    ):
        refusal = judged("a.example", addresses, CAREFUL)
        assert isinstance(refusal, Refusal) and refusal.code == code


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "http://shop.example/",
        "ftp://shop.example/",
        "https://",
        "https:///path",
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example\\@inside.example/",
        "https://shop.example:99999/",
        "https://shop.example:x/",
        "https://商店.example/",
        "https://shop..example/",
        "https://[fe80::1%eth0]/",
        "https://shop.example/\r\nhost: inside",
        "https://shop.example/" + "a" * 500,
        "https://[::1",
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str) -> None:
    refusal = target(url, CAREFUL)
    assert isinstance(refusal, Refusal) and refusal.code.code == "endpoint_url_invalid"


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_a_url(text: str) -> None:
    for reach in (CAREFUL, INSIDE):
        found = target("https://" + text, reach)
        assert isinstance(found, Refusal) or (found.path.startswith("/") and found.host and "@" not in found.host)


def test_ports_and_literal_addresses_of_a_url_are_judged() -> None:
    for url, code in (
        ("https://shop.example:22/", ENDPOINT_PORT_REFUSED),
        ("https://shop.example:80/", ENDPOINT_PORT_REFUSED),
        ("https://127.0.0.1/", ENDPOINT_ADDRESS_REFUSED),
        ("https://[::1]/", ENDPOINT_ADDRESS_REFUSED),
        ("https://169.254.169.254/latest", ENDPOINT_ADDRESS_REFUSED),
    ):
        refusal = target(url, CAREFUL)
        assert isinstance(refusal, Refusal) and refusal.code == code, url
    assert target("https://Shop.Example:8443/a?b=c", CAREFUL) == Target("https", "shop.example", 8443, "/a?b=c")
    found = target("http://[::1]:8080", INSIDE)
    assert isinstance(found, Target) and (found.authority, found.path) == ("[::1]:8080", "/")
    plain = target("http://shop.example/", Reach(http=True))
    assert isinstance(plain, Target) and (plain.port, plain.authority) == (80, "shop.example")


def test_every_event_has_a_version_an_example_and_names_things_that_have_ids() -> None:
    for name, event in EVENTS.items():
        assert version(name) >= 1 and set(event.carries) <= PREFIXES.keys() | set(CODED)
        told = example(name)
        assert (told["type"], list(told["data"])) == (name, list(event.carries))
        assert re.search(r"[\u4e00-\u9fff]", event.zh) and event.en.isascii()


def test_whoever_is_behind_a_thing_is_found() -> None:
    """Way out: give a new thing a line in `concerned`, or name it here with the thing beside it that tells."""
    asked = set(re.findall(r"u\.kind = '(\w+)'", (Path(rules.__file__).parent / "queries.sql").read_text("utf-8")))
    beside = {"entry", "refund", "closing", "settlement", "stock"}  # draw, payment, card, program
    beside |= {"payout", "dispute"}  # merchant and program
    beside |= {"wallet", "payout_file"}  # nobody's outside
    assert asked | beside == {thing for event in EVENTS.values() for thing in event.carries}


def test_programs_are_told_by_code_and_what_was_registered_by_its_id() -> None:
    effect, made = new_id(5, 60), new_id(6, 60)
    closed = Happened(effect, "settlement.closed.v1", 0, {"program": 1})
    assert dict(named(closed, {1: "jingxika"})) == {"program": "jingxika"}
    merchant = Happened(effect, "merchant.registered.v1", 0, {"code": "mall-1", "id": made.hex()})
    assert dict(named(merchant, {})) == {"merchant": made}
    fund = Happened(effect, "fund.registered.v1", 0, {"code": "city", "id": made.hex()})
    assert msgspec.json.decode(body(fund, {}))["data"] == {"fund": "city"}
    holder = Happened(effect, "holder.registered.v1", 0, {"identified": True})
    assert dict(named(holder, {})) == {"wallet": effect}


def test_no_log_line_can_hold_a_secret_an_address_or_a_message() -> None:
    """What is logged is named here: an id, a kind of trouble. Whoever adds a line thinks of what it may hold."""
    sources = Path(rules.__file__).parent.glob("*.py")
    logged = [line for path in sources for line in re.findall(r"\blog\.\w+\((.*)\)", path.read_text("utf-8"))]
    assert sorted(logged) == [
        '"webhooks.stopped", endpoint=endpoint.hex()',
        '"webhooks.trouble", error=told(trouble)',
    ]
