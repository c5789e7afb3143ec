"""Days at the ends of the calendar, of which nobody can know anything."""

from __future__ import annotations

import pytest

from broadsheet.testing.cast import LANTERN


@pytest.mark.parametrize("form", ["", ".md", ".atom", ".json", ".bib"])
@pytest.mark.parametrize(
    "path",
    [
        *("/date/0001-01-01", "/date/0001-01-02", "/date/0001-01-08", "/date/9999-12-30", "/date/9999-12-31"),
        *("/week/0001-W01", "/week/9999-W52", "/month/0001-01", "/month/9999-12"),
    ],
)
def test_a_period_at_an_end_of_the_calendar_has_no_edition(press, get, path: str, form: str) -> None:
    press([LANTERN])
    assert get(f"{path}{form}").status_code == 404


def test_of_the_first_day_the_page_tells_what_it_tells_of_other_days(press, get) -> None:
    press([LANTERN])
    text = get("/date/0001-01-01").text
    assert "1 January" in text
    assert "/date/2024-01-02" in text
