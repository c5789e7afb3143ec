"""How the pretended arXiv writes its answers, in the shapes of recorded ones: OAI-PMH, Atom, RSS, listing pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape

from broadsheet.bibliography.taxonomy import CATEGORIES
from broadsheet.sources.base import AnnouncementKind
from broadsheet.testing.arxiv_calendar import EASTERN
from broadsheet.testing.arxiv_history import Listed, State, Work

_PHYSICS = frozenset(
    {"astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nlin", "nucl-ex"}
    | {"nucl-th", "physics", "quant-ph"}
)
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" \n\
         xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
    <responseDate>{at}</responseDate>
    <request{query}>http://oaipmh.arxiv.org/oai</request>
{body}
</OAI-PMH>
"""
_HEADINGS = (
    ("New submissions", "", (AnnouncementKind.NEW,)),
    ("Cross submissions", "cross", (AnnouncementKind.CROSS,)),
    ("Replacement submissions", "replaced", (AnnouncementKind.REPLACE, AnnouncementKind.REPLACE_CROSS)),
)


def _x(text: str) -> str:
    return escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def set_spec(category: str) -> str:
    """The OAI set of a category or archive: ``cs:cs:AI``, ``physics:hep-th``, ``cs``."""
    archive, _, code = category.partition(".")
    group = "physics" if archive in _PHYSICS else archive
    if code:
        return f"{group}:{archive}:{code}"
    return f"{group}:{archive}" if archive in _PHYSICS else archive


def oai(body: str, *, at: datetime, query: Mapping[str, str]) -> bytes:
    """An OAI-PMH answer around its body."""
    given = "".join(f' {name}="{_x(value)}"' for name, value in query.items())
    return _HEAD.format(at=f"{at:%Y-%m-%dT%H:%M:%SZ}", query=given, body=body).encode()


def identify() -> str:
    """What the server says of itself."""
    return """    <Identify>
        <repositoryName>arXiv</repositoryName>
        <baseURL>http://oaipmh.arxiv.org/oai</baseURL>
        <protocolVersion>2.0</protocolVersion>
        <adminEmail>help@example.org</adminEmail>
        <earliestDatestamp>2005-09-16</earliestDatestamp>
        <deletedRecord>persistent</deletedRecord>
        <granularity>YYYY-MM-DD</granularity>
    </Identify>"""


def record(work: Work, state: State, prefix: str) -> str:
    """A record of ListRecords, in the format `arXiv` or `arXivRaw`; only its header when the work was deleted."""
    sets = "".join(f"\n            <setSpec>{set_spec(name)}</setSpec>" for name in state.categories)
    status = ' status="deleted"' if state.deleted else ""
    header = f"""<record>
                <header{status}>
        <identifier>oai:arXiv.org:{work.identifier}</identifier>
        <datestamp>{state.at:%Y-%m-%d}</datestamp>{sets}
    </header>
"""
    if state.deleted:
        return f"{header}        </record>"
    body = _raw(work, state) if prefix == "arXivRaw" else _split(work, state)
    return f"""{header}
            <metadata>
                        <{prefix} xmlns="http://arxiv.org/OAI/{prefix}/">
{body}
    </{prefix}>

            </metadata>
        </record>"""


def _raw(work: Work, state: State) -> str:
    versions = "".join(
        f"""
            <version version="v{number}">
                <date>{at:%a, %d %b %Y %H:%M:%S} GMT</date>
                <size>{100 + number}kb</size>
                    <source_type>D</source_type>
            </version>"""
        for number, at in enumerate(work.submitted_at[: state.versions], 1)
    )
    return f"""        <id>{work.identifier}</id>
        <submitter>{_x(work.draft.authors[0])}</submitter>{versions}
        <title>{_x(work.draft.title)}</title>
        <authors>{_x(", ".join(work.draft.authors))}</authors>
{_tail(work, state)}"""


