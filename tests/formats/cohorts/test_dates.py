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
        ("2020-13-01", "a month that the calendar does not have"),
        ("31/31/2020", "a month that the calendar does not have"),
        ("2020-01-31 25:00", "a time of day that the clock does not have"),
        ("0202-01-31", "a year that is out of range"),
        ("20年1月31日", "a date with a short year"),
        ("1/2/20", "a date with a short year"),
        ("2020-01", "a date without a day"),
        ("2020年1月", "a date without a day"),
        ("43861", "a number"),
        ("soon", "text"),
    ],
)
def test_times_calendars_and_errors(text, expected):
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
