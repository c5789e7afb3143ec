"""Markdown twins: every page has one, it says what the page says, and no text of a source changes its shape."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography import tex
from broadsheet.evidence.rules import Claim
from broadsheet.testing.cast import ADA, BELA, HARBOUR, LANTERN, MEADOW, arxiv, said
from broadsheet.web import markdown
from broadsheet.web.html_to_markdown import converted, escaped, inline, linked

CLAIM = Claim("testimony", "lantern", "Fewer lamps are needed.", "half", "partly", "Walk.", ("no lamp", "two lamps"))

# Every page, and the heading of its twin.
PAGES = [
    ("/", "/index.md", "# [Broadsheet](http://localhost/)"),
    ("/date/2024-01-02", "/date/2024-01-02.md", "# 2 January 2024"),
    ("/editions", "/editions.md", "# Editions"),
    ("/sections", "/sections.md", "# Sections"),
    ("/section/cs.LG", "/section/cs.LG.md", "# Machine Learning"),
    ("/author/ada-example", "/author/ada-example.md", "# Ada Example"),
    ("/papers/2401.00001", "/papers/2401.00001.md", "# Lantern: Step Sizes from $\\ell_2$ Gradient Norms"),
    ("/papers/math/0611800", "/papers/math/0611800.md", "# Meadow: A Survey of Bandits Without Feedback"),
    ("/search", "/search.md", "# How to search"),
    ("/search?q=steps", "/search.md?q=steps", "# 1\u00a0paper"),
    ("/status", "/status.md", "# Status"),
    ("/about", "/about.md", "# About this paper"),
    ("/about/ranking", "/about/ranking.md", "# How it ranks"),
    ("/about/keys", "/about/keys.md", "# Keys"),
    ("/saved", "/saved.md", "# Saved on this device"),
]


@pytest.mark.parametrize(("page", "twin", "heading"), PAGES)
def test_every_page_names_its_twin_and_the_twin_its_heading(press, get, page: str, twin: str, heading: str) -> None:
    press([LANTERN, MEADOW])
    (named,) = re.findall(r'<link rel="alternate" type="text/markdown" href="([^"]+)">', get(page).text)
    assert named == twin
    answer = get(twin)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert heading.replace("\u00a0", " ") in answer.text.replace("\u00a0", " ").splitlines()
    assert "<" not in re.sub(r"`[^`]*`|<https?://[^>]+>|\\<", "", answer.text)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("text/markdown", "text/markdown", id="Markdown"),
        pytest.param("text/markdown, text/html;q=0.5", "text/markdown", id="rather Markdown"),
        pytest.param("text/html,application/xhtml+xml,*/*;q=0.8", "text/html", id="a browser"),
        pytest.param("text/html, text/markdown;q=0.5", "text/html", id="rather HTML"),
        pytest.param("*/*", "text/html", id="anything"),
        pytest.param("application/json", "text/html", id="something else"),
        pytest.param(";q=x, \x00", "text/html", id="nonsense"),
    ],
)
def test_who_prefers_markdown_gets_it_at_the_page_itself(press, get, accept: str, expected: str) -> None:
    press([LANTERN])
    for page in ("/", "/papers/2401.00001", "/search?q=steps", "/about"):
        answer = get(page, accept=accept)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == f"{expected}; charset=utf-8"
        assert answer.headers["Vary"] == "Cookie, Accept, Accept-Encoding"


@pytest.mark.parametrize("accept", ["text/markdown", "text/markdown, text/html, */*", "text/html", "*/*"])
def test_a_twin_is_the_same_whatever_its_reader_prefers(press, get, accept: str) -> None:
    press([LANTERN])
    for page in ("/index.md", "/sections.md", "/search.md?q=steps", "/date/2024-01-02.md", "/papers/2401.00001.md"):
        answer = get(page, accept=accept)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/markdown; charset=utf-8")
        assert answer.text == get(page).text


def test_a_twin_says_which_page_it_is_the_twin_of(press, get) -> None:
    press([LANTERN])
    assert (
        get("/date/2024-01-02.md").headers["Link"]
        == '<http://localhost/date/2024-01-02>; rel="canonical"; type="text/html"'
    )
    assert "q=steps" in get("/search.md?q=steps").headers["Link"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/nowhere.md", 404, id="no such address"),
        pytest.param("/author/nobody.md", 404, id="nobody"),
        pytest.param("/papers/2401.99999.md", 404, id="no such paper"),
        pytest.param("/date/2023-01-01.md", 404, id="a day without an edition"),
        pytest.param("/healthz.md", 404, id="not a page"),
        pytest.param("/index.md.md", 404, id="a twin of a twin"),
        pytest.param("/index" + ".md" * 600, 404, id="a twin of many twins"),
        pytest.param("/abs/2401.00001.md", 302, id="an address that leads elsewhere"),
    ],
)
def test_what_is_not_there_has_no_twin(press, get, path: str, status: int) -> None:
    press([LANTERN])
    assert get(path).status_code == status


def test_the_front_page_tells_its_audit_and_ranks_stand_in_headings(press, get) -> None:
    press([LANTERN, HARBOUR])
    text = get("/index.md").text
    assert "Not checked against the sources' own counts." in text
    assert "## 1. [Lantern: Step Sizes from $\\ell_2$ Gradient Norms](http://localhost/papers/2401.00001)" in text


# --- A paper ---------------------------------------------------------------------------------------------------------


def test_a_paper_says_everything_that_a_reader_needs(press) -> None:
    press([replace(LANTERN, summary="Steps by lamp light.", comments="9 pages", venue="Test Conference")], [CLAIM])
    text = markdown.paper("2401.00001", base="https://papers.example.org")
    for line in (
        "Ada Example, Chloé Exemple",
        "- arXiv: [2401.00001](https://arxiv.org/abs/2401.00001)",
        "- PDF: <https://arxiv.org/pdf/2401.00001>",
        "- Announced: 2 January 2024",
        "- Venue: Test Conference",
        "- Authors' remark: 9 pages",
        "- Page: [https://papers.example.org/papers/2401.00001](https://papers.example.org/papers/2401.00001)",
        "## In short",
        "Steps by lamp light.",
        "*Written for a catalogue, not by the authors.*",
        "We choose step sizes from the $\\ell_2$ norm of the last gradient. The bound is $O(\\sqrt{T})$.",
        "## Claimed",
        "- Measured: not yet",
        "- On a laptop: can be tested in part",
        "- [2 January 2024](https://papers.example.org/date/2024-01-02), place 1",
    ):
        assert line in text.splitlines(), line


def test_a_paper_of_which_little_is_known_says_so(press) -> None:
    press([said("A Lamp", identifiers=(arxiv("2401.00009"),))])
    text = markdown.paper("2401.00009")
    assert "No source names the authors." in text
    assert "No source that we read has sent the abstract." in text
    assert "- Page: [/papers/2401.00009](/papers/2401.00009)" in text


def test_of_very_many_authors_and_very_long_abstracts_the_beginning_is_given(press) -> None:
    press([replace(LANTERN, authors=tuple(f"Ada Example{n}" for n in range(203)), abstract="Word. " * 9000)])
    text = markdown.paper("2401.00001")
    assert "Ada Example199 and 3 more" in text
    assert "very long abstract" in text
    assert len(text) < 40_000


def test_an_unknown_paper_is_a_key_error(db: None) -> None:
    with pytest.raises(KeyError):
        markdown.paper("2401.99999")


def test_the_number_of_queries_for_a_paper_is_constant(press) -> None:
    def queries(key: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            markdown.paper(key)
        return len(captured)

    press([LANTERN, replace(HARBOUR, authors=(ADA, BELA) * 40, categories=("cs.LG", "cs.AI", "stat.ML"))], [CLAIM])
    # Measurements are asked for only where there is a claim.
    assert queries("2401.00001") == queries("2401.00002") + 1


HOSTILE = [
    pytest.param("# heading", id="heading"),
    pytest.param("- item", id="item"),
    pytest.param("1. item", id="number"),
    pytest.param("> quotation", id="quotation"),
    pytest.param("| a | b |", id="table"),
    pytest.param("[a](javascript:alert(1))", id="link"),
    pytest.param("![a](https://e.example/x.png)", id="picture"),
    pytest.param("<script>alert(1)</script>", id="element"),
    pytest.param("```\ncode", id="fence"),
    pytest.param("*a* _b_ `c` ~~d~~ $e$ \\(f\\)", id="marks"),
    pytest.param("&lt;script&gt;", id="entity"),
    pytest.param("---", id="rule"),
    pytest.param("\u202e\u05d0", id="right to left"),
    pytest.param("a\0b\x01", id="control characters"),
    pytest.param("x" * 5000, id="5,000 characters"),
    pytest.param("\\" * 99, id="backslashes"),
]


# --- Mathematics -----------------------------------------------------------------------------------------------------


def harmful(markdown_text: str) -> list[str]:
    """What CommonMark takes for HTML, code, a link or a picture, apart from signs with a backslash before them."""
    return re.findall(r"<[A-Za-z/!?]|`|\]\(", without_escapes(markdown_text))


def without_escapes(markdown_text: str) -> str:
    """A letter for every sign that stands for itself: https://spec.commonmark.org/0.31.2/#backslash-escapes."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "x", markdown_text)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        pytest.param("a<b", r"$a\lt b$", id="less"),
        pytest.param("a > b", r"$a \gt b$", id="greater"),
        pytest.param(r"a\>b\\>c", r"$a\: b\\\gt c$", id="a space, and a new line with a sign"),
        pytest.param("<img src=x onerror=alert(1)>", r"$\lt img src=x onerror=alert(1)\gt$", id="an element"),
        pytest.param("[x](javascript:1)", "$[x] (javascript:1)$", id="a link"),
        pytest.param("![x](//e.example)", "$![x] (//e.example)$", id="a picture"),
        pytest.param(r"\[x\](a)", r"$\lbrack x\rbrack (a)$", id="a link in signs that stand for themselves"),
        pytest.param("[0,1)", r"$\lbrack 0,1)$", id="an interval open above"),
        pytest.param("(0,1]", r"$(0,1\rbrack$", id="an interval open below"),
        pytest.param(r"\sqrt[3]{x}\\[2pt] y", r"$\sqrt[3]{x}\\[2pt] y$", id="what may stand in brackets"),
        pytest.param(r"\text{``a''}", "$\\text{\u2018\u2018a''}$", id="quotes"),
        pytest.param(r"\href{javascript:1}{x}", r"$\mathrm{href}{javascript:1}{x}$", id="a link of MathJax"),
        pytest.param(r"\hrefs \\href", r"$\hrefs \\href$", id="other names"),
        pytest.param("a\\ ", "$a$", id="a backslash at the end would keep the dollar"),
        pytest.param("\\", "", id="nothing is left"),
    ],
)
def test_a_formula_is_mathematics_and_nothing_else(formula: str, text: str) -> None:
    for html in (f'<math alttext="{formula}"></math>', f'<span class="tex">{formula.replace("<", "&lt;")}</span>'):
        assert inline(html) == text


