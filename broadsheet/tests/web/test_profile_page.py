"""The page of a person: what she shows everybody, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.test import Client

from broadsheet.community.actions import picks
from broadsheet.library import actions as keeping
from broadsheet.papers import queries as papers
from broadsheet.testing import people
from broadsheet.testing.cast import LANTERN


def test_a_profile_shows_what_the_person_shows_everybody(press: Any, db: None) -> None:
    press([LANTERN])
    row, curator = papers.find("2401.00001"), people.curator()
    assert row is not None
    keeping.place(by=curator, shelf=keeping.make_shelf(by=curator, name="Lamps", is_public=True), papers_=[row.id])
    keeping.make_shelf(by=curator, name="Not for everybody")
    picks.pick_paper(by=curator, paper_id=row.id, day=date(2024, 1, 2), note="Read this one.")
    text = Client().get("/people/dorde").text
    assert "Lamps" in text
    assert "Read this one." in text
    assert "Not for everybody" not in text
    assert "Flag this person" not in text
    assert "Flag this person" in people.signed_in(Client(), people.ada()).get("/people/dorde").text
