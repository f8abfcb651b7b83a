"""Dates in the styles people write, and the typing errors they make."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.cohorts.dates import parse_date
from tests.formats.cohorts.reading import at, read_all, told, variable, written

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31))
STYLES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d-%b-%Y",
    "%d%b%Y",
    "%B %d, %Y",
    "%Y年%m月%d日",
)


@given(day=DAYS, style=st.sampled_from(STYLES))
def test_styles_that_leave_no_doubt(day, style):
    assert parse_date(day.strftime(style)) == datetime.combine(day, datetime.min.time())


@given(day=DAYS, order=st.sampled_from(["dmy", "mdy"]))
def test_an_order_that_was_said(day, order):
    text = day.strftime("%d/%m/%Y" if order == "dmy" else "%m/%d/%Y")
    assert parse_date(text, order) == datetime.combine(day, datetime.min.time())


@given(day=DAYS)
def test_without_an_order_nothing_is_guessed(day):
    found = parse_date(day.strftime("%d/%m/%Y"))
    if day.day <= 12 and day.day != day.month:
        assert found == "a date whose day and month cannot be told apart"
    else:
        assert found == datetime.combine(day, datetime.min.time())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-31 13:05", at(2020, 1, 31, 13, 5)),
        ("2020-01-31T13:05:22.5Z", at(2020, 1, 31, 13, 5, 22)),
        ("民国109年1月31日", at(2020, 1, 31)),
        ("２０２０年１月３１日", at(2020, 1, 31)),
        ("2020年1月31号 08:30", at(2020, 1, 31, 8, 30)),
        ("2020-02-30", "a day that the calendar does not have"),
        ("2021-02-29", "a day that the calendar does not have"),
        ("2020-13-01", "a month that the calendar does not have (day and month swapped?)"),
        ("2020-13-31", "a month that the calendar does not have"),
        ("2020年31月1日", "a month that the calendar does not have (day and month swapped?)"),
        ("2020-00-10", "a month that the calendar does not have"),
        ("2020-01-00", "a day that the calendar does not have"),
        ("2109-01-31", "a year that is out of range"),
        ("2020-01-31T23:05:00+08:00", at(2020, 1, 31, 23, 5)),
        ("31/31/2020", "a month that the calendar does not have"),
        ("2020-01-31 25:00", "a time of day that the clock does not have"),
        ("0202-01-31", "a year that is out of range"),
        ("20年1月31日", "a date with a short year"),
        ("1/2/20", "a date with a short year"),
        ("2020-01", "a date without a day"),
        ("2020年1月", "a date without a day"),
        ("43861", "a number, perhaps a spreadsheet's count of days"),
        ("43861.5", "a number, perhaps a spreadsheet's count of days"),
        ("1.2.3.4", "a number"),
        ("9999999", "a number"),
        ("soon", "text"),
    ],
)
def test_times_calendars_and_errors(text, expected):
    assert parse_date(text) == expected


@given(
    day=DAYS.filter(lambda day: day.year > 1911), style=st.sampled_from(["年 月 日", "/ / ", "- - ", ". . "])
)
def test_years_of_the_republic_of_china(day, style):
    signs = [sign.strip() for sign in style.split(" ")]
    parts = (day.year - 1911, day.month, day.day)
    text = "".join(f"{part}{sign}" for part, sign in zip(parts, signs, strict=True))
    for name in ("民国", "民國", "中华民国", "中華民國 "):
        assert parse_date(name + text) == datetime.combine(day, datetime.min.time())
    assert isinstance(parse_date(text), str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("民国元年1月1日", at(1912, 1, 1)),
        ("民国9年10月10日", at(1920, 10, 10)),
        ("民国０９８年１０月１０日", at(2009, 10, 10)),
        ("民国0年1月1日", "a year that is out of range"),
        ("民国2020年1月31日", "a year that is out of range"),
        ("民国109年13月1日", "a month that the calendar does not have (day and month swapped?)"),
        ("民国109年2月30日", "a day that the calendar does not have"),
        ("民国109年0月1日", "a month that the calendar does not have"),
        ("民国108年2月29日", "a day that the calendar does not have"),
        ("民国109年1月", "a date of the Republic of China that is not read"),
        ("民国前3年1月1日", "a date of the Republic of China that is not read"),
        ("109年1月31日", "a date with a three-digit year"),
        ("109/01/31", "a date with a three-digit year"),
        ("1090131", "a date with a three-digit year"),
        ("元年1月1日", "text"),
        ("农历2020年1月31日", "a date of the lunar calendar"),
        ("農曆庚子年正月初一", "a date of the lunar calendar"),
        ("阴历五月初五", "a date of the lunar calendar"),
        ("2020年腊月廿三", "a date of the lunar calendar"),
        ("2020年闰四月初一", "a date of the lunar calendar"),
        ("二〇二〇年一月三十一日", "a date in Chinese numerals"),
    ],
)
def test_chinese_calendars_and_their_typing_errors(text, expected):
    assert parse_date(text) == expected


def test_a_column_of_dates_tells_what_it_could_not_read(tmp_path):
    path = written(tmp_path / "c.csv", "d,n\n2020-01-31,1\n03/04/2020,1\n2020-02-30,1\n,1\nNA,1\n")
    values, problems, _, _ = read_all(path, variable("d", "date"))
    assert values["d"] == [at(2020, 1, 31), None, None, None, None]
    assert told(problems) == [
        ("d", "a date whose day and month cannot be told apart", [3]),
        ("d", "a day that the calendar does not have", [4]),
    ]
    values, *_ = read_all(path, variable("d", "date"), date_order="dmy")
    assert values["d"][1] == at(2020, 4, 3)