@given(st.lists(st.sampled_from([*"<>[]()`\\$!{}x5/ :", "img", "javascript:", "\\href", "](", "\\\\", "\\]"])))
def test_no_formula_is_html_code_or_a_link(parts: list[str]) -> None:
    formula = "".join(parts)
    span = f'<span class="tex">{formula.replace("<", "&lt;")}</span>'
    for html in (span, f"a {span}5", f"<em>{span}</em>[b](c)"):
        assert harmful(inline(html)) == []
    label = inline(span)
    held = without_escapes(label)
    assert held.count("[") == held.count("]")
    assert inline(f'<a href="/b">{span}</a>') == (f"[{label}](/b)" if label else "")
    for source in (f"5$ {formula} $6 b", f"${formula}$"):
        assert harmful(inline(tex.to_html(source))) == []


def test_mathematics_ends_also_before_a_digit() -> None:
    """https://pandoc.org/MANUAL.html#math: a dollar before a digit ends none."""
    assert inline('<math alttext="x"></math>5 a') == "$x$\u200b5 a"
    assert inline('<math alttext="x"></math> 5<em>a</em>5') == "$x$ 5*a*5"


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("5$ <img src=x onerror=alert(1)> $6 evil math", id="between prices"),
        pytest.param("An $<svg onload=alert(1)>$ element", id="an element"),
        pytest.param("A $[x](javascript:1)$ link", id="a link"),
        pytest.param("A $`$ and a $`$ of code", id="code"),
    ],
)
def test_no_title_with_mathematics_is_live_in_a_twin(press, get, title: str) -> None:
    press([replace(LANTERN, title=title, abstract=title, code_url="https://e.example/`\t[x](javascript:1)")])
    for path in ("/papers/2401.00001.md", "/section/cs.LG.md", "/index.md", "/author/ada-example.md"):
        text = re.sub(r"\]\((?:http://localhost|https://)[^\s()`<>]*\)|<https://[^\s()`<>]+>", "]", get(path).text)
        assert harmful(text) == [], path


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_source_changes_the_shape(press, get, text: str) -> None:
    press(
        [
            said(
                text.replace("\0", ""),
                key="hostile",
                identifiers=(arxiv("2401.00009"),),
                announced=LANTERN.announced,
                abstract=text.replace("\0", ""),
                authors=(ADA,),
                categories=("cs.LG",),
            )
        ]
    )
    for path in ("/papers/2401.00009.md", "/section/cs.LG.md", "/date/2024-01-02.md"):
        lines = get(path).text.splitlines()
        assert sum(line.startswith("# ") for line in lines) == 1, path
        assert not any(line.startswith(("> ", "```", "---")) for line in lines)
        assert not any(re.search(r"(?<!\\)!\[|(?<!\\)\]\(javascript|(?<!\\)<script", line) for line in lines)


