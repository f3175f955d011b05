"""What a contest came to, as a table."""

from support.contest_books import Verdict

SHOWN_WRONG = 20


def shown(verdict: Verdict) -> str:
    """Counts, answers by kind, and what was wrong."""
    rows = [
        ("commands sent", f"{verdict.sent:,} under {verdict.distinct:,} keys, and {verdict.retries:,} retries"),
        ("typed at the command line", f"{verdict.lines:,}"),
        *((kind.lower().replace("_", " "), _told(codes)) for kind, codes in sorted(verdict.codes.items())),
        *((what, f"{count:,}") for what, count in verdict.facts.items()),
        ("proofs while all wrote", f"{verdict.proved:,}"),
        ("sent again at the end", f"{verdict.replayed:,}"),
        ("wrong", f"{len(verdict.wrong)}"),
        *(("", one) for one in verdict.wrong[:SHOWN_WRONG]),
    ]
    return "\n".join(f"{what:>28}  {told}" for what, told in rows)


def _told(codes: dict[str, int]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items(), key=lambda one: -one[1]))