def _split(work: Work, state: State) -> str:
    authors = "".join(
        f"<author><keyname>{_x(family)}</keyname><forenames>{_x(given)}</forenames></author>"
        for given, _, family in (name.rpartition(" ") for name in work.draft.authors)
    )
    updated = f"<updated>{work.submitted_at[state.versions - 1]:%Y-%m-%d}</updated>" if state.versions > 1 else ""
    return f"""        <id>{work.identifier}</id><created>{work.submitted_at[0]:%Y-%m-%d}</created>{updated}
        <authors>{authors}</authors>
        <title>{_x(work.draft.title)}</title>
{_tail(work, state)}"""


def _tail(work: Work, state: State) -> str:
    comments = f"\n            <comments>{_x(work.draft.comments)}</comments>" if work.draft.comments else ""
    doi = f"\n            <doi>{state.doi}</doi>" if state.doi else ""
    return f"""        <categories>{" ".join(state.categories)}</categories>{comments}{doi}
            <license>{work.license}</license>
            <abstract>{_x(work.draft.abstract)}</abstract>"""


def list_records(records: Iterable[str], token: str) -> str:
    """The body of ListRecords; `token` is the element that ends it."""
    return f"    <ListRecords>\n{chr(10).join(records)}\n{token}\n</ListRecords>"


def token(value: str, expires: datetime | None, total: int) -> str:
    """The element of a resumption token; the last one of a list has no value."""
    if expires is None:
        return f'<resumptionToken cursor="0" completeListSize="{total}"></resumptionToken>'
    return f"<resumptionToken expirationDate='{expires:%Y-%m-%dT%H:%M:%SZ}'>{_x(value)}</resumptionToken>"


def error(code: str, text: str) -> str:
    """The body of an OAI-PMH error."""
    return f"    <error code='{code}'>{_x(text)}</error>"


