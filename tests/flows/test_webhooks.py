"""Webhooks on a real database and a real socket: delivered, tried again, stopped, rotated, replayed, kept apart."""

import socket
from datetime import timedelta
from threading import Event, Thread

import msgspec
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.events.catalogue import event_id
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.clock import microseconds, system_now
from kaquan.kernel.ids import Id, public
from kaquan.webhooks import rules, service, store
from kaquan.webhooks.errors import (
    ENDPOINT_EVENT_UNKNOWN,
    ENDPOINT_LIMIT_REACHED,
    ENDPOINT_ORGANISATION_UNKNOWN,
    ENDPOINT_REMOVED,
    ENDPOINT_UNKNOWN,
    ENDPOINT_URL_INVALID,
)
from kaquan.webhooks.model import ChangeEndpoint, DeliveryState, EndpointState, RemoveEndpoint
from kaquan.webhooks.sending import Sender
from support.database import Database
from support.receiver import LOCAL, receiving
from support.town import Town
from support.webhooks import change, dispatcher, hook, hooked_town, later, rotate, turn

UNREACHED = "http://127.0.0.1:9/hook"


@pytest.fixture
def town(database: Database) -> Town:
    return hooked_town(database.app_url)


def states(town: Town) -> list[tuple[int, int]]:
    return town.rows("SELECT state::int, count(*) FROM webhook_delivery GROUP BY state ORDER BY state")


def test_an_event_is_delivered_signed_with_ids_alone(town: Town) -> None:
    with receiving() as receiver:
        hooked = hook(town, receiver.url, "payment.*")
        card = town.sell(town.holder())
        paid = town.pay(card, 12_345, order_no="13800138000")
        done = turn(town)
    assert isinstance(paid, Effect) and (done.queued, done.delivered, done.failed) == (1, 1, 0)
    (came,) = receiver.came
    event = came.verified(hooked.secret)
    payment, merchant = public("pay", paid.id), public("mer", town.merchants["mall-1"])
    at = town.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert event == {
        "type": "payment.captured.v1",
        "timestamp": at,
        "data": {"payment": payment, "merchant": merchant},
    }
    assert came.id == event_id(paid.id) == payment.replace("pay_", "evt_")
    assert came.path == "/hook" and came.headers["content-type"] == "application/json"
    assert town.rows("SELECT status::int, failure FROM webhook_attempt") == [(204, "")]
    assert turn(town).delivered == 0


def test_what_happened_before_an_endpoint_was_added_is_not_told(town: Town) -> None:
    town.sell(town.holder())
    town.tick(seconds=1)
    with receiving() as receiver:
        hook(town, receiver.url, "card.*")
        assert turn(town).queued == 0
        card = town.sell(town.holder("13800138001"))
        assert turn(town).delivered == 1
    assert receiver.ids == [event_id(card)]


