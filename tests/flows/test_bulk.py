"""Bulk jobs on the real database: each row as if sent alone, those that fail, jobs cancelled, stopped, cleared."""

from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from kaquan.api import bulk_runner
from kaquan.api.bulk_rows import NAMES, carry_out, columns
from kaquan.api.bulk_runner import turn
from kaquan.api.errors import TOO_BUSY
from kaquan.api.problems import Problem
from kaquan.bulk import errors, rules, service
from kaquan.bulk.model import Came, JobState, Sent
from kaquan.commands.errors import CONTENT_INVALID, KEY_REUSED
from kaquan.commands.model import Kind
from kaquan.documents.jobs import failed_rows_csv, failure_document
from kaquan.identity.model import RevokeKey
from kaquan.identity.service import find_key
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.clock import system_now
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Refusal
from support.bulk import bulk_town, job_of, run_all, runner, send
from support.database import Database
from support.service import issue
from support.town import Town

PHONE = "13800138000"


@pytest.fixture
def town(database: Database) -> Town:
    return bulk_town(database)


def sales(town: Town, count: int) -> list[dict[str, object]]:
    wallet = public("wal", town.holder(f"139{town.counter:08}"))
    return [{"wallet": wallet, "program": town.program, "face_fen": 50_000} for _ in range(count)]


def cards(town: Town) -> int:
    return int(town.rows("SELECT count(*) FROM card")[0][0])


def test_every_row_is_carried_out_once_and_the_job_tells_how_far_it_is(town: Town, database: Database) -> None:
    job = send(town, "sell_card", sales(town, 60))
    waiting = job_of(town, job)
    assert (rules.state_word(waiting), rules.percent(waiting), rules.seconds_left(waiting)) == ("waiting", 0, None)
    with runner(database.app_url) as serving:
        assert turn(serving, Event())
        half = job_of(town, job)
        assert (rules.state_word(half), half.done, rules.percent(half)) == ("running", 50, 83)
        assert (rules.seconds_left(half) or 0) >= 0 and cards(town) == 50
        assert turn(serving, Event()) and not turn(serving, Event())
    done = job_of(town, job)
    assert (done.state, done.done, done.failed, cards(town)) == (JobState.DONE, 60, 0, 60)
    assert done.ended_us > 0 and rules.seconds_left(done) is None
    assert town.rows("SELECT count(*) FROM job_chunk WHERE content IS NOT NULL") == [(0,)]


def test_a_row_that_is_refused_fails_alone_and_its_file_can_be_sent_again(town: Town, database: Database) -> None:
    rows = sales(town, 5)
    rows[1]["face_fen"] = "a lot"
    rows[2]["face_fen"] = 12_345
    rows[3]["wallet"] = "wal_nobody"
    rows[4]["colour"] = "red"
    job = send(town, "sell_card", rows)
    run_all(database.app_url)
    told = job_of(town, job)
    assert (told.state, told.done, told.failed, cards(town)) == (JobState.DONE, 1, 4, 1)
    failed = service.failures(town.app.connection, town.app.master, job)
    assert [(one.row, one.code) for one in failed] == [
        (2, "request_invalid"),
        (3, "offer_unknown"),
        (4, "not_found"),
        (5, "request_invalid"),
    ]
    assert failed[0].details[0]["field"] == "face_fen" and "colour" not in failed[3].given
    english, chinese = (failure_document(failed[1], language) for language in ("en", "zh"))
    assert english["message"] != chinese["message"] and english["given"]["face_fen"] == 12_345
    again = rules.rows_of(failed_rows_csv(failed, columns("sell_card"), "en"), columns("sell_card"))
    assert isinstance(again, list) and again[1] == {**rows[2]}


def test_personal_data_is_sealed_gone_at_the_end_and_never_shown(town: Town, database: Database) -> None:
    rows = [{"name": "张三", "phone": PHONE}, {"name": "李四", "phone": f"{PHONE}9"}, {"phone": PHONE, PHONE: "x"}]
    job = send(town, "register_holder", [*rows, {"name": PHONE * 7}])
    sealed = town.rows("SELECT content FROM job_chunk")[0][0]
    assert PHONE.encode() not in sealed and "张三".encode() not in sealed
    run_all(database.app_url)
    told = job_of(town, job)
    assert (told.done, told.failed) == (1, 3)
    assert town.rows("SELECT content FROM job_chunk") == [(None,)]
    failed = service.failures(town.app.connection, town.app.master, job)
    texts = [failed_rows_csv(failed, columns("register_holder"), language) for language in ("en", "zh")]
    for text in (*texts, str([failure_document(one, "en") for one in failed])):
        assert "13800" not in text and "李四" not in text and rules.HIDDEN in text


