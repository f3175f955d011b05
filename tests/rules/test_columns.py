"""Tables on a narrow terminal."""

from kaquan.cli.columns import GAP, fitted

ROWS = [
    ("Voucher", "Face value", "Counts from", "Why"),
    ("vch_01m86m04r9ephsb412zpcfgvc7", "3.76", "2026-11-24 19:10:32", "红包卡只能在受理本活动的门店使用"),
]


def test_a_table_that_has_room_is_as_wide_as_its_cells() -> None:
    assert fitted(ROWS, 200) == [30, 10, 19, 32]


def test_a_narrow_table_breaks_words_apart_and_never_an_id() -> None:
    fit = fitted(ROWS, 70)
    assert fit is not None and sum(fit) + GAP * 3 == 70
    assert (fit[0], fit[1] >= len("value"), fit[2] >= len("2026-11-24")) == (30, True, True)


def test_a_table_that_can_only_be_broken_is_not_one() -> None:
    least = 30 + 5 + 10 + 8 + GAP * 3
    assert fitted(ROWS, least) == [30, 5, 10, 8]
    assert fitted(ROWS, least - 1) is None