def test_a_receiver_that_is_down_is_tried_again_on_schedule_until_it_is_up(town: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    hooked = hook(town, f"http://127.0.0.1:{port}/hook", "card.sold.v1")
    card = town.sell(town.holder())
    assert turn(town).failed == 1
    (delivery, due_us) = town.rows("SELECT id, due_at FROM webhook_delivery")[0]
    now_us = microseconds(town.now)
    assert due_us == rules.next_due(Id(delivery.bytes), 1, now_us, now_us)
    assert 10 <= (due_us - now_us) // 1_000_000 <= 12
    assert turn(town, later(town, seconds=9)).failed == 0
    town.tick(seconds=13)
    assert turn(town).failed == 1
    town.tick(seconds=40)
    with receiving(port) as receiver:
        assert turn(town).delivered == 1
    assert receiver.ids == [event_id(card)] and receiver.came[0].body.startswith(b'{"type":"card.sold.v1"')
    failures = town.rows("SELECT number, status::int, failure FROM webhook_attempt ORDER BY number")
    assert failures == [(1, 0, "connection"), (2, 0, "connection"), (3, 204, "")]
    assert [row.attempts for row in store.deliveries(town.app.connection, hooked.id, None, 10)] == [3]


def test_after_three_days_a_delivery_is_given_up(town: Town) -> None:
    hook(town, UNREACHED, "card.sold.v1")
    town.sell(town.holder())
    started, tries = town.now, 0
    while states(town) in ([], [(DeliveryState.WAITING, 1)]):
        assert town.now - started <= timedelta(days=4)
        tries += turn(town).failed
        town.tick(hours=1)
    assert states(town) == [(DeliveryState.GIVEN_UP, 1)]
    assert 8 < tries < 30 and town.now - started > timedelta(days=2)


def test_a_receiver_that_is_gone_is_stopped_until_its_owner_wants_it_again(town: Town) -> None:
    with receiving() as receiver:
        receiver.status = 410
        hooked = hook(town, receiver.url, "card.*")
        town.sell(town.holder())
        assert turn(town).stopped == 1
        stopped = service.find(town.app.connection, [hooked.id])[hooked.id]
        assert (stopped.state, stopped.reason) == (EndpointState.STOPPED, "410")
        town.tick(minutes=5)
        town.sell(town.holder("13800138001"))
        assert turn(town).queued == 0 and len(receiver.came) == 1
        receiver.status = 200
        town.tick(minutes=5)
        change(town, hooked.id, resume=True)
        latest = town.sell(town.holder("13800138002"))
        assert turn(town).delivered == 2  # what waited when it was stopped, and what came after
        assert event_id(latest) in receiver.ids[1:]


def test_a_redirect_is_not_followed_and_of_an_answer_a_little_is_kept(town: Town) -> None:
    with receiving() as elsewhere, receiving() as receiver:
        receiver.status, receiver.location, receiver.answer = 307, elsewhere.url, b"\0x" * 50_000
        hook(town, receiver.url, "card.*")
        town.sell(town.holder())
        assert turn(town).failed == 1
    assert len(receiver.came) == 1 and elsewhere.came == []
    assert town.rows("SELECT status::int, answer FROM webhook_attempt") == [(307, b"\0x" * 250)]


def test_old_and_new_secret_sign_for_a_day(town: Town) -> None:
    with receiving() as receiver:
        before = hook(town, receiver.url, "card.*")
        after = rotate(town, before)
        assert before.secret != after.secret
        town.sell(town.holder())
        turn(town)
        (came,) = receiver.came
        assert came.verified(before.secret) == came.verified(after.secret)
        assert len(came.headers["webhook-signature"].split(" ")) == 2
        service.replay(town.app.connection, _delivery(town), town.now)
        town.app.connection.execute("UPDATE webhook_endpoint SET previous_until = 0")
        turn(town)
    assert receiver.came[1].verified(after.secret)["type"] == "card.sold.v1"
    with pytest.raises(WebhookVerificationError):
        receiver.came[1].verified(before.secret)


def test_each_organisation_hears_what_concerns_it(town: Town) -> None:
    with receiving() as operator, receiving() as issuer, receiving() as stores, receiving() as strangers:
        hook(town, operator.url, "payment.*", "card.*")
        for receiver, code in ((issuer, "jingxi"), (stores, "jingxi-stores"), (strangers, "others")):
            hook(town, receiver.url, "payment.*", "card.*", organisation=code)
        card = town.sell(town.holder())
        paid = town.pay(card, 100)
        turn(town)
        both = sorted([event_id(card), event_id(paid.id)])
        assert sorted(operator.ids) == sorted(issuer.ids) == both
        assert (stores.ids, strangers.ids) == ([event_id(paid.id)], [])


def test_every_endpoint_gets_an_event_once_however_many_dispatch_at_once(town: Town, database: Database) -> None:
    with receiving() as receiver:
        endpoints = [hook(town, receiver.url, "card.*").id for _ in range(3)]
        cards = [town.sell(town.holder(f"1380013{number:04}")) for number in range(20)]
        stop, others = Event(), []
        for _ in range(3):
            other = dispatcher(town)
            thread = Thread(target=other.run, args=(lambda: connect(database.app_url), stop))
            thread.start()
            others.append(thread)
        for _ in range(600):
            if states(town) == [(DeliveryState.DELIVERED, 60)]:
                break
            stop.wait(0.1)
        stop.set()
        for thread in others:
            thread.join()
    assert states(town) == [(DeliveryState.DELIVERED, 60)]
    assert town.rows("SELECT count(DISTINCT (endpoint, event)) FROM webhook_delivery") == [(60,)]
    assert set(receiver.ids) == {event_id(card) for card in cards}
    assert 60 <= len(receiver.came) <= 66 and len(endpoints) == 3


def test_what_is_taken_comes_again_when_its_sender_is_gone(town: Town) -> None:
    with receiving() as receiver:
        hook(town, receiver.url, "card.*")
        card = town.sell(town.holder())
        while not service.dispatch(town.app.connection, microseconds(town.now), 100).queued:
            pass  # a transaction elsewhere on the server holds the horizon back
        leased = later(town, seconds=120)
        taken = store.take(town.app.connection, microseconds(town.now), microseconds(leased), 10, 10)
        assert len(taken) == 1 and turn(town).delivered == 0
        assert turn(town, leased + timedelta(seconds=1)).delivered == 1
        late = service.Answered(500, 1)
        after = (DeliveryState.WAITING, microseconds(town.now))
        store.record(town.app.connection, taken[0], late, microseconds(town.now), after)
    assert receiver.ids == [event_id(card)]
    assert states(town) == [(DeliveryState.DELIVERED, 1)]
    assert town.rows("SELECT number, status::int FROM webhook_attempt ORDER BY number") == [(1, 204), (2, 500)]


def test_a_delivery_or_a_span_is_sent_again_under_the_same_id(town: Town) -> None:
    with receiving() as receiver:
        hooked = hook(town, receiver.url, "card.*")
        first = town.sell(town.holder())
        turn(town)
        town.tick(hours=1)
        second = town.sell(town.holder("13800138001"))
        receiver.status = 500
        turn(town)
        receiver.status = 200
        assert service.replay(town.app.connection, _delivery(town), town.now) == 1
        turn(town)
        assert receiver.ids == [event_id(first), event_id(second), event_id(first)]
        span = (later(town, hours=-2), later(town, hours=1))
        connection = town.app.connection
        assert service.replay_range(connection, hooked.id, span, town.now, failed=True) == 1
        turn(town)
        assert receiver.ids[3:] == [event_id(second)]
        assert service.replay_range(connection, hooked.id, span, town.now) == 2
        assert turn(town).delivered == 2
    assert receiver.came[0].body == receiver.came[2].body


def test_the_log_is_forgotten_after_thirty_days_and_what_waits_is_not(town: Town) -> None:
    with receiving() as receiver:
        hook(town, receiver.url, "card.*")
        town.sell(town.holder())
        turn(town)
        town.tick(minutes=1)
        hook(town, UNREACHED, "card.*")
        town.sell(town.holder("13800138001"))
        turn(town)
    town.tick(days=29)
    run_due(town.app)
    assert town.rows("SELECT count(*) FROM webhook_delivery") == [(3,)]
    town.tick(days=1, minutes=2)
    run_due(town.app)
    assert states(town) == [(DeliveryState.WAITING, 1)]
    assert town.rows("SELECT count(*) FROM webhook_attempt WHERE status = 204") == [(0,)]


def test_a_secret_is_sealed_and_no_part_of_what_was_asked(town: Town) -> None:
    asked = {"organisation": "", "url": UNREACHED, "events": ("*",)}
    first, secret = service.adding(town.app.master, OPERATOR, "same", **asked)
    again, other = service.adding(town.app.master, OPERATOR, "same", **asked)
    assert secret != other and first.content() == again.content()
    made, repeated = town.ok(Kind.ADD_ENDPOINT, first), town.ok(Kind.ADD_ENDPOINT, again)
    assert (made.replayed, repeated.replayed, repeated.answer) == (False, True, made.answer)
    endpoint = service.find(town.app.connection, [made.id])[made.id]
    assert service.secrets.opened(town.app.master, endpoint, 0) == [secret]
    kept = b"".join(bytes(row[0]) for row in town.rows("SELECT secret FROM webhook_endpoint"))
    assert secret.encode() not in kept and secret[6:].encode() not in kept + made.answer


def test_every_refusal_of_an_endpoint_leaves_it_as_it_was(town: Town) -> None:
    hooked = hook(town, UNREACHED, "card.*", organisation="jingxi")
    shop = Caller(organisation=service.organisation(town.app.connection, "others") or -2, role=Role.MERCHANT)

    def refused(kind: Kind, command: object) -> object:
        outcome = town.app.one(kind, command)
        assert isinstance(outcome, Refused), outcome
        return outcome.refusal.code

    def adding(**asked: object) -> object:
        told = {"organisation": "jingxi", "url": UNREACHED, "events": ("*",), "caller": OPERATOR, **asked}
        command, _ = service.adding(town.app.master, told.pop("caller"), town.key(), **told)
        return refused(Kind.ADD_ENDPOINT, command)

    before = town.rows("SELECT * FROM webhook_endpoint")
    assert adding(organisation="nobody") == ENDPOINT_ORGANISATION_UNKNOWN
    assert adding(caller=shop) == ENDPOINT_ORGANISATION_UNKNOWN
    assert adding(url="ftp://127.0.0.1/") == ENDPOINT_URL_INVALID
    assert adding(events=("payment.stolen.v1",)) == ENDPOINT_EVENT_UNKNOWN
    assert adding(events=()) == ENDPOINT_EVENT_UNKNOWN
    foreign = ChangeEndpoint(key=town.key(), caller=shop, endpoint=hooked.id, url="http://127.0.0.1:8/")
    assert refused(Kind.CHANGE_ENDPOINT, foreign) == ENDPOINT_UNKNOWN
    assert service.found(town.app.connection, shop, hooked.id) is None
    assert town.rows("SELECT * FROM webhook_endpoint") == before
    for _ in range(rules.ENDPOINTS_MAX - 1):
        hook(town, UNREACHED, "card.*", organisation="jingxi")
    assert adding() == ENDPOINT_LIMIT_REACHED
    town.ok(Kind.REMOVE_ENDPOINT, RemoveEndpoint(key=town.key(), caller=OPERATOR, endpoint=hooked.id))
    again = ChangeEndpoint(key=town.key(), caller=OPERATOR, endpoint=hooked.id, resume=True)
    assert refused(Kind.CHANGE_ENDPOINT, again) == ENDPOINT_REMOVED
    assert service.found(town.app.connection, OPERATOR, hooked.id).state == EndpointState.REMOVED  # type: ignore[union-attr]


def test_an_address_is_judged_again_at_each_delivery(town: Town) -> None:
    """A name that led to a public address when it was added leads inside now: nothing is sent."""
    with receiving() as receiver:
        hook(town, receiver.url.replace("127.0.0.1", "shop.example"), "card.*")
        town.sell(town.holder())
        careful = Sender(LOCAL._replace(private=False), lambda host, port: ("127.0.0.1",))
        assert turn(town, sender=careful).failed == 1
        assert receiver.came == []
        town.tick(minutes=1)
        assert turn(town, sender=Sender(LOCAL, lambda host, port: ("127.0.0.1",))).delivered == 1
    assert receiver.came[0].headers["host"] == f"shop.example:{receiver.port}"
    assert town.rows("SELECT failure FROM webhook_attempt ORDER BY number") == [("endpoint_port_refused",), ("",)]


def test_answers_of_real_commands_carry_what_their_events_promise(town: Town) -> None:
    """Every id that an event names is found in its answer, for all that happened in this town."""
    with receiving() as receiver:
        hook(town, receiver.url, organisation="")
        card = town.sell(town.holder())
        town.pay(card, 100)
        turn(town)
        events = [msgspec.json.decode(one.body) for one in receiver.came]
    found = {event["type"]: sorted(event["data"]) for event in events}
    assert found == {
        "endpoint.added.v1": ["endpoint"],
        "holder.registered.v1": ["wallet"],
        "card.sold.v1": ["card"],
        "payment.captured.v1": ["merchant", "payment"],
    }
    assert system_now() - town.now < timedelta(minutes=5)


def _delivery(town: Town) -> Id:
    return Id(town.rows("SELECT id FROM webhook_delivery ORDER BY at, id LIMIT 1")[0][0].bytes)
