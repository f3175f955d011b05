"""A bulk job over HTTP: sent, carried out by a runner beside, its failed rows fetched in either language and form."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event

import httpx2
import pytest

from kaquan.api.errands import running
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import public
from support.bulk import run_all, runner
from support.database import Database
from support.service import client, issue, served
from support.town import Town, build

PHONE = "13800138000"


class Desk(Town):
    """A town with an issuer's key."""

    issuer_key: httpx2.Client
    database: Database

    def send(self, key: str, **body: object) -> httpx2.Response:
        """Send a job."""
        return self.issuer_key.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})

    def jobs(self) -> int:
        """How many jobs there are."""
        return int(self.rows("SELECT count(*) FROM job")[0][0])


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    town = build(database.app_url, ("activation_days = 1", "activation_days = 0"))
    desk = Desk(**vars(town))
    desk.app.door._now = lambda: desk.now
    desk.database = database
    with ExitStack() as stack:
        address = stack.enter_context(served(database, desk))
        desk.issuer_key = stack.enter_context(client(address, issue(desk, Role.ISSUER, organisation="jingxi")))
        yield desk


def test_people_are_registered_by_a_file_and_no_number_comes_back(desk: Desk) -> None:
    text = f"name,phone\n张三,{PHONE}\n李四,{PHONE}\n王五,1380013\n"
    sent = desk.send("bulk-1", operation="register_holder", csv=text)
    assert sent.status_code == 200, sent.text
    assert (sent.json()["state"], sent.json()["rows"], sent.json()["replayed"]) == ("waiting", 3, False)
    again = desk.send("bulk-1", operation="register_holder", csv=text)
    assert again.json()["job"] == sent.json()["job"] and again.headers["idempotent-replayed"] == "true"
    other = desk.send("bulk-1", operation="register_holder", csv=text.replace("张三", "张四"))
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    run_all(desk.database.app_url)
    path = f"/v1/jobs/{sent.json()['job']}"
    told = desk.issuer_key.get(path).json()
    assert (told["state"], told["done"], told["failed"], told["percent"]) == ("done", 1, 2, 100)
    assert [one["job"] for one in desk.issuer_key.get("/v1/jobs").json()["items"]] == [told["job"]]
    english = desk.issuer_key.get(f"{path}/failed", headers={"Accept-Language": "en"})
    chinese = desk.issuer_key.get(f"{path}/failed", headers={"Accept-Language": "zh"})
    as_json = desk.issuer_key.get(f"{path}/failed", headers={"Accept": "application/json"})
    assert english.headers["content-type"] == "text/csv; charset=utf-8"
    assert "holder_exists" in english.text and "手机号" in chinese.text
    assert [(one["row"], one["code"]) for one in as_json.json()["items"]] == [
        (2, "holder_exists"),
        (3, "phone_invalid"),
    ]
    assert not any("1380" in one.text or "李" in one.text for one in (english, chinese, as_json))
    named = desk.rows("SELECT operation, outcome, person FROM audit WHERE operation = 'register_holder' ORDER BY at")
    assert [outcome for _, outcome, _ in named] == ["ok", "holder_exists", "phone_invalid"]


def test_what_no_job_can_be_of_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    wrong: list[tuple[str, dict[str, object]]] = [
        ("request_invalid", {"operation": "issue_key", "rows": [{}]}),
        ("request_invalid", {"operation": "sell_card"}),
        ("request_invalid", {"operation": "sell_card", "rows": [{}], "csv": "wallet\n"}),
        ("request_invalid", {"operation": "sell_card", "rows": [{}] * 5_001}),
        ("job_rows_out_of_range", {"operation": "sell_card", "csv": "wallet\n"}),
        ("job_csv_invalid", {"operation": "sell_card", "csv": f"{PHONE}\n1\n"}),
    ]
    for code, body in wrong:
        told = desk.send(desk.key(), **body)
        assert (told.status_code, told.json()["code"]) == (400, code) and PHONE not in told.text
    rows = [{"card": "9286", "reason": "lost"}]
    body = {"operation": "freeze_card", "rows": rows}
    assert desk.issuer_key.post("/v1/jobs", json=body).json()["code"] == "idempotency_key_missing"
    taken = desk.send("job-06f8kzq4m5w7v2n9r3t1x0y6ba-1", **body)
    assert taken.json()["code"] == "idempotency_key_reserved"
    dry = desk.issuer_key.post("/v1/jobs?dry_run=true", json=body)
    assert dry.json()["rows"] == 1 and dry.json()["job"] is None
    assert desk.jobs() == 0


def test_hostile_rows_break_nothing(desk: Desk) -> None:
    nested = desk.send(desk.key(), operation="freeze_card", rows=[{"card": {"number": "9286"}}])
    assert nested.status_code == 400 and "flag" in nested.text
    for hostile in (
        r'"\ud800"',
        "[" * 900 + "]" * 900,
        "[" * 50_000,
        "1" * 5_000,
        "NaN",
        r'"\u0000"',
        "1e400",
        "7" * 40,
    ):
        content = f'{{"operation": "freeze_card", "rows": [{{"card": {hostile}, "reason": "lost"}}]}}'
        headers = {"Idempotency-Key": desk.key(), "Content-Type": "application/json"}
        told = desk.issuer_key.post("/v1/jobs", content=content, headers=headers)
        assert told.status_code in (200, 400), told.text
    run_all(desk.database.app_url)
    assert desk.jobs() == 3
    for one in desk.issuer_key.get("/v1/jobs").json()["items"]:
        failed = desk.issuer_key.get(f"/v1/jobs/{one['job']}/failed", headers={"Accept": "application/json"})
        assert [row["code"] for row in failed.json()["items"]] == ["request_invalid"]


def test_a_serving_process_carries_out_what_is_sent(desk: Desk) -> None:
    wallet = public("wal", desk.holder())
    rows = [{"wallet": wallet, "program": "jingxika", "face_fen": 50_000}] * 60
    with runner(desk.database.app_url) as serving, running(serving):
        job = desk.send("bulk-1", operation="sell_card", rows=rows).json()["job"]
        waited = Event()
        for _ in range(600):
            told = desk.issuer_key.get(f"/v1/jobs/{job}").json()
            if told["state"] == "done":
                break
            waited.wait(0.1)
    assert (told["done"], told["seconds_left"]) == (60, None)
    assert desk.rows("SELECT count(*) FROM card") == [(60,)]


def test_jobs_are_listed_page_by_page(desk: Desk) -> None:
    body = {"operation": "freeze_card", "rows": [{"card": "9286", "reason": "lost"}]}
    sent = [desk.send(f"bulk-{number}", **body).json()["job"] for number in range(5)]
    listed: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        told = desk.issuer_key.get("/v1/jobs", params={"limit": 2, **({"after": cursor} if cursor else {})}).json()
        listed += [one["job"] for one in told["items"]]
        cursor = told["next"]
    assert listed == sent[::-1]
    assert desk.issuer_key.get("/v1/jobs", params={"after": "nothing"}).status_code == 400