@pytest.mark.parametrize("path", ["/section/a.md", "/section/a.md.md"])
def test_a_section_whose_name_ends_like_the_form_has_its_page(press, get, path: str) -> None:
    press([replace(LANTERN, categories=("a.md",))])
    answer = get(path)
    assert (answer.status_code, "Lantern" in answer.text) == (200, True)
    assert answer.headers["Content-Type"].startswith("text/markdown" if path.endswith(".md.md") else "text/html")


def test_a_section_comes_before_one_whose_name_ends_like_the_form(press, get) -> None:
    press([replace(LANTERN, categories=("a",)), replace(HARBOUR, categories=("a.md",))])
    assert get("/section/a.md").headers["Content-Type"].startswith("text/markdown")


# --- From HTML -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<p>a <em>b</em> <strong>c</strong></p>", "a *b* **c**", id="emphasis"),
        pytest.param("<p>a<em> b </em>c</p>", "a *b* c", id="blanks of emphasis stand outside"),
        pytest.param("<p>a<br>b</p>", "a\\\nb", id="line break"),
        pytest.param("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c", id="lists"),
        pytest.param("<ol><li>a<li>b</ol>", "1. a\n2. b", id="numbers"),
        pytest.param("<dl><div><dt>a</dt><dd>b</dd><dd>c</dd></div></dl>", "- a: b; c", id="terms"),
        pytest.param("<table><tr><th>a<th>b<tr><td>c|d</table>", "| a | b |\n| --- | --- |\n| c\\|d |  |", id="table"),
        pytest.param("<pre>a\n`b`</pre>", "```\na\n`b`\n```", id="preformatted"),
        pytest.param("<p><code>a`b</code></p>", "``a`b``", id="code"),
        pytest.param("<blockquote><p>a<p>b</blockquote>", "> a\n>\n> b", id="quotation"),
        pytest.param("<hr>", "---", id="rule"),
        pytest.param('<p><a href="/b c(d)">a</a></p>', "[a](https://x.example/b%20c%28d%29)", id="address"),
        pytest.param('<p><a href="//[">a</a></p>', "[a](//[)", id="what is no address"),
        pytest.param('<p><a href="/b"></a>a</p>', "a", id="a link without words"),
        pytest.param('<math alttext="x_1"><mi>x</mi></math>', "$x_1$", id="mathematics"),
        pytest.param('<math alttext="x" display="block"></math>', "$$x$$", id="displayed"),
        pytest.param('<span class="tex">\\x</span>', "$\\x$", id="a formula that is not set"),
        pytest.param("<script>a</script><style>b</style><svg>c</svg><form>d</form>e", "e", id="furniture"),
        pytest.param("<h2></h2><p> </p><ul></ul><dl></dl><table></table>", "", id="nothing"),
        pytest.param("<!-- a --><main><p>b</p></main><p>c</p>", "b", id="only the main part"),
        pytest.param("<p>snake_case 2 * 3 a_</p>", "snake_case 2 \\* 3 a\\_", id="only what means something"),
    ],
)
def test_html_as_markdown(html: str, text: str) -> None:
    assert converted(html, base="https://x.example/").rstrip("\n") == text


