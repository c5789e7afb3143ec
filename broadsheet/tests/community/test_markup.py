"""What people write comes out as safe HTML: by examples, by a corpus of hostile texts, and for any text whatever."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.community.rules.markup import ATTRIBUTES, ELEMENTS, LONGEST, clean, links_in, to_html
from broadsheet.testing.hostile_texts import HOSTILE, MARK

REL = 'rel="nofollow ugc noopener"'

# Seconds for one text of the greatest length; a hundredth of it is usual.
SLOWEST = 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "Steps *should* be **small**.", "<p>Steps <em>should</em> be <strong>small</strong>.</p>", id="prose"
        ),
        pytest.param("one\n\ntwo", "<p>one</p>\n<p>two</p>", id="paragraphs"),
        pytest.param("> said\n\nanswered", "<blockquote>\n<p>said</p>\n</blockquote>\n<p>answered</p>", id="quotation"),
        pytest.param("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>", id="list"),
        pytest.param("3. c", '<ol start="3">\n<li>c</li>\n</ol>', id="numbered from three"),
        pytest.param("`a < b`", "<p><code>a &lt; b</code></p>", id="code"),
        pytest.param("```python\nx\n```", "<pre><code>x\n</code></pre>", id="fence without classes"),
        pytest.param(
            "# One\n\n###### Six",
            "<p><strong>One</strong></p>\n<p><strong>Six</strong></p>",
            id="headings are paragraphs",
        ),
        pytest.param("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>", id="HTML is text"),
        pytest.param("costs $10 or $20", "<p>costs $10 or $20</p>", id="money is no mathematics"),
        pytest.param("[p](/papers/1)", f'<p><a href="/papers/1" {REL}>p</a></p>', id="link to a page of ours"),
        pytest.param(
            "see https://a.example/b_(c).",
            f'<p>see <a href="https://a.example/b_(c)" {REL}>https://a.example/b_(c)</a>.</p>',
            id="bare address without its full stop",
        ),
        pytest.param(
            "![seen](https://a.example/x.png)",
            f'<p>!<a href="https://a.example/x.png" {REL}>seen</a></p>',
            id="pictures are links",
        ),
        pytest.param("[x](javascript:y)", "<p>[x](javascript:y)</p>", id="a link to nowhere stays text"),
        pytest.param(
            "[x](https://bank.example@evil.example)", "<p>[x](https://bank.example@evil.example)</p>", id="user"
        ),
    ],
)
def test_what_becomes_of(text: str, expected: str) -> None:
    assert to_html(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("as $x^2$ grows", "<msup><mi>x</mi><mn>2</mn></msup>", id="in a line"),
        pytest.param("$$\\sqrt{2}$$", 'display="block"', id="displayed in a paragraph"),
        pytest.param("$$\n\\frac{a}{b}\n$$", "<mfrac><mi>a</mi><mi>b</mi></mfrac>", id="displayed on lines of its own"),
        pytest.param("$\\def\\x{y}$", '<span class="tex">\\def\\x{y}</span>', id="what cannot be typeset is shown"),
    ],
)
def test_mathematics(text: str, part: str) -> None:
    assert part in to_html(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("invoice\u202efdp.exe", "invoicefdp.exe", id="direction turned round"),
        pytest.param("mod\u200berator", "moderator", id="blank without width"),
        pytest.param("a\x00b\x1b[31m", "ab[31m", id="control"),
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line ends"),
        pytest.param("e\u0301", "é", id="composed"),
        pytest.param("ad\u200da", "ada", id="joiner between Latin letters"),
        pytest.param("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e", id="Persian keeps its joiner"),
        pytest.param("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c", id="joined pictures stay"),
        pytest.param("Z" + "\u0322" * 50, "Z" + "\u0322" * 5, id="heaps of marks"),
        pytest.param("x\U000e0041", "x", id="tags"),
    ],
)
def test_what_deceives_is_taken_out(text: str, expected: str) -> None:
    assert clean(text) == expected


class Walls(HTMLParser):
    """Collects what no output may hold: elements and attributes outside the lists, addresses outside the web."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.breaches: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a start tag and its attributes."""
        if tag not in ELEMENTS:
            self.breaches.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, frozenset()) and (tag, name) != ("a", "rel"):
                self.breaches.append(f"<{tag} {name}>")
            if name == "href" and value and not value.startswith(("http://", "https://", "/", "#")):
                self.breaches.append(f"{name}={value}")
            if name == "href" and (value or "").startswith(("//", "/\\")):
                self.breaches.append(f"{name}={value}")
            if name == "class" and value != "tex":
                self.breaches.append(f"class={value}")
            if name == "rel" and value != "nofollow ugc noopener":
                self.breaches.append(f"rel={value}")

    def handle_comment(self, data: str) -> None:
        """No comment may be left."""
        self.breaches.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        """No declaration may be left."""
        self.breaches.append(f"<!{decl}>")


def breaches(markup: str) -> list[str]:
    walls = Walls()
    walls.feed(markup)
    walls.close()
    return walls.breaches


def test_the_corpus_is_large_and_without_doubles() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) >= 200


def test_no_hostile_text_gets_through_and_none_is_slow() -> None:
    through, slow = [], []
    for text in HOSTILE:
        start = time.perf_counter()
        markup = to_html(text)
        if time.perf_counter() - start > SLOWEST:
            slow.append(text[:60])
        if found := breaches(markup):
            through.append((text[:60], found))
    assert (through, slow) == ([], [])


@pytest.mark.parametrize(
    "around", ["> {}", "- {}", "**{}**", "$ {} $", "[{}](https://a.example)", "[x]({})", "`{}`", "# {}"]
)
def test_no_hostile_text_gets_through_inside_other_markup(around: str) -> None:
    assert [text[:60] for text in HOSTILE if breaches(to_html(around.format(text)))] == []


@given(st.text(max_size=300))
def test_no_text_whatever_gets_through(text: str) -> None:
    assert breaches(to_html(text)) == []


PIECES = st.sampled_from(
    [
        *"<>&\"'`*_[]()!#$\\|\n -=/:;~^{}",
        *("<script>", "<svg ", "onerror=x", "javascript:", "](", "https://a.example", "&lt;", "<!--", "]]>", "$$"),
        *("\\text{", "\u202e", "\u200b", "    ", "> ", "- ", "1. ", "```", MARK),
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_text_of_dangerous_pieces_gets_through(text: str) -> None:
    assert breaches(to_html(text)) == []


@given(st.lists(PIECES, max_size=40).map("".join))
def test_the_output_is_balanced(text: str) -> None:
    """It can stand inside an element: what it opens it closes."""
    markup = to_html(text).replace("&nbsp;", "&#160;").replace("<br>", "<br/>").replace("<hr>", "<hr/>")
    ET.fromstring(f"<div>{markup}</div>")


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        pytest.param("no", 0, id="none"),
        pytest.param("https://a.example and [b](https://b.example)", 2, id="bare and named"),
        pytest.param("[ours](/papers/1)", 0, id="those to ourselves are not counted"),
        pytest.param("`https://a.example`", 0, id="code is not linked"),
    ],
)
def test_links_are_counted(text: str, links: int) -> None:
    assert links_in(text) == links


def test_what_is_too_long_is_cut() -> None:
    assert to_html("a" * (LONGEST + 5)) == f"<p>{'a' * LONGEST}</p>"


def test_emphasis_has_a_limit() -> None:
    assert to_html("*a **b " * 300 + "**b* " * 300).count("<em>") < 1200
    assert "<em><em><em><em><em>" not in to_html("*" * 40 + "a" + "*" * 40).replace("<strong>", "<em>")
