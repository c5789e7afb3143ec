"""Categories of arXiv have names that tell them apart."""

from __future__ import annotations

from collections import Counter

import pytest

from broadsheet.bibliography.taxonomy import CATEGORIES


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("cs.LG", "Machine Learning"),
        ("stat.ML", "Machine Learning (Statistics)"),
        ("cond-mat.str-el", "Strongly Correlated Electrons"),
        ("hep-th", "High Energy Physics: Theory"),
        ("q-bio.GN", "Genomics"),
    ],
)
def test_a_category_has_the_name_of_the_taxonomy(category: str, name: str) -> None:
    assert CATEGORIES[category] == name


def test_all_155_categories_are_there_and_only_one_has_two_codes() -> None:
    assert len(CATEGORIES) == 155
    assert [name for name, times in Counter(CATEGORIES.values()).items() if times > 1] == ["Mathematical Physics"]