def test_very_deep_html_is_cut_off_not_refused() -> None:
    assert "a" in converted("<p>a</p>" + "<div>" * 5000)
    assert "a" in converted("<p>a" + "<span>" * 5000)


def test_nothing_is_nothing() -> None:
    assert (converted(""), inline(""), inline(" \0"), escaped("")) == ("", "", "", "")


def test_text_stands_in_a_line_of_its_own() -> None:
    assert escaped("# a\n# b") == "\\# a # b"
    assert linked("[a]", "https://x.example/)") == "[\\[a\\]](https://x.example/%29)"


# --- llms.txt --------------------------------------------------------------------------------------------------------


def test_llms_txt_has_the_shape_that_its_readers_expect(press, get) -> None:
    """https://llmstxt.org: one heading, a block quotation, text, then sections of links."""
    press([LANTERN])
    answer = get("/llms.txt")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0] == "# Broadsheet"
    assert lines[2].startswith("> ")
    assert sum(line.startswith("# ") for line in lines) == 1
    sections = [line for line in lines if line.startswith("## ")]
    assert sections[-1] == "## Optional"
    addresses = re.findall(r"\]\(http://localhost([^)]+)\)", answer.text)
    assert len(addresses) >= 7
    for address in addresses:
        assert get(address).status_code == 200, address


