"""Bulk jobs and their failed rows, as documents and as CSV."""

from collections.abc import Sequence
from typing import Any

from kaquan.bulk import rules
from kaquan.bulk.model import PREFIX, Columns, Failure, Job
from kaquan.documents.answers import instant, refusal_document
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import CATALOGUE, Language, Refusal


def job_document(job: Job) -> dict[str, Any]:
    """A job and how far it is. `seconds_left` is an estimate, None when there is none."""
    return {
        "job": public(PREFIX, job.id),
        "operation": job.operation,
        "state": rules.state_word(job),
        "reason": job.reason,
        "rows": job.rows,
        "done": job.done,
        "failed": job.failed,
        "waiting_for_approval": job.asked,
        "percent": rules.percent(job),
        "seconds_left": rules.seconds_left(job),
        "sent_at": instant(job.at_us),
        "ended_at": instant(job.ended_us),
    }


def failure_document(failure: Failure, language: Language) -> dict[str, Any]:
    """A row that failed: its number, what may be shown of it, why, and the way out."""
    told = refusal_document(Refusal(CATALOGUE[failure.code], failure.facts), language)
    return {
        "row": failure.row,
        "given": failure.given,
        "code": failure.code,
        "message": told["message"],
        "remedy": told["remedy"],
        "details": failure.details,
    }


def failed_rows_csv(failures: Sequence[Failure], columns: Columns, language: Language) -> str:
    """The rows that failed as a file: corrected, it can be sent again."""
    told = [failure_document(one, language) for one in failures]
    own = list(columns)
    names = ("row", *own, "code", "message", "remedy")
    given = [[one["row"], *map(one["given"].get, own), one["code"], one["message"], one["remedy"]] for one in told]
    return rules.table(names, given)
