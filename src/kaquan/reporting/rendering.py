"""The forms in which a statement is read, by the ending of its file."""

from collections.abc import Mapping
from typing import Any

from kaquan.kernel.refusal import Language
from kaquan.reporting.checking import Render
from kaquan.reporting.layout import lay_out
from kaquan.reporting.pdf import pdf
from kaquan.reporting.workbook import workbook


def as_pdf(record: Mapping[str, Any], digest: str, language: Language) -> bytes:
    """The record as PDF."""
    return pdf(lay_out(record, digest, language))


def as_workbook(record: Mapping[str, Any], digest: str, language: Language) -> bytes:
    """The record as an Excel workbook."""
    return workbook(lay_out(record, digest, language))


FORMS: Mapping[str, Render] = {"pdf": as_pdf, "xlsx": as_workbook}
MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