# --- What is not seen ------------------------------------------------------------------------------------------------

TAGS = "".join(chr(0xE0000 + ord(sign)) for sign in "ignore all")
HIDDEN = [TAGS, "\u200b", "\u200f", "\u202e", "\ufe0f", "\u3164", "\x01"]


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_what_is_not_seen_is_not_written(hidden: str) -> None:
    word = f"la{hidden}mp"
    assert escaped(word) == "lamp"
    assert linked(word, "https://example.org/") == "[lamp](https://example.org/)"
    if hidden.isascii():
        return  # no HTML has it
    assert inline(f"{word} <b>{word}</b> {word} <code>{word}</code>") == "lamp **lamp** lamp `lamp`"
    assert converted(f"<main><p>{word}<pre>{word}\n{word}</pre></main>") == "lamp\n\n```\nlamp\nlamp\n```\n"
    assert inline(f'<span class="tex">x{hidden}_2</span>') == "$x_2$"
    assert hidden not in linked("a lamp", f"https://example.org/{hidden}")


@pytest.mark.parametrize("hidden", HIDDEN[:-1], ids=ascii)
def test_a_twin_has_nothing_that_is_not_seen(press, get, hidden: str) -> None:
    press([replace(LANTERN, title=f"La{hidden}ntern", abstract=f"We{hidden} choose.", comments=f"12 pa{hidden}ges")])
    for twin in ("/papers/2401.00001.md", "/date/2024-01-02.md"):
        text = get(twin).text
        assert "Lantern" in text
        assert not set(hidden) & set(text)


def test_blanks_and_joiners_and_letters_of_all_scripts_stay() -> None:
    assert inline("a\tlamp\nfor <i>every</i>\u00a0step") == "a lamp for *every* step"
    assert escaped("\u0915\u094d\u200d\u0937 שלום 深度 α²") == "\u0915\u094d\u200d\u0937 שלום 深度 α²"
