"""Relations between apps point downwards and leave no trace below: the hole that import-linter cannot see.

Django joins tables by strings ("papers.Paper") and gives the lower app an accessor back up (`paper.entry_set`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import models


def _package(model: type[models.Model]) -> str:
    """The package of the app that owns a table: "papers" for broadsheet.papers.models.Paper."""
    return model.__module__.split(".")[1]


def breaches(tables: list[type[models.Model]], depth: dict[str, int]) -> Iterator[str]:
    """One sentence for each relation between two apps that points up or sideways, or that is not hidden below."""
    for table in tables:
        for field in table._meta.get_fields():
            if not field.is_relation or not getattr(field, "concrete", False) or field.related_model is None:
                continue
            source, target = _package(table), _package(field.related_model)
            if source == target:
                continue
            if depth[target] <= depth[source]:
                yield f"{table.__name__}.{field.name} points from {source} up to {target}"
            if not field.remote_field.hidden:
                yield f'{table.__name__}.{field.name} shows itself in {target}: it needs related_name="+"'


def test_foreign_keys_point_downwards_and_are_hidden(contracts: Any) -> None:
    ours = [table for table in apps.get_models(include_auto_created=True) if table.__module__.startswith("broadsheet.")]
    assert list(breaches(ours, contracts.depth())) == []


@pytest.mark.parametrize(
    ("source", "target", "related_name", "expected"),
    [
        pytest.param("editions", "papers", "+", [], id="down and hidden"),
        pytest.param("editions", "editions", None, [], id="inside one app"),
        pytest.param("papers", "editions", "+", ["From.link points from papers up to editions"], id="up"),
        pytest.param("community", "evidence", "+", ["From.link points from community up to evidence"], id="sideways"),
        pytest.param(
            "editions", "papers", None, ['From.link shows itself in papers: it needs related_name="+"'], id="not hidden"
        ),
    ],
)
def test_a_breach_is_seen(
    contracts: Any, source: str, target: str, related_name: str | None, expected: list[str]
) -> None:
    def table(name: str, app: str, **fields: models.Field[Any, Any]) -> type[models.Model]:
        meta = type("Meta", (), {"app_label": f"{app}_sketch", "apps": registry})
        return type(name, (models.Model,), {"__module__": f"broadsheet.{app}.models", "Meta": meta, **fields})

    registry = type(apps)()
    to = table("To", target)
    link = models.ForeignKey(to, on_delete=models.CASCADE, related_name=related_name)
    assert list(breaches([table("From", source, link=link)], contracts.depth())) == expected