def atom(section: str, day: date, lines: Sequence[Listed], *, at: datetime) -> bytes:
    """The Atom feed of a section as it was built at midnight of `day`."""
    address = f"http://rss.arxiv.org/atom/{section}"
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.866337+00:00"
    published = datetime(day.year, day.month, day.day, tzinfo=EASTERN).isoformat()
    entries = "".join(
        f"""
  <entry>
    <id>oai:arXiv.org:{line.work.identifier}v{line.version}</id>
    <title>{_x(line.work.draft.title)}</title>
    <updated>{stamp}</updated>
    <link href="https://arxiv.org/abs/{line.work.identifier}" rel="alternate" type="text/html"/>
    <summary>{_x(_described(line))}</summary>{_terms(line)}
    <published>{published}</published>
    <arxiv:announce_type>{line.kind}</arxiv:announce_type>
    <dc:rights>{line.work.license}</dc:rights>
    <dc:creator>{_x(", ".join(line.work.draft.authors))}</dc:creator>
  </entry>"""
        for line in lines
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us">
  <id>{address}</id>
  <title>{section} updates on arXiv.org</title>
  <updated>{stamp}</updated>
  <link href="{address}" rel="self" type="application/atom+xml"/>
  <subtitle>{section} updates on the arXiv.org e-print archive.</subtitle>{entries}
</feed>
""".encode()


def rss(section: str, day: date, lines: Sequence[Listed], *, at: datetime) -> bytes:
    """The RSS feed of a section as it was built at midnight of `day`."""
    address = f"http://rss.arxiv.org/rss/{section}"
    published = format_datetime(datetime(day.year, day.month, day.day, tzinfo=EASTERN))
    items = "".join(
        f"""
    <item>
      <title>{_x(line.work.draft.title)}</title>
      <link>https://arxiv.org/abs/{line.work.identifier}</link>
      <description>{_x(_described(line))}</description>
      <guid isPermaLink="false">oai:arXiv.org:{line.work.identifier}v{line.version}</guid>{_categories(line)}
      <pubDate>{published}</pubDate>
      <arxiv:announce_type>{line.kind}</arxiv:announce_type>
      <dc:rights>{line.work.license}</dc:rights>
      <dc:creator>{_x(", ".join(line.work.draft.authors))}</dc:creator>
    </item>"""
        for line in lines
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" version="2.0">
  <channel>
    <title>{section} updates on arXiv.org</title>
    <link>{address}</link>
    <description>{section} updates on the arXiv.org e-print archive.</description>
    <atom:link href="{address}" rel="self" type="application/rss+xml"/>
    <docs>http://www.rssboard.org/rss-specification</docs>
    <language>en-us</language>
    <lastBuildDate>{format_datetime(at)}</lastBuildDate>
    <managingEditor>rss-help@example.org</managingEditor>
    <pubDate>{published}</pubDate>
    <skipDays>
      <day>Saturday</day>
      <day>Sunday</day>
    </skipDays>{items}
  </channel>
</rss>
""".encode()


def _described(line: Listed) -> str:
    identifier = f"{line.work.identifier}v{line.version}"
    return f"arXiv:{identifier} Announce Type: {line.kind} \nAbstract: {line.work.draft.abstract}"


def _now_in(line: Listed) -> tuple[str, ...]:
    return line.work.states[-1].categories


def _terms(line: Listed) -> str:
    return "".join(f'\n    <category term="{name}"/>' for name in _now_in(line))


def _categories(line: Listed) -> str:
    return "".join(f"\n      <category>{name}</category>" for name in _now_in(line))


def new_page(section: str, day: date, lines: Sequence[Listed], *, skip: int, show: int) -> bytes:
    """The page /list/SECTION/new, headed with the day of its list."""
    shown = set(range(skip, skip + show))
    place, parts = 0, []
    for heading, note, kinds in _HEADINGS:
        group = [line for line in lines if line.kind in kinds]
        entries = []
        for line in group:
            if place in shown:
                entries.append(_entry(place + 1, line, note))
            place += 1
        if entries:
            first = "" if len(entries) == len(group) else "first "
            total = f"(showing {first}{len(entries)} of {len(group)} entries)"
            parts.append(f"<dl id='articles'>\n<h3>{heading} {total}</h3>\n{''.join(entries)}</dl>\n")
    body = "".join(parts) or "<p>No updates today.</p>\n"
    total = f"<div class='paging'>Total of {len(lines)} entries \n</div>\n" if lines else ""
    return _html(section, f"<h3>Showing new listings for {_long(day)}</h3>\n{total}{body}{total}")


def recent_page(section: str, days: Sequence[tuple[date, Sequence[Listed]]], *, skip: int, show: int) -> bytes:
    """The page /list/SECTION/pastweek: what was new or cross-listed in the last five lists, the newest first."""
    total = sum(len(lines) for _, lines in days)
    place, parts, index = 0, [], []
    for day, lines in days:
        index.append(f'<li><a href="/list/{section}/pastweek?skip={place}&amp;show={show}">\n{_short(day)}</a></li>\n')
        entries = [
            _entry(number + 1, line, "cross" if line.kind is AnnouncementKind.CROSS else "")
            for number, line in enumerate(lines, place)
            if skip <= number < skip + show
        ]
        if entries or not lines:
            parts.append(f"<dl id='articles'>\n<h3>{_recent_heading(day, lines, entries, skip - place)}</h3>\n")
            parts.append("".join(entries) or "<p>No updates for this time period.</p>\n")
            parts.append("</dl>\n")
        place += len(lines)
    paging = f"<div class='paging'>Total of {total} entries \n</div>\n" if total else ""
    head = f"<h2>Authors and titles for recent submissions</h2>\n<ul>\n{''.join(index)}</ul>\n"
    return _html(section, f"{head}{paging}{''.join(parts)}{paging}")


def _recent_heading(day: date, lines: Sequence[Listed], entries: Sequence[str], skipped: int) -> str:
    if not lines:
        return _short(day)
    continued = "continued, " if skipped > 0 else ""
    last = max(skipped, 0) + len(entries) == len(lines)
    part = ("last " if continued else "") if last else ("" if continued else "first ")
    return f"{_short(day)} ({continued}showing {part}{len(entries)} of {len(lines)} entries )"


def _long(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def _short(day: date) -> str:
    return f"{day:%a}, {day.day} {day:%b} {day.year}"


def _html(section: str, body: str) -> bytes:
    title = CATEGORIES.get(section, section)
    return f"""<!DOCTYPE html>
<html lang="en">
<head><title>{_x(title)} </title>
<meta charset="utf-8"></head>
<body>
<div id='content-inner'>
<div id='dlpage'>
  <h1>{_x(title)}</h1>
{body}</div>
</div>
</body>
</html>
""".encode()


@cache
def _subject(category: str) -> str:
    return _x(f"{CATEGORIES.get(category, category)} ({category})")


def _entry(number: int, line: Listed, note: str) -> str:
    work, name = line.work, line.work.identifier
    primary, *others = line.work.states[-1].categories
    also = "".join(f"; {_subject(category)}" for category in others)
    marks = {"cross": f"(cross-list from {primary})", "replaced": "(replaced)"}
    authors = ", ".join(
        f'<a href="https://arxiv.org/search/?searchtype=author&amp;query={_x(author)}" rel="nofollow">{_x(author)}</a>'
        for author in work.draft.authors
    )
    return f"""<dt>
      <a name='item{number}'>[{number}]</a>
      <a href ="/abs/{name}" title="Abstract" id="{name}">
        arXiv:{name}
      </a>
      {marks.get(note, "")}
        [<a href="/pdf/{name}" title="Download PDF" id="pdf-{name}" aria-labelledby="pdf-{name}">pdf</a>, \
<a href="/format/{name}" title="Other formats" id="oth-{name}" aria-labelledby="oth-{name}">other</a>]
    </dt>
    <dd>
      <div class='meta'>
        <div class='list-title mathjax'><span class='descriptor'>Title:</span>
          {_x(work.draft.title)}
        </div>
        <div class='list-authors'>{authors}</div>

        <div class='list-subjects'><span class='descriptor'>Subjects:</span>
          <span class="primary-subject">{_subject(primary)}</span>{also}
        </div>

        <p class='mathjax'>
          {_x(work.draft.abstract)}
        </p>
      </div>
    </dd>
"""


def search(query: str, found: Sequence[tuple[Work, int]], *, at: datetime, start: int, limit: int) -> bytes:
    """The answer of the search API: works with the versions asked for, `limit` of what was found from `start` on."""
    entries = "".join(_found(work, version) for work, version in found[start : start + limit])
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" \
xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/invented</id>
  <title>arXiv Query: {_x(query)}</title>
  <updated>{at:%Y-%m-%dT%H:%M:%SZ}</updated>
  <link href="https://arxiv.org/api/query?{_x(query)}" type="application/atom+xml"/>
  <opensearch:itemsPerPage>{limit}</opensearch:itemsPerPage>
  <opensearch:totalResults>{len(found)}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>{entries}
</feed>
""".encode()


def _found(work: Work, version: int) -> str:
    terms = "".join(
        f'\n    <category term="{name}" scheme="http://arxiv.org/schemas/atom"/>' for name in work.draft.categories
    )
    authors = "".join(f"\n    <author>\n      <name>{_x(name)}</name>\n    </author>" for name in work.draft.authors)
    comment = f"\n    <arxiv:comment>{_x(work.draft.comments)}</arxiv:comment>" if work.draft.comments else ""
    return f"""
  <entry>
    <id>http://arxiv.org/abs/{work.identifier}v{version}</id>
    <title>{_x(work.draft.title)}</title>
    <updated>{work.submitted_at[version - 1]:%Y-%m-%dT%H:%M:%SZ}</updated>
    <link href="https://arxiv.org/abs/{work.identifier}v{version}" rel="alternate" type="text/html"/>
    <link href="https://arxiv.org/pdf/{work.identifier}v{version}" rel="related" type="application/pdf" title="pdf"/>
    <summary>{_x(work.draft.abstract)}</summary>{terms}
    <published>{work.submitted_at[0]:%Y-%m-%dT%H:%M:%SZ}</published>{comment}
    <arxiv:primary_category term="{work.draft.categories[0]}"/>{authors}
  </entry>"""


def midnight_utc(at: datetime) -> datetime:
    """The next midnight in UTC, when tokens expire."""
    return (at.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