def test_the_same_id_is_the_same_job_and_other_rows_under_it_are_refused(town: Town) -> None:
    rows = sales(town, 2)
    job = send(town, "sell_card", rows, key="bulk-1")
    app, at = town.app, town.app.door.at()
    sent = Sent("bulk-1", OPERATOR)
    again = service.submit(app.connection, app.master, sent, at, operation="sell_card", rows=rows)
    assert again == (job, True)
    other = service.submit(app.connection, app.master, sent, at, operation="sell_card", rows=rows[:1])
    assert other == Refusal(KEY_REUSED)
    assert town.rows("SELECT count(*), sum(row_count)::int FROM job") == [(1, 2)]


def test_a_cancelled_job_does_no_further_rows(town: Town, database: Database) -> None:
    job = send(town, "sell_card", sales(town, 120))
    with runner(database.app_url) as serving:
        assert turn(serving, Event())
        assert service.cancel(town.app.connection, job, system_now()) is None
        assert service.cancel(town.app.connection, job, system_now()) is None
        assert not turn(serving, Event())
    told = job_of(town, job)
    assert (told.state, told.done, cards(town)) == (JobState.CANCELLED, 50, 50)
    assert town.rows("SELECT count(*) FROM job_chunk WHERE content IS NOT NULL") == [(0,)]
    done = send(town, "sell_card", sales(town, 1))
    run_all(database.app_url)
    assert service.cancel(town.app.connection, done, system_now()) == Refusal(errors.JOB_ENDED)
    assert cards(town) == 51


def test_what_a_runner_is_at_is_finished_after_a_cancellation(town: Town, database: Database) -> None:
    job = send(town, "sell_card", sales(town, 120))
    app, now = town.app, system_now()
    assert service.take(app.connection, app.master, now) is not None  # somebody who will die
    assert service.cancel(app.connection, job, now) is None
    assert job_of(town, job).state is JobState.CANCELLING
    assert run_all(database.app_url) == 0
    town.rows("UPDATE job_chunk SET leased_until = 0 RETURNING 1")
    assert run_all(database.app_url) == 1
    told = job_of(town, job)
    assert (told.state, told.done, cards(town)) == (JobState.CANCELLED, 50, 50)


def test_a_job_stops_when_its_key_is_revoked(town: Town, database: Database) -> None:
    token = issue(town, Role.ISSUER, organisation="jingxi")
    job = send(town, "sell_card", sales(town, 120), token=token)
    with runner(database.app_url) as serving:
        assert turn(serving, Event())
        key = find_key(town.app.connection, token.split("_")[2])
        assert key is not None
        town.ok(Kind.REVOKE_KEY, RevokeKey(key=town.key(), caller=OPERATOR, api_key=key.id))
        assert turn(serving, Event()) and not turn(serving, Event())
    told = job_of(town, job)
    assert (told.state, told.reason, told.done, cards(town)) == (JobState.STOPPED, "token_revoked", 50, 50)
    assert town.rows("SELECT count(*) FROM job_chunk WHERE content IS NOT NULL") == [(0,)]


def test_a_key_whose_scopes_do_not_reach_carries_nothing_out(town: Town, database: Database) -> None:
    token = issue(town, Role.ISSUER, organisation="jingxi", scopes=("jobs:write",))
    job = send(town, "sell_card", sales(town, 1), token=token)
    run_all(database.app_url)
    assert (job_of(town, job).reason, cards(town)) == ("role_not_allowed", 0)


def test_what_takes_two_persons_waits_for_the_second(town: Town, database: Database) -> None:
    card = town.sell(town.holder())
    payment = public("pay", town.pay(card, 1_000).id)
    town.rows("UPDATE installation SET clock_offset_us = clock_offset_us + %s RETURNING 1", 60 * 86_400_000_000)
    token = issue(town, Role.ISSUER, organisation="jingxi")
    job = send(town, "refund_payment", [{"payment": payment, "late": True, "reason": "late"}], token=token)
    run_all(database.app_url)
    told = job_of(town, job)
    assert (told.asked, told.done, told.failed) == (1, 0, 0), service.failures(
        town.app.connection, town.app.master, job
    )
    assert town.rows("SELECT count(*) FROM refund") == [(0,)] and town.rows("SELECT count(*) FROM approval") == [(1,)]


