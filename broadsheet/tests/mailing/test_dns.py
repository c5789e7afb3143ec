"""What is found about a domain that sends mail, with a domain name system of our own making."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.mailing.dns import (
    Finding,
    Unanswered,
    Verdict,
    check_dkim,
    check_dmarc,
    check_names,
    check_replies,
    check_spf,
)

HERE, ELSEWHERE, SIX = "198.51.100.7", "203.0.113.9", "2001:db8::7"
DOMAIN = "papers.example.org"
RECORD = "v=DKIM1; k=rsa; p=MIIBIjANBgkq"


class Table:
    """Answers from tables: a name -> what stands there. Of names in `silent` nobody answers."""

    def __init__(
        self,
        txt: dict[str, list[str]] | None = None,
        hosts: dict[str, list[str]] | None = None,
        mx: dict[str, list[str]] | None = None,
        ptr: dict[str, list[str]] | None = None,
        silent: str = "",
    ) -> None:
        self._tables = {"txt": txt or {}, "hosts": hosts or {}, "mx": mx or {}, "ptr": ptr or {}}
        self._silent = silent

    def _find(self, table: str, name: str) -> list[str]:
        if name == self._silent:
            raise Unanswered(f"{name}: timed out")
        return self._tables[table].get(name, [])

    def txt(self, name: str) -> list[str]:
        return self._find("txt", name)

    def addresses(self, name: str) -> list[str]:
        return self._find("hosts", name)

    def mail_hosts(self, name: str) -> list[str]:
        return self._find("mx", name)

    def names(self, address: str) -> list[str]:
        return self._find("ptr", address)


def spf(record: str | list[str], *, sender: str = HERE, is_certain: bool = True) -> Finding:
    records = [record] if isinstance(record, str) else record
    chain = {f"s{number}.example.org": [f"v=spf1 include:s{number + 1}.example.org -all"] for number in range(20)}
    table = Table(
        txt={
            DOMAIN: ["google-site-verification=x", *records],
            "_spf.example.net": [f"v=spf1 ip4:{HERE} -all"],
            "other.example.net": [f"v=spf1 ip4:{ELSEWHERE} -all"],
            "loop.example.net": ["v=spf1 include:loop.example.net -all"],
            **chain,
        },
        hosts={"mx.example.org": [HERE, SIX], DOMAIN: [HERE], "there.example.org": [ELSEWHERE]},
        mx={DOMAIN: ["mx.example.org"]},
        ptr={HERE: [f"a.{DOMAIN}"]},
    )
    return check_spf(DOMAIN, [sender], is_certain=is_certain, resolver=table)


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        pytest.param(f"v=spf1 ip4:{HERE} -all", Verdict.OK, id="the address"),
        pytest.param("v=spf1 ip4:198.51.100.0/24 -all", Verdict.OK, id="its network"),
        pytest.param("v=spf1 a -all", Verdict.OK, id="the domain's own address"),
        pytest.param("v=spf1 mx -all", Verdict.OK, id="who takes its mail"),
        pytest.param("v=spf1 a:there.example.org/0 -all", Verdict.OK, id="a length"),
        pytest.param("v=spf1 include:_spf.example.net ~all", Verdict.OK, id="included"),
        pytest.param("v=spf1 redirect=_spf.example.net", Verdict.OK, id="redirected"),
        pytest.param("V=SPF1 IP4:198.51.100.7 -ALL", Verdict.OK, id="capital letters"),
        pytest.param("v=spf1 unknown=modifier mx -all", Verdict.OK, id="unknown modifiers are nothing"),
        pytest.param(f"v=spf1 ip4:{ELSEWHERE} -all", Verdict.MEND, id="another address"),
        pytest.param("v=spf1 include:other.example.net ~all", Verdict.MEND, id="included, but not for us"),
        pytest.param("v=spf1 ?all", Verdict.MEND, id="neutral is no permission"),
        pytest.param("v=spf1", Verdict.MEND, id="empty"),
        pytest.param([], Verdict.MEND, id="no record"),
        pytest.param(["v=spf1 a -all", "v=spf1 mx -all"], Verdict.MEND, id="two records"),
        pytest.param("v=spf1 include:nowhere.example.net -all", Verdict.MEND, id="includes what is not there"),
        pytest.param("v=spf1 include:s0.example.org -all", Verdict.MEND, id="more than ten look-ups"),
        pytest.param("v=spf1 include:loop.example.net -all", Verdict.MEND, id="a loop"),
        pytest.param("v=spf1 a:x.test a:y.test a:z.test mx -all", Verdict.MEND, id="three look-ups find nothing"),
        pytest.param("v=spf1 ip4:198.51.100.999 -all", Verdict.MEND, id="no network"),
        pytest.param("v=spf1 ipv4:198.51.100.7 -all", Verdict.MEND, id="no mechanism"),
        pytest.param("v=spf1 exists:%{i}.example.org -all", Verdict.UNKNOWN, id="macros"),
    ],
)
def test_spf(record: str | list[str], verdict: Verdict) -> None:
    found = spf(record)
    assert (found.verdict, bool(found.do)) == (verdict, verdict is not Verdict.OK)


def test_spf_knows_ipv6() -> None:
    assert spf("v=spf1 mx -all", sender=SIX).verdict is Verdict.OK
    assert spf(f"v=spf1 ip4:{HERE} -all", sender=SIX).verdict is Verdict.MEND


def test_a_guessed_address_is_no_fault() -> None:
    found = spf(f"v=spf1 ip4:{ELSEWHERE} -all", is_certain=False)
    assert found.verdict is Verdict.UNKNOWN
    assert "--sending" in found.do


def test_what_to_add_is_said() -> None:
    assert f"ip4:{HERE}" in spf(f"v=spf1 ip4:{ELSEWHERE} -all").do
    assert f"v=spf1 ip4:{HERE} -all" in spf([]).do


@given(st.text(max_size=60))
def test_any_record_of_spf_is_read_without_an_error(text: str) -> None:
    assert spf(f"v=spf1 {text}").check == "SPF"


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        pytest.param([RECORD], Verdict.OK, id="ours"),
        pytest.param(["k=rsa; p=MIIB IjAN Bgkq"], Verdict.OK, id="blanks, no version"),
        pytest.param([], Verdict.MEND, id="none"),
        pytest.param(["v=DKIM1; p=AnotherKey"], Verdict.MEND, id="another key"),
        pytest.param(["v=DKIM1; k=ed25519; p=MIIBIjANBgkq"], Verdict.MEND, id="another kind"),
        pytest.param(["v=DKIM1; p="], Verdict.MEND, id="revoked"),
        pytest.param([RECORD, "v=DKIM1; p=Old"], Verdict.MEND, id="two keys"),
        pytest.param([RECORD + "; t=y"], Verdict.MEND, id="a test"),
    ],
)
def test_dkim(records: list[str], verdict: Verdict) -> None:
    found = check_dkim(DOMAIN, "broadsheet", RECORD, Table(txt={f"broadsheet._domainkey.{DOMAIN}": records}))
    assert found.verdict is verdict
    assert (RECORD in found.do) == (verdict is Verdict.MEND)


@pytest.mark.parametrize(
    ("policies", "envelope", "is_signed", "verdict"),
    [
        pytest.param({DOMAIN: ["v=DMARC1; p=none"]}, DOMAIN, False, Verdict.OK, id="aligned by the envelope"),
        pytest.param({DOMAIN: ["v=DMARC1; p=reject"]}, "mail.example.net", True, Verdict.OK, id="aligned by signature"),
        pytest.param({"example.org": ["v=DMARC1;p=none"]}, f"b.{DOMAIN}", False, Verdict.OK, id="of the domain above"),
        pytest.param({DOMAIN: ["v=DMARC1; p=none"]}, "mail.example.net", False, Verdict.MEND, id="nothing is aligned"),
        pytest.param({DOMAIN: ["v=DMARC1; p=none; aspf=s"]}, f"b.{DOMAIN}", False, Verdict.MEND, id="strict"),
        pytest.param({}, DOMAIN, True, Verdict.MEND, id="no policy"),
        pytest.param({DOMAIN: ["v=DMARC1"]}, DOMAIN, True, Verdict.MEND, id="no p"),
        pytest.param({DOMAIN: ["v=DMARC1; p=none"] * 2}, DOMAIN, True, Verdict.MEND, id="two policies"),
    ],
)
def test_dmarc(policies: dict[str, list[str]], envelope: str, is_signed: bool, verdict: Verdict) -> None:
    table = Table(txt={f"_dmarc.{domain}": texts for domain, texts in policies.items()})
    assert check_dmarc(DOMAIN, envelope, is_signed=is_signed, resolver=table).verdict is verdict


@pytest.mark.parametrize(
    ("ptr", "hosts", "verdict"),
    [
        pytest.param(["mx.example.org"], {"mx.example.org": [HERE]}, Verdict.OK, id="leads back"),
        pytest.param([], {}, Verdict.MEND, id="no name"),
        pytest.param(["mx.example.org"], {"mx.example.org": [ELSEWHERE]}, Verdict.MEND, id="leads elsewhere"),
    ],
)
def test_ptr(ptr: list[str], hosts: dict[str, list[str]], verdict: Verdict) -> None:
    found = check_names([HERE], Table(ptr={HERE: ptr}, hosts=hosts))
    assert [each.verdict for each in found] == [verdict]


@pytest.mark.parametrize(
    ("mx", "hosts", "verdict"),
    [
        pytest.param({DOMAIN: ["mx.example.org"]}, {"mx.example.org": [HERE]}, Verdict.OK, id="MX"),
        pytest.param({}, {DOMAIN: [HERE]}, Verdict.OK, id="only an address"),
        pytest.param({DOMAIN: ["."]}, {DOMAIN: [HERE]}, Verdict.MEND, id="takes no mail"),
        pytest.param({DOMAIN: ["mx.example.org"]}, {}, Verdict.MEND, id="leads nowhere"),
    ],
)
def test_mx(mx: dict[str, list[str]], hosts: dict[str, list[str]], verdict: Verdict) -> None:
    assert check_replies(DOMAIN, Table(mx=mx, hosts=hosts)).verdict is verdict


def test_silence_is_no_fault() -> None:
    table = Table(silent=DOMAIN)
    assert check_spf(DOMAIN, [HERE], is_certain=True, resolver=table).verdict is Verdict.UNKNOWN
    assert check_replies(DOMAIN, table).verdict is Verdict.UNKNOWN
    silent_key = Table(silent=f"broadsheet._domainkey.{DOMAIN}")
    assert check_dkim(DOMAIN, "broadsheet", RECORD, silent_key).verdict is Verdict.UNKNOWN
    assert check_dmarc(DOMAIN, DOMAIN, is_signed=True, resolver=Table(silent=f"_dmarc.{DOMAIN}")).verdict is (
        Verdict.UNKNOWN
    )
    assert [each.verdict for each in check_names([HERE], Table(silent=HERE))] == [Verdict.UNKNOWN]
