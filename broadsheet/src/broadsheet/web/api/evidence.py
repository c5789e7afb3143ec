"""What papers claim and what was measured of it; and the one address at which programs may tell something."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import orjson
from django.conf import settings
from django.http import HttpResponseBase
from pydantic import Field, JsonValue, RootModel

from broadsheet import links
from broadsheet.accounts.rules import Bearer, Role, Scope
from broadsheet.evidence import actions, rules
from broadsheet.evidence import queries as evidence
from broadsheet.evidence.actions import Outcome
from broadsheet.evidence.queries import Finding, Measured, Tier, Verdict
from broadsheet.evidence.rules.parsing import LARGEST_BYTES
from broadsheet.web import addresses
from broadsheet.web.api.endpoint import Asked, Endpoint, Example, told
from broadsheet.web.api.papers import known, moved
from broadsheet.web.api.parameters import Parameters
from broadsheet.web.api.problems import NotAnswered
from broadsheet.web.api.shapes import Shape

# Measurements of one claim that are told, and of those the ones whose whole record is.
MOST = 100
_MOST_RECORDS = 20

_VERDICT = "`holds`, `holds in direction`, `does not hold` or `inconclusive`: computed here from values and pass mark."
_TIER = "Who measured: `this instance`, `third party` or `author`."


class OfEvidence(Parameters):
    """Which records are told whole."""

    records: Literal["counting", "all", "none"] = Field(
        default="counting",
        description=f"Which records are told whole: that of each claim that counts, {_MOST_RECORDS} of each, or none.",
        examples=["none"],
    )


class OfRecord(Parameters):
    """Who measured what is sent."""

    tier: Literal["this instance", "third party", "author"] | None = Field(
        default=None,
        description=f"{_TIER} A third party when it is not said, or what was said when the record came before.",
        examples=["third party"],
    )


class Summary(Shape):
    """The figures of a measurement. Means and spreads are over seeds, in `unit`."""

    metric: str = Field(description="What was measured.", examples=["steps until the gradient norm is below 1e-6"])
    unit: str = Field(description="Its unit; empty when it has none.", examples=["steps"])
    lower_is_better: bool = Field(description="Whether less is better.", examples=[True])
    seeds: int = Field(description="How many seeds there were.", examples=[3])
    method: str = Field(description="The paper's method.", examples=["Lantern"])
    method_mean: float = Field(description="Its mean.", examples=[317.7])
    method_spread: float | None = Field(description="Its sample standard deviation; null for one seed.", examples=[7.5])
    baseline: str | None = Field(description="The baseline with the best mean; null for none.", examples=["momentum"])
    baseline_mean: float | None = Field(description="The mean of that baseline.", examples=[707.0])
    baseline_spread: float | None = Field(description="The sample standard deviation of it.", examples=[21.4])
    compared: str = Field(
        description="What is compared with the pass mark: `ratio`, of the method to the best baseline of each seed, or "
        "`value`.",
        examples=["ratio"],
    )
    mark: float = Field(description="The pass mark.", examples=[0.5])
    middle: float = Field(description="What was found: a geometric mean of ratios, or a mean.", examples=[0.449])
    low: float | None = Field(description="The lower end of its 95 % interval; null for one seed.", examples=[0.425])
    high: float | None = Field(description="The upper end of it.", examples=[0.475])


class Measurement(Shape):
    """One measurement of a claim."""

    verdict: str = Field(description=_VERDICT, examples=["holds"])
    counts: bool = Field(description="Whether it is the one that the claim's verdict comes from.", examples=[True])
    tier: str = Field(description=_TIER, examples=["third party"])
    source: str = Field(description="The program that made it.", examples=["offprints"])
    name: str = Field(description="What that calls the claim.", examples=["lantern"])
    origin: str = Field(description="The way it came here.", examples=["file measurement.json"])
    measured_at: datetime = Field(description="When it was run, in UTC.", examples=["2024-01-03T12:00:00Z"])
    received_at: datetime = Field(description="When it came here, in UTC.", examples=["2024-01-04T08:00:00Z"])
    figures: Summary = Field(description="Its figures.")
    record: dict[str, JsonValue] | None = Field(
        description="The whole record as it was received, in the format `offprints-measurement/1`; null where it was "
        "not asked for.",
        examples=[{"format": "offprints-measurement/1"}],
    )


class Claimed(Shape):
    """A claim of the paper."""

    text: str = Field(description="The claim, with TeX.", examples=["Lantern needs fewer steps than momentum."])
    figures: str | None = Field(description="What the paper gives as figures.", examples=["3 times fewer"])
    source: str = Field(description="Who read it out of the paper.", examples=["catalogue"])
    source_key: str = Field(description="What the source calls it.", examples=["lantern"])
    runnable: str = Field(description="Whether a laptop can test it: `yes`, `partly` or `no`.", examples=["yes"])
    experiment: str | None = Field(description="An experiment that could refute it.", examples=["Three quadratics."])
    peers: list[str] = Field(description="What to compare with.", examples=[["momentum"]])
    verdict: str | None = Field(description=f"{_VERDICT} Null while nobody has measured it.", examples=["holds"])
    measurements: list[Measurement] = Field(
        description=f"The measurement that counts, then the others, the newest first; {MOST} at most.", examples=[[]]
    )
    more: int = Field(description="How many measurements are not told.", examples=[0])


class Evidence(Shape):
    """What a paper claims, and what was measured of it."""

    id: str = Field(description="The paper's key.", examples=["2401.00001"])
    url: str = Field(description="Its page.", examples=["http://localhost/papers/2401.00001"])
    holds: bool | None = Field(
        description="Whether a claim of it held up; null while nobody has measured one.", examples=[True]
    )
    claims: list[Claimed] = Field(description="Its claims, those that were measured first.", examples=[[]])


class Received(Shape):
    """What became of a record that was sent."""

    outcome: str = Field(
        description="`stored`; `known`, when the same record was here; `moved`, when only its tier is another now.",
        examples=["stored"],
    )
    id: str = Field(description="The key of the paper that it is about.", examples=["2401.00001"])
    evidence: str = Field(
        description="All that is known of that paper's claims.",
        examples=["http://localhost/api/v1/papers/2401.00001/evidence"],
    )
    name: str = Field(description="What the record calls the claim.", examples=["lantern"])
    verdict: str = Field(description=_VERDICT, examples=["holds"])
    tier: str = Field(description=_TIER, examples=["third party"])


class Record(RootModel[dict[str, JsonValue]]):
    """A record of a measurement in the format ``offprints-measurement/1``, whose schema comes with Offprints."""


def of_paper(asked: Asked[OfEvidence], key: str) -> Evidence | HttpResponseBase:
    """The claims of a paper with their measurements, or where its own address is. Raises NotAnswered."""
    row = known(key)
    if row.key != key:
        return moved(asked, addresses.api_paper(row.key, links.API_EVIDENCE))
    found = evidence.known([row.id]).get(row.id, evidence.Known())
    texts = evidence.texts(_whole(found, asked.parameters.records))
    return Evidence(
        id=row.key,
        url=asked.base + addresses.paper(row.key),
        holds=found.holds if found.findings else None,
        claims=[
            *(_measured_claim(finding, texts) for finding in found.findings),
            *(_claim(claim) for claim in found.unmeasured),
        ],
    )


def store(asked: Asked[OfRecord]) -> HttpResponseBase:
    """Store the record that was sent. Raises NotAnswered."""
    said = asked.parameters.tier
    if asked.bearer and said not in (None, Tier.THIRD_PARTY):
        raise NotAnswered(
            "forbidden",
            "With a personal token you tell what you measured yourself, as a third party. The token of the instance "
            "tells of others. Nothing was stored.",
        )
    origin = f"the API, from {asked.bearer.person.name}" if asked.bearer else "the API"
    # A person's word does not change who is known to have measured a record that came before.
    tier = Tier(said) if said and not asked.bearer else None
    try:
        received = actions.store_measurement(asked.body, tier=tier, origin=origin)
    except rules.RecordRefused as error:
        raise NotAnswered("unprocessable", str(error)) from error
    made = Received(
        outcome=received.outcome,
        id=received.paper,
        evidence=asked.base + addresses.api_paper(received.paper, links.API_EVIDENCE),
        name=received.name,
        verdict=received.verdict,
        tier=received.tier,
    )
    return told(made, status=201 if received.outcome is Outcome.STORED else 200)


def _refuse_strangers(token: str, bearer: Bearer | None) -> None:
    """Pass who has the token of this instance, and curators with one of their own for it. Raises NotAnswered."""
    if bearer is not None:
        _refuse_readers(bearer)
        return
    expected = settings.BROADSHEET_EVIDENCE_TOKEN
    if not token:
        sentence = "Send the token of this instance, as in Authorization: Bearer TOKEN"
        raise NotAnswered("unauthorized", sentence, headers={"WWW-Authenticate": 'Bearer realm="evidence"'})
    if not expected:
        raise NotAnswered(
            "forbidden", "This instance takes no measurements from programs: its operator has set no token."
        )
    if not hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode()):
        headers = {"WWW-Authenticate": 'Bearer realm="evidence", error="invalid_token"'}
        raise NotAnswered(
            "unauthorized", "This is not the token of this instance. Nothing was stored.", headers=headers
        )


def _refuse_readers(bearer: Bearer) -> None:
    if not bearer.may(Scope.WRITE_EVIDENCE):
        headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{Scope.WRITE_EVIDENCE}"'}
        sentence = f"This token is not good for '{Scope.WRITE_EVIDENCE}'. Make one that is, on the page of your tokens."
        raise NotAnswered("forbidden", sentence, headers=headers)
    if not bearer.person.is_a(Role.CURATOR):
        raise NotAnswered("forbidden", "Measurements are told by curators: what they say stands on a paper's page.")


def _whole(found: evidence.Known, wanted: str) -> list[int]:
    """The measurements whose whole records are told."""
    if wanted == "none":
        return []
    others = _MOST_RECORDS - 1 if wanted == "all" else 0
    return [measured.id for finding in found.findings for measured in (finding.measured, *finding.others[:others])]


def _measured_claim(finding: Finding, texts: Mapping[int, str]) -> Claimed:
    shown = (finding.measured, *finding.others)[:MOST]
    measurements = [_measurement(each, texts, counts=each is finding.measured) for each in shown]
    return _claim(
        finding.claim,
        verdict=finding.measured.verdict,
        measurements=measurements,
        more=1 + len(finding.others) - len(shown),
    )


def _claim(
    claim: evidence.Claim,
    *,
    verdict: Verdict | None = None,
    measurements: list[Measurement] | None = None,
    more: int = 0,
) -> Claimed:
    return Claimed(
        text=claim.text,
        figures=claim.value or None,
        source=claim.source,
        source_key=claim.source_key,
        runnable=claim.runnable,
        experiment=claim.experiment or None,
        peers=list(claim.peers),
        verdict=verdict,
        measurements=measurements or [],
        more=more,
    )


def _measurement(measured: Measured, texts: Mapping[int, str], *, counts: bool) -> Measurement:
    text = texts.get(measured.id)
    return Measurement(
        verdict=measured.verdict,
        counts=counts,
        tier=measured.tier,
        source=measured.source,
        name=measured.name,
        origin=measured.origin,
        measured_at=measured.measured_at,
        received_at=measured.received_at,
        figures=_summary(measured.figures),
        record=None if text is None else orjson.loads(text),
    )


def _summary(found: evidence.Figures) -> Summary:
    said: dict[str, Any] = {name: getattr(found, name) for name in Summary.model_fields}
    return Summary(**{**said, "baseline": found.baseline or None})


ENDPOINTS = (
    Endpoint(
        path=links.API_EVIDENCE,
        name="get_evidence",
        summary="What a paper claims, and what was measured",
        description="Every claim of the paper that is known here, with its measurements: figures, verdict, who "
        "measured and the whole record. A claim's verdict is that of the measurement that counts: of this instance "
        "before one of a third party before one of the authors, and of several of one kind the newest.",
        parameters=OfEvidence,
        shape=Evidence,
        answer=of_paper,
        problems=("unknown-paper",),
        redirects=True,
        examples=(Example("The claims of a paper", "/api/v1/papers/2401.00001/evidence"),),
    ),
    Endpoint(
        path=links.API_MEASUREMENTS,
        name="post_evidence",
        summary="Store a measurement",
        description="Takes one record in the format `offprints-measurement/1`. The verdict is computed from its "
        "values; a record that states another one, or that cannot be believed for another reason, is refused with "
        "the reason. The same record again changes nothing. Needs the token that the operator has set as "
        "`evidence_token`, or the personal token of a curator with the scope `write:evidence`, who measured as a third "
        "party.",
        parameters=OfRecord,
        shape=Received,
        answer=store,
        method="POST",
        problems=("unauthorized", "forbidden"),
        takes=Record,
        largest_body=LARGEST_BYTES,
        admit=_refuse_strangers,
    ),
)