def test_two_runners_at_once_do_every_row_once(town: Town, database: Database) -> None:
    jobs = [send(town, "sell_card", sales(town, 130)) for _ in range(2)]
    both = [Thread(target=run_all, args=[database.app_url]) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [job_of(town, job).done for job in jobs] == [130, 130] and cards(town) == 260
    assert town.rows("SELECT max(version) FROM job_chunk") == [(2,)], "a chunk was taken twice"


def test_who_comes_too_late_with_a_chunk_is_not_heard(town: Town, database: Database) -> None:
    job = send(town, "sell_card", sales(town, 3))
    app, now = town.app, system_now()
    late = service.take(app.connection, app.master, now)
    assert late is not None and service.take(app.connection, app.master, now) is None
    taken = service.take(app.connection, app.master, now + service.LEASE)
    assert taken is not None and taken.version == late.version + 1
    assert not service.record(app.connection, app.master, late, now, Came(done=3))
    assert job_of(town, job).done == 0
    assert service.record(app.connection, app.master, taken, now, Came(done=3))
    assert not service.record(app.connection, app.master, taken, now, Came(done=3))


def test_there_may_not_be_too_many_rows_or_jobs(town: Town) -> None:
    app, at = town.app, town.app.door.at()
    row = {"card": "9286"}
    for number in range(rules.JOBS_MAX):
        send(town, "freeze_card", [row], key=f"bulk-{number}")
    told = service.submit(app.connection, app.master, Sent("more", OPERATOR), at, operation="freeze_card", rows=[row])
    assert told == Refusal(errors.JOB_LIMIT_REACHED, {"jobs_max": rules.JOBS_MAX})
    for rows in ([], [row] * (rules.ROWS_MAX + 1)):
        sent = Sent("other", OPERATOR)
        refused = service.submit(app.connection, app.master, sent, at, operation="freeze_card", rows=rows)
        assert isinstance(refused, Refusal) and refused.code is errors.JOB_ROWS_OUT_OF_RANGE
    assert town.rows("SELECT count(*) FROM job") == [(rules.JOBS_MAX,)]


def test_jobs_are_forgotten_after_thirty_days(town: Town) -> None:
    send(town, "freeze_card", [{"card": "9286"}])
    at = town.app.door.at()
    assert service.clear(town.app.connection, at + timedelta(days=29)) == 0
    assert service.clear(town.app.connection, at + timedelta(days=31)) == 1
    assert town.rows("SELECT count(*) FROM job_chunk") == [(0,)]


def test_every_operation_tells_its_columns() -> None:
    assert all(columns(name) for name in NAMES)
    holder = columns("register_holder")
    assert {name for name, one in holder.items() if one.personal} == {"name", "phone", "id_number"}
    assert [columns("refund_payment")[name].kind for name in ("payment", "amount_fen", "late", "lines")] == [
        "text",
        "number",
        "flag",
        "numbers",
    ]


def test_a_voucher_is_claimed_by_each_row_and_whose_device_it_was_is_not_shown(
    town: Town, database: Database
) -> None:
    wallet = public("wal", town.holder())
    row = {"wallet": wallet, "program": town.program, "stock": "none", "device": "phone-7"}
    job = send(town, "claim_voucher", [row, {**row, "stock": 5}, {"wallet": wallet}])
    run_all(database.app_url)
    failed = service.failures(town.app.connection, town.app.master, job)
    assert [one.code for one in failed] == ["stock_unknown", "request_invalid", "request_invalid"]
    assert "phone-7" not in str(failed)


def test_what_nobody_can_answer_is_asked_again_later(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = send(town, "sell_card", sales(town, 3))
    asked: list[str] = []

    def busy_at_second(*arguments: Any) -> bool:
        asked.append(arguments[-1].wish)
        if len(asked) == 2:
            raise Problem(TOO_BUSY)
        return carry_out(*arguments)

    monkeypatch.setattr(bulk_runner, "carry_out", busy_at_second)
    monkeypatch.setattr(bulk_runner, "AGAIN_SECONDS", 0)
    with runner(database.app_url) as serving:
        monkeypatch.setattr(bulk_runner, "TRIES", 1)
        assert turn(serving, Event())
        assert job_of(town, job).decided == 0 and not turn(serving, Event())  # it rests
        town.rows("UPDATE job_chunk SET leased_until = 0 RETURNING 1")
        assert turn(serving, Event())
    assert (job_of(town, job).done, job_of(town, job).failed, cards(town)) == (3, 0, 3)
    assert len(asked) == 5 and len(set(asked)) == 3


def test_a_runner_that_is_told_to_stop_gives_its_chunk_back(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, stop = send(town, "sell_card", sales(town, 3)), Event()

    def stopping(*arguments: Any) -> bool:
        stop.set()
        return carry_out(*arguments)

    monkeypatch.setattr(bulk_runner, "carry_out", stopping)
    with runner(database.app_url) as serving:
        assert not turn(serving, stop) and cards(town) == 1
    assert run_all(database.app_url) == 1
    assert (job_of(town, job).done, cards(town)) == (3, 3)


def test_a_row_that_breaks_on_our_side_fails_alone(
    town: Town, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = send(town, "sell_card", sales(town, 3))

    def broken_at_second(*arguments: Any) -> bool:
        if arguments[-1].wish.endswith("-2"):
            raise ValueError("broken")
        return carry_out(*arguments)

    monkeypatch.setattr(bulk_runner, "carry_out", broken_at_second)
    run_all(database.app_url)
    failed = service.failures(town.app.connection, town.app.master, job)
    assert [(one.row, one.code) for one in failed] == [(2, "internal_fault")] and cards(town) == 2


def test_what_can_not_be_kept_is_refused_and_nothing_is(town: Town) -> None:
    app, rows = town.app, [{"card": "9286", "reason": "\ud800"}]
    sent = Sent(town.key(), OPERATOR)
    told = service.submit(app.connection, app.master, sent, app.door.at(), operation="freeze_card", rows=rows)
    assert told == Refusal(CONTENT_INVALID)
    assert town.rows("SELECT count(*) FROM job") == [(0,)]
