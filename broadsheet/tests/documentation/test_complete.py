"""Everything that a person can type, set, open or run has its entry, and the documentation speaks of nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

import docs
from broadsheet import links
from broadsheet.cli.commands import broadsheet
from broadsheet.config import options

# Addresses that nobody opens: what pages load.
NO_PAGES = frozenset({"STATIC"})
REFERENCE = "docs/operator/commands.md"

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def pages(repository: Path) -> dict[str, str]:
    """Every page of the documentation: its path in the repository -> its text."""
    return {path.relative_to(repository).as_posix(): text for path, text in docs.pages()}


def _joined(pages: dict[str, str], *places: str) -> str:
    return "\n".join(text for name, text in pages.items() if name.startswith(places))


def _code(text: str) -> str:
    """Only what stands in code: fenced blocks and spans."""
    return "\n".join(match[0] for match in _CODE.finditer(text))


@pytest.fixture(scope="module")
def targets(repository: Path) -> set[str]:
    return set(re.findall(r"(?m)^([a-z][a-z-]*):", (repository / "Makefile").read_text(encoding="utf-8")))


def test_every_page_of_the_newspaper_is_explained_to_readers(pages: dict[str, str]) -> None:
    addresses = {
        name: value
        for name, value in vars(links).items()
        if name.isupper() and name not in NO_PAGES and value[:1] == "/"
    }
    explained = _code(_joined(pages, "docs/user/", "docs/operator/"))
    missing = [
        f"links.{name} ({value})"
        for name, value in addresses.items()
        if not re.search(rf"(?<![\w/}}]){re.escape(value)}(?![\w/{{])", explained)
    ]
    assert not missing, "no entry in docs/user or docs/operator:\n" + "\n".join(missing)


def test_every_command_is_part_of_a_task(pages: dict[str, str]) -> None:
    """The reference is generated and complete; that a command stands in it does not say when one needs it."""
    tasks = _code(_joined({name: text for name, text in pages.items() if name != REFERENCE}, "docs/", "README.md"))
    missing = [name for name, _command in docs.commands(broadsheet) if not re.search(rf"\b{name}\b", tasks)]
    assert not missing, "on no task page:\n" + "\n".join(missing)


def test_every_option_explains_itself() -> None:
    silent = [
        f"{name} {parameter.opts[0]}"
        for name, command in [("broadsheet", broadsheet), *docs.commands(broadsheet)]
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_every_make_target_explains_itself_and_is_documented(
    pages: dict[str, str], targets: set[str], repository: Path
) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    silent = sorted(target for target in targets if not re.search(rf"(?m)^{target}:.*## \S", makefile))
    assert not silent, f"no `## …` in the Makefile: {', '.join(silent)}"
    written = _code(_joined(pages, "docs/", "README.md"))
    missing = sorted(target for target in targets if not re.search(rf"make {target}\b(?!-)", written))
    assert not missing, f"in no page of the documentation: make {', make '.join(missing)}"


def test_every_problem_that_check_can_find_has_an_entry(pages: dict[str, str], repository: Path) -> None:
    sources = (repository / "broadsheet/src").rglob("*.py")
    known = {id_ for path in sources for id_ in re.findall(r'"(broadsheet\.[EWI]\d{3})"', path.read_text("utf-8"))}
    written = _joined(pages, "docs/operator/")
    assert known
    missing = sorted(id_ for id_ in known if id_ not in written)
    assert not missing, f"no entry in docs/operator: {', '.join(missing)}"


def test_every_setting_that_is_spoken_of_exists(pages: dict[str, str]) -> None:
    known = {option.environment for option in options.options()} | options.NOT_OURS
    removed = {f"{options.PREFIX}{name.upper()}" for name in options.REMOVED}
    spoken = set(re.findall(rf"\b{options.PREFIX}[A-Z_]*[A-Z]\b", _joined(pages, "docs/", "README.md")))
    assert spoken - known - removed == set()


def test_every_command_and_target_that_is_spoken_of_exists(pages: dict[str, str], targets: set[str]) -> None:
    known = {name.removeprefix("broadsheet ") for name, _command in docs.commands(broadsheet)}
    code = _code(_joined(pages, "docs/", "README.md"))
    commands = set(re.findall(r"(?m)(?:^|[`$;|&]|&& )\s*broadsheet ([a-z][\w-]*)", code))
    assert commands - known == set()
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) - targets == set()


def _anchors(text: str) -> set[str]:
    """The names that headings get on the usual forges: lower case, words joined by hyphens, punctuation dropped."""
    headings = re.findall(r"(?m)^#{1,6} (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _links(text: str) -> list[str]:
    """Relative links of a page, pictures included."""
    found = [first or second for first, second in _LINK.findall(_CODE.sub("", text))]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def test_every_link_leads_somewhere(pages: dict[str, str], repository: Path) -> None:
    broken = []
    for name, text in pages.items():
        for link in _links(text):
            path, _, anchor = link.partition("#")
            target = (repository / name).parent / unquote(path) if path else repository / name
            if not target.exists():
                broken.append(f"{name}: {link}")
            elif anchor and anchor not in _anchors(target.read_text(encoding="utf-8")):
                broken.append(f"{name}: {link} (no such heading)")
    assert not broken, "\n" + "\n".join(broken)


def test_every_page_can_be_reached_from_the_readme(pages: dict[str, str], repository: Path) -> None:
    """A link to a folder leads to every page in it, as it does where repositories are read."""
    reached: set[Path] = set()
    queue = [repository / "README.md"]
    while queue:
        page = queue.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        for link in _links(page.read_text(encoding="utf-8")):
            target = (page.parent / unquote(link.partition("#")[0])).resolve()
            queue += target.glob("*.md") if target.is_dir() else [target]
    lost = sorted(name for name in pages if name.startswith("docs/") and repository / name not in reached)
    assert not lost, "no link leads to:\n" + "\n".join(lost)
