"""Every form in which people and pages write an identifier is read as one identity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.bibliography.identifiers import Identifier, Reference, Scheme, best, from_key, parse

NEW = "arxiv:2401.00001"
OLD = "arxiv:math/0611800"
ACL_OLD = "acl:P19-1001"
ACL_NEW = "acl:2020.acl-main.1"
FORUM = "openreview:rJl-b3RcF7"
PMLR = "pmlr:v97/name97a"
SICI = "doi:10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o"


def read(text: str) -> tuple[str, int | None] | None:
    """The identifier and the version that `parse` finds."""
    found = parse(text)
    return (str(found.identifier), found.version) if found else None


@pytest.mark.parametrize(
    ("text", "identifier", "version"),
    [
        pytest.param("2401.00001", NEW, None, id="bare"),
        pytest.param("2401.00001v2", NEW, 2, id="bare with version"),
        pytest.param("arXiv:2401.00001v12", NEW, 12, id="prefix"),
        pytest.param("ARXIV: 2401.00001", NEW, None, id="prefix in capitals and a blank"),
        pytest.param("oai:arXiv.org:2401.00001", NEW, None, id="OAI-PMH"),
        pytest.param("arXiv:2401.00001v2 [cs.LG]", NEW, 2, id="as arXiv prints it in the margin"),
        pytest.param("  [arXiv:2401.00001] ", NEW, None, id="brackets and white space"),
        pytest.param("(2401.00001).", NEW, None, id="parentheses and a full stop"),
        pytest.param("\u200b2401.00001\ufeff", NEW, None, id="invisible characters"),
        pytest.param("2401.00001v3.pdf", NEW, 3, id="name of a file"),
        pytest.param("0704.0108", "arxiv:0704.0108", None, id="the zero in front stays"),
        pytest.param("1412.9999", "arxiv:1412.9999", None, id="four digits until December 2014"),
        pytest.param("1501.00001", "arxiv:1501.00001", None, id="five digits from January 2015"),
        pytest.param("2401.123456", "arxiv:2401.123456", None, id="six digits, which arXiv keeps for the future"),
        pytest.param("math/0611800", OLD, None, id="old"),
        pytest.param("math.CA/0611800v2", OLD, 2, id="old with subject class"),
        pytest.param("arXiv:cond-mat.mes-hall/0601001", "arxiv:cond-mat/0601001", None, id="old with long class"),
        pytest.param("hep-th/9901001", "arxiv:hep-th/9901001", None, id="old with hyphen"),
        pytest.param("10.48550/arXiv.2401.00001", NEW, None, id="DOI of arXiv"),
        pytest.param("https://doi.org/10.48550/ARXIV.MATH/0611800", OLD, None, id="DOI of arXiv, old, in capitals"),
    ],
)
def test_arxiv_identifiers(text: str, identifier: str, version: int | None) -> None:
    assert read(text) == (identifier, version)


@pytest.mark.parametrize(
    ("address", "identifier", "version"),
    [
        pytest.param("https://arxiv.org/abs/2401.00001v3", NEW, 3, id="abs"),
        pytest.param("http://arxiv.org/pdf/2401.00001.pdf", NEW, None, id="pdf with its ending"),
        pytest.param("https://arxiv.org/pdf/2401.00001v2", NEW, 2, id="pdf without"),
        pytest.param("https://arxiv.org/src/2401.00001", NEW, None, id="src"),
        pytest.param("https://arxiv.org/html/2401.00001v1/", NEW, 1, id="html with trailing slash"),
        pytest.param("https://arxiv.org/abs/math.CA/0611800v2", OLD, 2, id="old with its slash"),
        pytest.param("https://arxiv.org/pdf/math/0611800v1.pdf", OLD, 1, id="old pdf"),
        pytest.param("https://arxiv.org/abs/math%2F0611800", OLD, None, id="escaped slash"),
        pytest.param("www.arxiv.org/abs/2401.00001", NEW, None, id="www, no scheme"),
        pytest.param("//arxiv.org/abs/2401.00001", NEW, None, id="no scheme, slashes"),
        pytest.param("HTTPS://ArXiv.org/abs/2401.00001", NEW, None, id="capitals"),
        pytest.param("https://export.arxiv.org/abs/2401.00001", NEW, None, id="export"),
        pytest.param("https://arxiv.org:443/abs/2401.00001?context=cs#top", NEW, None, id="port, query, fragment"),
        pytest.param("<https://arxiv.org/abs/2401.00001>,", NEW, None, id="angle brackets and a comma"),
        pytest.param("https://ar5iv.labs.arxiv.org/html/2401.00001", NEW, None, id="ar5iv at arXiv"),
        pytest.param("https://ar5iv.org/abs/math/0611800", OLD, None, id="ar5iv"),
        pytest.param("https://www.alphaxiv.org/abs/2401.00001v4", NEW, 4, id="alphaXiv"),
        pytest.param("https://alphaxiv.org/overview/2401.00001", NEW, None, id="alphaXiv overview"),
        pytest.param("https://huggingface.co/papers/2401.00001", NEW, None, id="Hugging Face"),
        pytest.param("hf.co/papers/math/0611800.md", OLD, None, id="Hugging Face, short, Markdown"),
        pytest.param("https://openreview.net/forum?id=rJl-b3RcF7", FORUM, None, id="OpenReview forum"),
        pytest.param("https://openreview.net/forum?noteId=x&id=rJl-b3RcF7#y", FORUM, None, id="OpenReview note"),
        pytest.param("https://openreview.net/pdf?id=rJl-b3RcF7", FORUM, None, id="OpenReview pdf"),
        pytest.param("https://aclanthology.org/P19-1001/", ACL_OLD, None, id="ACL Anthology"),
        pytest.param(
            "https://aclanthology.org/2020.acl-main.1v2.pdf", ACL_NEW, 2, id="ACL Anthology, pdf with version"
        ),
        pytest.param("https://www.aclweb.org/anthology/P19-1001.pdf", ACL_OLD, None, id="ACL Anthology, former host"),
        pytest.param(
            "https://aclweb.org/anthology/papers/P/P19/P19-1001/", ACL_OLD, None, id="ACL Anthology, by volume"
        ),
        pytest.param("https://proceedings.mlr.press/v97/name97a.html", PMLR, None, id="PMLR"),
        pytest.param("http://proceedings.mlr.press/v97/name97a/name97a.pdf", PMLR, None, id="PMLR pdf"),
    ],
)
def test_addresses(address: str, identifier: str, version: int | None) -> None:
    assert read(address) == (identifier, version)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        pytest.param("10.1145/3292500.3330701", "doi:10.1145/3292500.3330701", id="bare"),
        pytest.param("doi:10.1145/ABC.Def", "doi:10.1145/abc.def", id="case carries no meaning"),
        pytest.param("DOI 10.1145/1.2", "doi:10.1145/1.2", id="prefix without colon"),
        pytest.param("https://dx.doi.org/10.1145/1.2?utm=x", "doi:10.1145/1.2", id="former host, query"),
        pytest.param("https://doi.org/10.1145/1.2.", "doi:10.1145/1.2", id="full stop behind"),
        pytest.param("(10.1145/1.2);", "doi:10.1145/1.2", id="parentheses around"),
        pytest.param("10.1016/S0140-6736(20)30183-5", "doi:10.1016/s0140-6736(20)30183-5", id="parentheses inside"),
        pytest.param("10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O", SICI, id="SICI"),
    ],
)
def test_dois(text: str, identifier: str) -> None:
    assert read(text) == (identifier, None)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        pytest.param("P19-1001", ACL_OLD, id="ACL Anthology until 2019"),
        pytest.param("acl:p19-1001", ACL_OLD, id="ACL Anthology in lower case"),
        pytest.param("2020.ACL-main.1", ACL_NEW, id="ACL Anthology since 2020"),
        pytest.param("v97/name97a", PMLR, id="PMLR"),
        pytest.param("openreview:rJl-b3RcF7", FORUM, id="OpenReview with its prefix"),
    ],
)
def test_identifiers_of_conferences(text: str, identifier: str) -> None:
    assert read(text) == (identifier, None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("2401", id="a number"),
        pytest.param("704.0108", id="an identifier that went through a number"),
        pytest.param("2413.00001", id="thirteenth month"),
        pytest.param("2400.00001", id="month zero"),
        pytest.param("0703.0001", id="new form before it existed"),
        pytest.param("hep-th/0704001", id="old form after it ended"),
        pytest.param("hep-th/9106001", id="before arXiv"),
        pytest.param("0704.00001", id="five digits before 2015"),
        pytest.param("1501.0001", id="four digits after 2014"),
        pytest.param("2401.1234567", id="seven digits"),
        pytest.param("2401.00001v0", id="version zero"),
        pytest.param("lamps/0611800", id="an archive that never was"),
        pytest.param("٢٤٠١.٠٠٠٠١", id="digits that are not ASCII"),
        pytest.param("rJl-b3RcF7", id="OpenReview without its address"),
        pytest.param("https://arxiv.org/list/cs.LG/recent", id="a list"),
        pytest.param("https://arxiv.org/", id="a front page"),
        pytest.param("https://example.org/abs/2401.00001", id="another host"),
        pytest.param("https://arxiv.org.example.org/abs/2401.00001", id="a host that only begins like arXiv"),
        pytest.param("https://openreview.net/group?id=Lamps.org/2024", id="an OpenReview group"),
        pytest.param("https://proceedings.mlr.press/v97/", id="a PMLR volume"),
        pytest.param("10.5/3", id="a fraction, not a DOI"),
        pytest.param("10.1145/", id="a DOI without its second half"),
        pytest.param("lantern 2401.00001 harbour", id="an identifier within a sentence"),
        pytest.param("2401.00001" * 1000, id="far too long"),
    ],
)
def test_what_is_no_identifier(text: str) -> None:
    assert parse(text) is None


MONTHS = st.integers(1, 12)


@st.composite
def arxiv(draw: st.DrawFn) -> Identifier:
    """Identifiers of both ages, among them the first and the last month of each form."""
    month = f"{draw(MONTHS):02}"
    if draw(st.booleans()):
        archive = draw(st.sampled_from(["math", "hep-th", "cs", "cond-mat", "q-bio"]))
        year = draw(st.sampled_from(["92", "99", "00", "06"]))
        return Identifier(Scheme.ARXIV, f"{archive}/{year}{month}{draw(st.integers(0, 999)):03}")
    year = f"{draw(st.integers(8, 90)):02}"
    width = 4 if year < "15" else draw(st.sampled_from([5, 6]))
    return Identifier(Scheme.ARXIV, f"{year}{month}.{draw(st.integers(0, 10**width - 1)):0{width}}")


def _canonical(scheme: Scheme, value: str) -> Identifier | None:
    try:
        return Identifier(scheme, value)
    except ValueError:
        return None


def dois() -> st.SearchStrategy[Identifier]:
    """DOIs with every printable character that one may hold."""
    suffix = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=30)
    values = st.builds("10.{}/{}".format, st.integers(1000, 99999), suffix)
    return values.map(lambda value: _canonical(Scheme.DOI, value)).filter(bool)  # type: ignore[return-value]  # None is filtered


identifiers = st.one_of(
    arxiv(),
    dois(),
    st.from_regex(r"[A-Za-z0-9_-]{5,32}", fullmatch=True).map(lambda value: Identifier(Scheme.OPENREVIEW, value)),
    st.from_regex(r"[A-Z][0-9]{2}-[0-9]{4}", fullmatch=True).map(lambda value: Identifier(Scheme.ACL, value)),
    st.from_regex(r"20[2-9][0-9]\.[a-z]{2,9}-[a-z]{1,9}\.[1-9][0-9]?", fullmatch=True).map(
        lambda value: Identifier(Scheme.ACL, value)
    ),
    st.from_regex(r"[vr][1-9][0-9]?/[a-z-]{1,9}[0-9]{2}[a-z]?", fullmatch=True).map(
        lambda value: Identifier(Scheme.PMLR, value)
    ),
)


@given(identifiers)
def test_its_string_is_read_back(identifier: Identifier) -> None:
    assert Identifier.from_str(str(identifier)) == identifier


@given(identifiers)
def test_its_key_is_read_back(identifier: Identifier) -> None:
    assert from_key(identifier.key) == identifier


@given(identifiers)
def test_its_address_is_read_back(identifier: Identifier) -> None:
    assert parse(identifier.url) == Reference(identifier)


@given(identifiers, st.integers(1, 99))
def test_its_string_is_one_of_the_forms_that_people_write(identifier: Identifier, version: int) -> None:
    assert parse(f" {identifier}, ") == Reference(identifier)
    if identifier.scheme is Scheme.ARXIV:
        assert parse(f"{identifier}v{version}") == Reference(identifier, version)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    for shape in (text, f"arxiv:{text}", f"https://doi.org/10.1000/{text}", f"https://openreview.net/forum?id={text}"):
        found = parse(shape)
        assert found is None or parse(found.identifier.url) == Reference(found.identifier)
    from_key(text)


@pytest.mark.parametrize(
    ("identifier", "url", "key"),
    [
        pytest.param(NEW, "https://arxiv.org/abs/2401.00001", "2401.00001", id="arXiv"),
        pytest.param(OLD, "https://arxiv.org/abs/math/0611800", "math/0611800", id="arXiv before 2007"),
        pytest.param("doi:10.1145/1.2", "https://doi.org/10.1145/1.2", "doi:10.1145/1.2", id="DOI"),
        pytest.param("doi:10.1145/a#b?c", "https://doi.org/10.1145/a%23b%3Fc", "doi:10.1145/a#b?c", id="DOI, escaped"),
        pytest.param(FORUM, "https://openreview.net/forum?id=rJl-b3RcF7", FORUM, id="OpenReview"),
        pytest.param(ACL_OLD, "https://aclanthology.org/P19-1001/", ACL_OLD, id="ACL Anthology"),
        pytest.param(PMLR, "https://proceedings.mlr.press/v97/name97a.html", PMLR, id="PMLR"),
    ],
)
def test_home_and_key(identifier: str, url: str, key: str) -> None:
    known = Identifier.from_str(identifier)
    assert (known.url, known.key) == (url, key)


@pytest.mark.parametrize(
    "text", ["2401.00001", "arxiv:2401.00001v2", "lamp:1", "doi:x", "acl:p19-1001", "arxiv:1501.0001"]
)
def test_from_str_reads_only_what_str_writes(text: str) -> None:
    with pytest.raises(ValueError):
        Identifier.from_str(text)


@pytest.mark.parametrize("key", ["2401.00001v2", "arxiv:2401.00001", "t-abc", "", "lamp:1", "math.CA/0611800"])
def test_another_spelling_is_no_key(key: str) -> None:
    assert from_key(key) is None


def test_a_doi_of_arxiv_is_never_a_doi() -> None:
    with pytest.raises(ValueError):
        Identifier(Scheme.DOI, "10.48550/arxiv.2401.00001")


def test_the_best_identifier_names_the_paper() -> None:
    every = [Identifier.from_str(text) for text in (FORUM, PMLR, ACL_OLD, "doi:10.1145/2", "doi:10.1145/1", OLD, NEW)]
    chosen = []
    while every:
        one = best(every)
        assert one is not None
        chosen.append(str(one))
        every.remove(one)
    assert chosen == [NEW, OLD, "doi:10.1145/1", "doi:10.1145/2", ACL_OLD, PMLR, FORUM]
    assert best([]) is None
