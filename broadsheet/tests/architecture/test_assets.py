"""Every template and every static file is used, and every one that is asked for exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import allauth
import pytest

# Django renders these by name when nobody else does: https://docs.djangoproject.com/en/5.2/ref/views/#error-views
ERROR_PAGES = frozenset({"400.html", "403.html", "404.html", "500.html"})

ALLAUTH = Path(allauth.__file__).parent

_TEMPLATE_NAME = re.compile(r"""["']((?:[\w-]+/)*[\w.-]+\.(?:html|txt|xml|md))["']""")
_STATIC_NAME = re.compile(r"""\b(?:asset|static)\(\s*["']([^"']+)["']\s*\)""")
_STYLE_NAME = re.compile(r"""\burl\(\s*["']?(?!data:|#)([^"')]+)["']?\s*\)""")


@pytest.fixture(scope="module")
def web(repository: Path) -> Path:
    return repository / "broadsheet/src/broadsheet/web"


@pytest.fixture(scope="module")
def sources(web: Path) -> dict[Path, str]:
    """What can name a file: Python, templates, style sheets and scripts."""
    kinds = {".py", ".html", ".txt", ".xml", ".css", ".js"}
    paths = [*web.rglob("*"), *(web.parent / "config").rglob("*.py")]
    return {path: path.read_text(encoding="utf-8") for path in paths if path.suffix in kinds}


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _named(pattern: re.Pattern[str], sources: dict[Path, str], folder: Path) -> dict[str, set[str]]:
    """Each name that matches, with the files that say it. A file that only names itself is not used."""
    found: dict[str, set[str]] = {}
    for path, text in sources.items():
        own = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
        for match in pattern.finditer(text):
            name = next(filter(None, match.groups()))
            if name != own:
                found.setdefault(name, set()).add(path.name)
    return found


def test_every_template_is_used(web: Path, sources: dict[Path, str]) -> None:
    used = set(_named(_TEMPLATE_NAME, sources, web / "templates"))
    said = "".join(text for path, text in sources.items() if path.suffix == ".py") + _code_of_allauth()
    unused = _files(web / "templates") - used - ERROR_PAGES
    assert {name for name in unused if not _is_said_in_part(name, said)} == set()


def _is_said_in_part(name: str, said: str) -> bool:
    """Whether the template stands in place of one of django-allauth, or is asked for without the end of its name."""
    stem = re.sub(r"(_message|_subject)?\.\w+$", "", name)
    return (ALLAUTH / "templates" / name).exists() or f'"{stem}"' in said or f'"{stem}."' in said


@cache
def _code_of_allauth() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in ALLAUTH.rglob("*.py"))


def test_every_template_that_is_asked_for_exists(web: Path, sources: dict[Path, str]) -> None:
    """Only names in a template or in a call of `render` count; other texts may look like a file's name."""
    asked = re.compile(
        r"""(?:\{%-?\s*(?:extends|include|import|from)\s+|render\w*\([^()]*?|template\w*\s*[:=]\s*)["']([\w/.-]+\.\w+)["']"""
    )
    missing = {name: by for name, by in _named(asked, sources, web).items() if not (web / "templates" / name).exists()}
    assert missing == {}


def _static(web: Path, sources: dict[Path, str]) -> dict[str, set[str]]:
    styles = {path: text for path, text in sources.items() if path.suffix == ".css"}
    return _named(_STATIC_NAME, sources, web / "static") | _named(_STYLE_NAME, styles, web / "static")


def test_every_static_file_is_used(web: Path, sources: dict[Path, str]) -> None:
    assert _files(web / "static") - set(_static(web, sources)) == set()


def test_every_static_file_that_is_asked_for_exists(web: Path, sources: dict[Path, str]) -> None:
    assert {name: by for name, by in _static(web, sources).items() if not (web / "static" / name).exists()} == {}


def test_pages_ask_nobody_else(web: Path, sources: dict[Path, str]) -> None:
    """No page loads a script, a style, a font or a picture from another host."""
    loads = re.compile(
        r"""(?:<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)=|url\(|@import\s)["'\s(]*(?:https?:)?//"""
    )
    assert [path.name for path, text in sources.items() if path.suffix != ".py" and loads.search(text)] == []
