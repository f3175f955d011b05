"""Bulk jobs: send many rows of one operation, see how far they are, fetch those that failed, cancel the rest."""

from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import Response
from pydantic import Field, field_validator

from kaquan.api.admission import admitted
from kaquan.api.authorization import ISSUERS, organisation_seen
from kaquan.api.bulk_rows import BulkOperation, columns
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND, REQUEST_INVALID
from kaquan.api.fields import PAGE_MAX, After, Body, Limit, PathText
from kaquan.api.limits import BODY_BYTES_MAX
from kaquan.api.objects import identity
from kaquan.api.operations import OPERATIONS
from kaquan.api.pages import part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.bulk import rules, service
from kaquan.bulk.model import PREFIX, Job, Row, Sent
from kaquan.documents.jobs import failed_rows_csv, failure_document, job_document
from kaquan.kernel import clock
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Refusal

routes = Routes("jobs", "批量任务 Bulk jobs")


class Submission(Body):
    """Rows of one operation, as `rows` or as `csv`. A row holds what the operation's path names and its body."""

    operation: BulkOperation
    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=rules.ROWS_MAX)] | None = None
    csv: (
        Annotated[
            str,
            Field(
                max_length=BODY_BYTES_MAX,
                description="A file whose first line names columns; lists are separated by spaces.",
            ),
        ]
        | None
    ) = None

    @field_validator("rows")
    @classmethod
    def flat(cls, rows: list[Row] | None) -> list[Row] | None:
        """No operation takes more: a row is flat, at most with lists in it."""
        for row in rows or ():
            for given in row.values():
                if any(isinstance(one, dict | list) for one in (given if isinstance(given, list) else (given,))):
                    raise ValueError("a value is text, a whole number, a flag, or a list of those")
        return rows


_EXAMPLE = {
    "operation": "sell_card",
    "rows": [{"wallet": "$wallet", "program": "$program", "face_fen": 50_000}],
}


@routes.writes("/jobs", ISSUERS, example=_EXAMPLE, owned=False)
def submit_job(call: Call, body: Submission) -> dict[str, Any]:
    """提交批量任务 Send many rows of one operation

    Each is carried out as if it had been sent alone, by the same rules and in the name of this key: a row that is
    refused stops no other. Personal data is sealed, and gone when the job has ended.
    """
    admitted(call.api_key, OPERATIONS[body.operation])
    rows = _rows(body)
    key = call.key
    if call.dry_run:
        if refusal := rules.count_refused(len(rows)):
            raise Problem.of(refusal)
        return _sent(None, "waiting", len(rows), replayed=False)
    sent = Sent(key, call.caller, call.api_key.id)
    app = call.app
    made = service.submit(app.connection, app.master, sent, app.door.at(), operation=body.operation, rows=rows)
    if isinstance(made, Refusal):
        raise Problem.of(made)
    job, replayed = made
    found = service.find(app.connection, job)
    if found is None:
        raise Problem(NOT_FOUND)
    if replayed:
        call.headers["idempotent-replayed"] = "true"
    return _sent(public(PREFIX, job), rules.state_word(found), found.rows, replayed=replayed)


@routes.reads("/jobs", ISSUERS, owned=False)
def list_jobs(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出批量任务 The organisation's jobs, the latest first; kept for 30 days"""
    owner = organisation_seen(call.caller)
    place = typed_place(after, int, str)
    behind = None if place is None else (place[0], place_id(place[1]))
    if behind is not None and not 0 <= behind[0] < 2**63:
        raise Problem(REQUEST_INVALID, {"where": "after"})
    found = service.listed(call.app.connection, owner, behind, limit + 1)
    return part(found, lambda one: (one.at_us, one.id.hex()), limit, job_document)


@routes.reads("/jobs/{job}", ISSUERS)
def show_job(call: Call, job: PathText) -> dict[str, Any]:
    """查看批量任务 How far a job is: counts, percent, an estimate of the seconds left"""
    return job_document(_own(call, job))


@routes.reads("/jobs/{job}/failed", ISSUERS, also="text/csv")
def list_failed_rows(call: Call, job: PathText, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Any:
    """失败的行 The rows that failed, with the reason in the language asked for

    A CSV file unless `Accept` asks for application/json. Personal data is not shown. Corrected, the file can be sent
    again as it is.
    """
    found = _own(call, job)
    failed = service.failures(call.app.connection, call.app.master, found.id)
    if "application/json" in accept:
        return {"items": [failure_document(one, call.words.language) for one in failed], "next": None}
    told = failed_rows_csv(failed, columns(found.operation), call.words.language)
    name = f'attachment; filename="{public(PREFIX, found.id)}-failed.csv"'
    return Response(told, media_type="text/csv; charset=utf-8", headers={"content-disposition": name})


@routes.writes("/jobs/{job}/cancel", ISSUERS)
def cancel_job(call: Call, job: PathText) -> dict[str, Any]:
    """取消批量任务 Carry out no further rows; what is done stays done"""
    found, _ = _own(call, job), call.key
    connection = call.app.connection
    if not call.dry_run and (refusal := service.cancel(connection, found.id, clock.system_now())):
        raise Problem.of(refusal)
    now = found if call.dry_run else service.find(connection, found.id) or found
    return {**job_document(now), "dry_run": call.dry_run}


def _rows(body: Submission) -> list[Row]:
    """The rows in whichever form they came. Raises `Problem`."""
    if (body.rows is None) == (body.csv is None):
        raise Problem(REQUEST_INVALID, {"where": "rows, csv"})
    if body.csv is None:
        return body.rows or []
    read = rules.rows_of(body.csv, columns(body.operation))
    if isinstance(read, Refusal):
        raise Problem.of(read)
    return read


def _sent(job: str | None, state: str, rows: int, *, replayed: bool) -> dict[str, Any]:
    return {
        "outcome": "effect",
        "replayed": replayed,
        "dry_run": job is None,
        "job": job,
        "state": state,
        "rows": rows,
    }


def _own(call: Call, text: str) -> Job:
    found = service.find(call.app.connection, identity(PREFIX, text))
    if found is None:
        raise Problem(NOT_FOUND)
    call.objects.kept(found.organisation)
    return found
