"""Digests by mail: nobody is subscribed who did not press a button, and whoever has the link is out with one."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import lxml.html
import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadsheet import links
from broadsheet.accounts.rules import Person
from broadsheet.following.actions import subscribing as actions
from broadsheet.following.models import Asked, Delivery, Subscriber, Subscription
from broadsheet.following.queries import subscribing as queries
from broadsheet.following.rules.delivering import ASKS
from broadsheet.following.rules.subscribing import Cadence, Wish
from broadsheet.mailing.message import Outgoing
from broadsheet.testing.cast import LANTERN
from broadsheet.testing.hostile_texts import HOSTILE
from broadsheet.testing.people import PASSWORD, ada, alone, bela, signed_in
from broadsheet.web import rates
from broadsheet.web.digests import Composer, asking

pytestmark = pytest.mark.django_db

ADDRESS = "ada@example.org"
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM_TYPE = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked is asked at one moment, however slow the machine: quotas fill up again as time goes by."""
    now = time.time()
    monkeypatch.setattr(rates.counts, "_clock", lambda: now)


POSTED: list[Outgoing] = []


@pytest.fixture(autouse=True)
def _nothing_posted() -> None:
    POSTED.clear()


def posted() -> list[Outgoing]:
    """The mails that ask to confirm, after the worker has had its turn."""
    for row in Delivery.objects.filter(edition=ASKS, state="waiting"):
        made = Composer().compose(row.subscription_id, row.edition)
        assert isinstance(made, Outgoing)
        POSTED.append(made)
        Delivery.objects.filter(id=row.id).update(state="sent", finished_at=timezone.now())
    return POSTED


@pytest.fixture(autouse=True)
def _sends_mail(settings: Any) -> None:
    settings.BROADSHEET_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "broadsheet@papers.example.org"


@pytest.fixture
def visitor() -> Client:
    """A browser without cookies, which is held to what protects against forged forms."""
    return Client(enforce_csrf_checks=True)


def ask(client: Client, **sent: Any) -> Any:
    """Send the form on /mail."""
    return client.post(links.SUBSCRIBE, {"address": ADDRESS, **sent}, REMOTE_ADDR="192.0.2.77")


def confirmation() -> str:
    """The path of the link in the newest mail."""
    found = re.search(r"https?://[^/\s]+(/mail/confirm/\S+)", posted()[-1].text)
    assert found
    return found[1]


def time_passes(hours: int = 1) -> None:
    """After an hour, whoever was asked once may be asked again."""
    Asked.objects.update(asked_at=F("asked_at") - timedelta(hours=hours))


def subscribed(client: Client, **sent: Any) -> Subscription:
    """Somebody who asked and confirmed, an hour ago."""
    ask(client, **sent)
    assert client.post(confirmation()).status_code == 200
    time_passes()
    return Subscription.objects.get(subscriber__address=sent.get("address", ADDRESS), confirmed_at__isnull=False)


def asked_secret() -> str:
    """Have the address asked without a page; the secret of that mail."""
    now = timezone.now()
    actions.ask(address=ADDRESS, wish=Wish(Cadence.DAY, 8, "UTC"), consent={}, now=now)
    found = queries.asking(Delivery.objects.get(edition=ASKS).subscription_id, now=now)
    assert found is not None
    return found.secret


def rows() -> list[object]:
    """Everything that is stored of mail."""
    return [list(table.objects.order_by("id").values()) for table in (Subscriber, Subscription, Asked)]


def html(response: Any) -> Any:
    """The tree of a page."""
    return lxml.html.document_fromstring(response.content)


def text(response: Any) -> str:
    """What a page says."""
    return " ".join(html(response).find(".//main").text_content().split())


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_a_visitor_asks_confirms_with_one_button_and_is_told_when_the_first_comes(visitor: Client) -> None:
    answer = ask(visitor, cadence="week", hour="7", zone="Europe/Berlin", section=["cs.LG"], searches="lamp\n")
    assert answer.status_code == 200
    assert f"If {ADDRESS} is right, a mail is on its way" in text(answer)
    row = Subscription.objects.get()
    assert (row.confirmed_at, row.next_at) == (None, None)
    page = visitor.get(confirmation())
    assert len(re.findall(rb"<button", lxml.html.tostring(html(page).find(".//main")))) == 1
    told = text(visitor.post(confirmation()))
    row.refresh_from_db()
    assert row.confirmed_at is not None
    assert row.subscriber.confirmed_at is not None
    assert row.next_at is not None
    assert "Every Tuesday at 07:00, Europe/Berlin" in told
    assert "The first digest is due on Tuesday" in told
    assert (row.sections, row.searches) == (["cs.LG"], ["lamp"])


def test_the_short_form_asks_for_the_usual(visitor: Client) -> None:
    row = subscribed(visitor, form="front", zone="")
    assert (row.cadence, row.hour, row.zone, row.sections) == ("day", 7, "UTC", [])
    assert row.consent["form"] == "front"


def test_it_is_kept_when_where_and_how_somebody_agreed(visitor: Client) -> None:
    consent = subscribed(visitor).consent
    assert (consent["form"], consent["from"]) == ("page", "192.0.2.0/24")
    assert datetime.fromisoformat(consent["asked"]) <= datetime.fromisoformat(consent["confirmed"])


def test_nothing_that_a_stranger_typed_stands_in_the_mail_that_asks(visitor: Client, settings: Any) -> None:
    """Else anybody could have anybody written to in our name."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.BROADSHEET_ADDRESS = "https://papers.example.org"
    sent = {"address": ADDRESS, "searches": "You won, claim at https://attacker.example/claim"}
    visitor.post(links.SUBSCRIBE, sent, REMOTE_ADDR="192.0.2.77", HTTP_HOST="attacker.example")
    told = posted()[0].as_bytes().decode()
    assert "attacker" not in told
    assert "You won" not in told
    assert "1 search" in told.replace("=C2=A0", " ")
    assert "https://papers.example.org/mail/confirm/" in posted()[0].text


def test_the_mail_that_asks_has_one_link_and_no_headers_of_lists(visitor: Client) -> None:
    ask(visitor)
    [sent] = posted()
    message = message_from_bytes(sent.as_bytes(), policy=default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert not [name for name in message if name.lower().startswith(("list-", "precedence"))]
    [_, rich_part] = list(message.walk())[1:]
    rich = lxml.html.document_fromstring(rich_part.get_content())
    assert [link.get("href") for link in rich.iter("a")] == [f"http://localhost:8000{confirmation()}"]
    assert sent.text.count("/mail/confirm/") == 1
    assert "ignore this mail" in sent.text
    assert sent.to == ADDRESS


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        pytest.param({"address": "ada"}, "This is no mail address", id="no address"),
        pytest.param({"address": "ada@example"}, "This is no mail address", id="no domain"),
        pytest.param({"address": "a@b.example\r\nBcc: c@d.example"}, "This is no mail address", id="two lines"),
        pytest.param({"address": "Ada <ada@example.org>"}, "This is no mail address", id="with a name"),
        pytest.param({"zone": "Europe/Atlantis"}, "knows no time zone", id="a zone that is none"),
        pytest.param({"zone": "../../etc/passwd"}, "knows no time zone", id="a zone that is a path"),
        pytest.param({"hour": "24"}, "Choose an hour from 0 to 23", id="no hour"),
        pytest.param({"hour": "٧"}, "Choose an hour from 0 to 23", id="digits of another script"),
        pytest.param({"cadence": "hour"}, "Choose every day", id="no cadence"),
        pytest.param({"section": ["cs.LG", "no-such"]}, "One of these sections", id="no section"),
        pytest.param({"section": [f"cs.{n}" for n in range(31)]}, "30 sections are the most", id="too many sections"),
        pytest.param({"searches": "sort:newest"}, "Search 1 asks for nothing", id="a search for nothing"),
        pytest.param({"searches": "lamp\nyear:soon"}, "Search 2 has a filter", id="a filter that is none"),
        pytest.param({"searches": "lamp " * 100}, "Search 1 is too long", id="a long search"),
        pytest.param({"searches": "a\nb\nc\nd\ne\nf"}, "5 searches are the most", id="too many searches"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    visitor: Client, sent: dict[str, Any], sentence: str
) -> None:
    answer = ask(visitor, **{"cadence": "week", "hour": "9", "zone": "Asia/Kolkata", "searches": "harbour", **sent})
    assert answer.status_code == 422
    [problem] = html(answer).xpath("//b[@class='problem']")
    assert sentence in problem.text_content()
    field = problem.get("id").removesuffix("_problem")
    page = html(answer)
    chosen = {option.get("value") for option in page.xpath("//option[@selected]")}
    for name, kept in (("cadence", "week"), ("hour", "9"), ("zone", "Asia/Kolkata")):
        assert name == field or kept in chosen
    assert field == "searches" or page.get_element_by_id("searches").text.strip() == "harbour"
    assert field == "address" or page.get_element_by_id("address").get("value") == ADDRESS
    assert not Subscriber.objects.exists()
    assert posted() == []


def test_a_hostile_text_stays_a_text(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "client_of", lambda _request: None)
    for number, hostile in enumerate(HOSTILE):
        fields = ("address", "zone", "hour", "cadence", "section", "searches")
        answer = ask(visitor, **dict.fromkeys(fields, hostile))
        assert answer.status_code < 500, number
        assert not [each for each in html(answer).iter("script") if not each.get("src", "").startswith("/static/")]
        assert not html(answer).xpath("//main//@*[starts-with(name(), 'on')] | //main//iframe | //main//img")


def test_all_that_is_wrong_is_said_at_once(visitor: Client) -> None:
    answer = ask(visitor, address="ada", zone="Mars", hour="x", cadence="x")
    assert len(html(answer).xpath("//b[@class='problem']")) == 4


STANDINGS = ["new", "waiting", "confirmed", "left", "blocked"]


def _stand(client: Client, standing: str) -> None:
    if standing in ("waiting",):
        ask(client)
    if standing in ("confirmed", "left", "blocked"):
        row = subscribed(client)
        if standing == "left":
            client.post(links.LEAVE.format(key=row.key))
        if standing == "blocked":
            Subscriber.objects.update(blocked_at=timezone.now(), blocked_because="The address does not exist.")


def test_the_answer_is_the_same_for_every_address(visitor: Client) -> None:
    answers = set()
    for standing in STANDINGS:
        Subscriber.objects.all().delete()
        Asked.objects.all().delete()
        _stand(visitor, standing)
        answer = ask(visitor)
        answers.add((answer.status_code, answer.content, tuple(sorted(answer.headers.items()))))
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("standing", "mails"),
    [
        pytest.param("new", 1, id="new"),
        pytest.param("waiting", 0, id="waiting, asked within the hour"),
        pytest.param("confirmed", 1, id="confirmed"),
        pytest.param("left", 1, id="left"),
        pytest.param("blocked", 0, id="blocked"),
    ],
)
def test_which_address_is_asked(visitor: Client, standing: str, mails: int) -> None:
    _stand(visitor, standing)
    before = len(posted())
    ask(visitor)
    assert len(posted()) - before == mails


def test_an_address_is_asked_once_an_hour_and_the_earlier_mail_confirms_the_newest_wish(visitor: Client) -> None:
    ask(visitor, cadence="day")
    for _ in range(5):
        ask(visitor, cadence="month")
    assert len(posted()) == 1
    assert "On the 2nd of every month" in text(visitor.post(confirmation()))
    time_passes()
    ask(visitor, cadence="day")
    assert len(posted()) == 2


def test_asking_is_counted_for_a_network(visitor: Client) -> None:
    answers = [ask(visitor, address=f"reader-{n}@example.org").status_code for n in range(31)]
    assert answers == [200] * 30 + [429]


def test_the_page_waits_for_no_mail_server(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: object) -> None:
        raise AssertionError("asked within the request")

    monkeypatch.setattr(EmailBackend, "open", refuse)
    for standing in STANDINGS:
        Subscriber.objects.all().delete()
        Asked.objects.all().delete()
        _stand(visitor, standing)
        assert ask(visitor).status_code == 200
    assert mail.outbox == []


def test_what_is_known_of_an_address_cannot_be_told_by_the_time_that_it_takes(visitor: Client) -> None:
    """What is asked of the database is nearly the same, and a mail server is never waited for."""
    counted = {}
    for standing in STANDINGS:
        Subscriber.objects.all().delete()
        Asked.objects.all().delete()
        _stand(visitor, standing)
        with CaptureQueriesContext(connection) as asked:
            ask(visitor)
        counted[standing] = len([each for each in asked if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))])
    assert max(counted.values()) - min(counted.values()) <= 2, counted


def test_asking_a_blocked_address_leaves_no_trace(visitor: Client) -> None:
    _stand(visitor, "blocked")
    posted()
    before = rows()
    ask(visitor, cadence="month")
    assert rows() == before
    assert not Delivery.objects.filter(state="waiting").exists()


def test_the_mail_is_made_again_the_same_after_a_crash(visitor: Client) -> None:
    ask(visitor)
    row = Delivery.objects.get(edition=ASKS)
    now = timezone.now()
    one, other = (Composer().compose(row.subscription_id, ASKS, now) for _ in range(2))
    assert one == other
    assert isinstance(one, Outgoing)
    assert one.message_id.startswith("<asks.")


def test_what_was_confirmed_is_not_asked_again(visitor: Client) -> None:
    row = subscribed(visitor)
    assert not Delivery.objects.exists()
    assert Composer().compose(row.id, ASKS) == asking.SETTLED


def test_when_no_mail_can_be_sent_at_all_the_page_says_what_the_operator_has_to_set(
    visitor: Client, settings: Any
) -> None:
    settings.BROADSHEET_MAIL = False
    assert "BROADSHEET_MAIL_HOST" in text(visitor.get(links.SUBSCRIBE))
    assert ask(visitor).status_code == 409
    assert not Subscriber.objects.exists()


def test_the_page_of_another_site_cannot_send_the_form(visitor: Client) -> None:
    assert (
        visitor.post(links.SUBSCRIBE, {"address": ADDRESS}, HTTP_ORIGIN="https://attacker.example").status_code == 403
    )
    assert visitor.post(links.SUBSCRIBE, {"address": ADDRESS}, HTTP_ORIGIN="http://testserver").status_code == 200


def test_the_front_page_offers_it_to_visitors_where_mail_is_sent(press: Any, visitor: Client, settings: Any) -> None:
    press([LANTERN])
    form = 'class="subscribe"'
    assert form in visitor.get("/").content.decode()
    assert form not in signed_in(Client(), ada()).get("/").content.decode()
    settings.BROADSHEET_MAIL = False
    assert form not in visitor.get("/").content.decode()


def test_nobody_keeps_what_was_never_confirmed(visitor: Client) -> None:
    ask(visitor)
    long_ago = timezone.now() - timedelta(days=8)
    Subscriber.objects.update(made_at=long_ago)
    Subscription.objects.update(secret_until=timezone.now() - timedelta(days=1))
    ask(visitor, address="bela@example.org")
    actions.forget_unconfirmed(now=timezone.now())
    assert list(Subscriber.objects.values_list("address", flat=True)) == ["bela@example.org"]


# --- Links, and programs that follow them -----------------------------------------------------------------------------


@pytest.fixture
def addresses(visitor: Client) -> list[str]:
    """The four addresses that stand in mails, of somebody who is subscribed and asks for another digest."""
    row = subscribed(visitor)
    ask(visitor, cadence="month")
    return [
        links.SUBSCRIBE,
        confirmation(),
        links.MANAGE.format(key=row.key),
        links.LEAVE.format(key=row.key),
    ]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_looking_changes_nothing(addresses: list[str], method: str) -> None:
    before = rows()
    for path in addresses:
        answer = Client().generic(method, path, HTTP_ACCEPT="text/html")
        assert answer.status_code == (200 if method in ("GET", "HEAD") else 405), path
    assert rows() == before


def test_a_scanner_that_follows_every_link_of_mails_and_pages_changes_nothing(addresses: list[str]) -> None:
    """As mail programs' guards do: all links of the mail, and those of the pages behind them, and pictures."""
    before, seen, waiting = rows(), set(), list(addresses)
    while waiting:
        path = waiting.pop()
        if path in seen or not path.startswith("/mail"):
            continue
        seen.add(path)
        answer = Client().get(path)
        page = html(answer)
        waiting += [each.get("href", "") for each in page.iter("a", "link")]
    assert set(addresses) <= seen
    assert rows() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_wrong_used_and_expired_secrets_are_answered_alike(visitor: Client, method: str) -> None:
    ask(visitor)
    used = confirmation()
    visitor.post(used)
    ask(visitor, cadence="month")
    expired = confirmation()
    Subscription.objects.filter(confirmed_at=None).update(secret_until=timezone.now())
    never = links.CONFIRM.format(secret="A" * 43)
    answers = [getattr(Client(), method)(path) for path in (used, expired, never)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert "This link does nothing" in text(answers[0])


def test_a_secret_holds_for_seven_days_and_is_kept_as_a_digest_only(visitor: Client) -> None:
    ask(visitor)
    secret = confirmation().rpartition("/")[2]
    row = Subscription.objects.get()
    assert secret not in str(rows())
    assert row.secret_until is not None
    assert abs(row.secret_until - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert visitor.post(confirmation()).status_code == 200
    row.refresh_from_db()
    assert row.secret_digest == ""


# --- Leaving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(ONE_CLICK, FORM_TYPE, id="a form"),
        pytest.param(
            '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            id="a form of several parts",
        ),
        pytest.param("", FORM_TYPE, id="nothing, which is no reason to go on sending"),
    ],
)
def test_one_click_without_cookies_from_anywhere_takes_effect(visitor: Client, body: str, kind: str) -> None:
    row = subscribed(visitor)
    answer = Client(enforce_csrf_checks=True).post(
        links.LEAVE.format(key=row.key), body, content_type=kind, HTTP_ORIGIN="https://mail.example"
    )
    assert answer.status_code == 200
    assert not answer.cookies
    row.refresh_from_db()
    assert (row.left_by, row.next_at) == ("one-click", None)
    assert row.left_at is not None


def test_leaving_is_answered_alike_for_every_key(visitor: Client) -> None:
    key = subscribed(visitor).key
    answers = [Client().post(links.LEAVE.format(key=each)) for each in (key, key, "B" * 43, "x")]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    pages = [Client().get(links.LEAVE.format(key=each)) for each in (key, "B" * 43)]
    assert len({page.content for page in pages}) == 1


def test_a_thousand_programs_of_one_provider_may_leave(visitor: Client) -> None:
    answers = {Client().post(links.LEAVE.format(key=f"k{n}"), REMOTE_ADDR="192.0.2.9").status_code for n in range(100)}
    assert answers == {200}


def test_a_fault_of_ours_is_told_so_that_the_program_tries_again(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def fail(**_: object) -> bool:
        raise OperationalError("database is locked")

    key = subscribed(visitor).key
    monkeypatch.setattr(actions, "leave", fail)
    answer = visitor.post(links.LEAVE.format(key=key))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"


def test_who_left_comes_back_with_the_same_key(visitor: Client) -> None:
    row = subscribed(visitor)
    manage = links.MANAGE.format(key=row.key)
    visitor.post(manage, {"do": "leave"})
    assert "gets nothing since" in text(visitor.get(manage))
    row.refresh_from_db()
    assert (row.left_by, row.next_at) == ("page", None)
    assert "You get it again" in text(visitor.post(manage, {"do": "back"}))
    row.refresh_from_db()
    assert (row.left_at, row.left_by) == (None, "")
    assert row.next_at is not None
    assert len(posted()) == 1


# --- Changing ---------------------------------------------------------------------------------------------------------


def test_who_has_the_key_changes_what_she_gets(visitor: Client) -> None:
    row = subscribed(visitor)
    manage = links.MANAGE.format(key=row.key)
    sent = {"do": "change", "cadence": "week", "hour": "21", "zone": "America/Nuuk", "section": "cs.LG", "mine": "yes"}
    answer = visitor.post(manage, sent)
    assert "Your choice is kept" in text(answer)
    row.refresh_from_db()
    assert (row.cadence, row.hour, row.zone, row.sections, row.mine) == ("week", 21, "America/Nuuk", ["cs.LG"], False)
    assert row.next_at is not None
    assert row.next_at.astimezone(UTC).minute == 0
    wrong = visitor.post(manage, sent | {"hour": "99"})
    assert wrong.status_code == 422
    row.refresh_from_db()
    assert row.hour == 21


def test_pages_with_a_key_are_kept_and_listed_by_nobody_and_tell_no_other_page(addresses: list[str]) -> None:
    for path in addresses[1:]:
        answer = Client().get(path)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert b'<meta name="robots" content="noindex">' in answer.content


def test_a_second_digest_of_the_same_cadence_changes_the_first_and_its_key_stays(visitor: Client) -> None:
    key = subscribed(visitor, hour="7").key
    ask(visitor, hour="9")
    visitor.post(confirmation())
    row = Subscription.objects.get()
    assert (row.key, row.hour) == (key, 9)
    time_passes()
    ask(visitor, cadence="week")
    visitor.post(confirmation())
    assert sorted(Subscription.objects.values_list("cadence", flat=True)) == ["day", "week"]
    answer = visitor.post(links.MANAGE.format(key=key), {"do": "change", "cadence": "week"})
    assert answer.status_code == 422
    assert "every week already" in text(answer)


def test_a_key_of_somebody_who_never_confirmed_does_nothing(visitor: Client) -> None:
    ask(visitor)
    key = Subscription.objects.get().key
    before = rows()
    assert visitor.get(links.MANAGE.format(key=key)).status_code == 404
    assert visitor.post(links.MANAGE.format(key=key), {"do": "back"}).status_code == 404
    assert visitor.post(links.LEAVE.format(key=key)).status_code == 200
    assert rows() == before


# --- With an account --------------------------------------------------------------------------------------------------


def with_address(person: Person, *, verified: bool = True) -> Person:
    """The person, whose account has a mail address."""
    user = get_user_model().objects.get(id=person.id)
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    return person


def test_a_reader_with_a_confirmed_address_subscribes_with_one_button(client: Client) -> None:
    signed_in(client, with_address(ada()))
    answer = client.post(links.MY_MAIL, {"cadence": "day", "hour": "6", "zone": "UTC", "mine": "yes"})
    assert "Your choice is kept" in text(answer)
    [found] = queries.of_person(ada().id)
    assert (found.address, found.wish.mine, found.is_on) == (ADDRESS, True, True)
    assert posted() == []
    assert mail.outbox == []
    assert html(client.get(links.MY_MAIL)).xpath("//*[@id='cadence']/option[@selected]/@value") == ["week"]
    again = client.post(links.MY_MAIL, {"cadence": "day"})
    assert again.status_code == 422
    assert "every day already" in text(again)


def test_a_reader_takes_over_what_her_address_got_without_an_account(client: Client, visitor: Client) -> None:
    key = subscribed(visitor).key
    signed_in(client, with_address(ada()))
    assert client.post(links.MY_MAIL, {"cadence": "week"}).status_code == 200
    found = {each.wish.cadence: each for each in queries.of_person(ada().id)}
    assert found[Cadence.DAY].key == key
    assert set(found) == {Cadence.DAY, Cadence.WEEK}


def test_what_is_mine_can_be_asked_for_with_an_account_only(client: Client) -> None:
    signed_in(client, with_address(ada()))
    client.post(links.MY_MAIL, {"mine": "yes"})
    [found] = queries.of_person(ada().id)
    manage = links.MANAGE.format(key=found.key)
    assert "what I follow" in text(client.get(manage))
    Client().post(manage, {"do": "change"})
    assert queries.of_person(ada().id)[0].wish.mine is False


def test_an_address_that_nobody_confirmed_is_sent_nothing(client: Client) -> None:
    signed_in(client, with_address(bela(), verified=False))
    answer = client.post(links.MY_MAIL, {"cadence": "day"})
    assert "no confirmed mail address" in text(answer)
    assert not Subscriber.objects.exists()


def test_the_new_address_of_an_account_gets_its_mail_once_it_is_confirmed(client: Client) -> None:
    she = with_address(ada())
    signed_in(client, she)
    client.post(links.MY_MAIL, {"cadence": "day"})
    client.post("/account/confirm", {"password": PASSWORD})
    client.post(links.ADDRESS, {"email": "new@example.org", "action_add": ""})
    assert [each.address for each in queries.of_person(she.id)] == [ADDRESS]
    link = re.search(r"https?://[^/\s]+(/\S+)", str(mail.outbox[-1].body))
    assert link
    client.post(link[1])
    assert [each.address for each in queries.of_person(she.id)] == ["new@example.org"]


def test_another_address_of_the_account_gets_the_mail_from_the_next_choice_on(client: Client, visitor: Client) -> None:
    she = with_address(ada())
    signed_in(client, she)
    client.post(links.MY_MAIL, {"cadence": "day"})
    subscribed(visitor, address="new@example.org", cadence="month")
    EmailAddress.objects.update(email="new@example.org")
    client.post(links.MY_MAIL, {"cadence": "week"})
    assert {each.address for each in queries.of_person(she.id)} == {"new@example.org"}
    assert {each.wish.cadence for each in queries.of_person(she.id)} == set(Cadence)
    assert html(client.get(links.MY_MAIL)).xpath("//*[@id='cadence']") == []
    assert Subscriber.objects.count() == 1


def test_alone_on_a_machine_the_reader_has_no_address_and_subscribes_without(client: Client, settings: Any) -> None:
    alone(settings)
    assert "First ask for the edition by mail" in text(client.get(links.MY_MAIL))
    assert client.post(links.MY_MAIL, {"cadence": "day"}).status_code == 200
    assert not Subscriber.objects.exists()
    assert ask(client).status_code == 200


def test_the_page_of_an_account_is_protected_against_forged_forms(visitor: Client) -> None:
    signed_in(visitor, with_address(ada()))
    assert visitor.post(links.MY_MAIL, {"cadence": "day"}).status_code == 403


def test_who_has_the_key_of_a_blocked_address_has_it_asked_once_a_day(visitor: Client) -> None:
    row = subscribed(visitor, zone="Asia/Kolkata")
    now = timezone.now()
    Subscriber.objects.update(blocked_at=now, blocked_because="The address does not exist.")
    Subscription.objects.update(left_at=now, left_by="complaint", next_at=None)
    time_passes(hours=24)
    manage = links.MANAGE.format(key=row.key)
    assert "It works again" in text(visitor.get(manage))
    assert len(posted()) == 1
    assert "on its way" in text(visitor.post(manage, {"do": "again"}))
    assert "less than a day ago" in text(visitor.post(manage, {"do": "again"}))
    assert len(posted()) == 2
    blocked = queries.by_key(row.key)
    assert blocked is not None
    assert not blocked.is_on
    visitor.post(confirmation())
    found = queries.by_key(row.key)
    assert found is not None
    assert (found.is_on, found.wish.zone) == (True, "Asia/Kolkata")
    assert "nothing is wrong with this address" in text(visitor.post(manage, {"do": "again"}))


def test_a_blocked_address_is_told_to_its_reader_and_nobody_else(client: Client) -> None:
    signed_in(client, with_address(ada()))
    actions.subscribe_reader(by=ada(), address=ADDRESS, wish=Wish(), consent={}, now=timezone.now())
    Subscriber.objects.update(blocked_at=timezone.now(), blocked_because="The address does not exist.")
    assert "The address does not exist." in text(client.get(links.MY_MAIL))
    [found] = queries.of_person(ada().id)
    assert "No mail goes to" in text(client.get(links.MANAGE.format(key=found.key)))
    assert client.post(links.MY_MAIL, {"cadence": "week"}).status_code == 422


def test_the_one_reader_says_which_confirmed_address_is_hers(client: Client, settings: Any) -> None:
    you = alone(settings)
    assert "confirm your address" in client.get(links.MY_MAIL).content.decode()
    assert client.post(links.MY_MAIL, {"do": "mine", "address": ADDRESS}).status_code == 404
    secret = asked_secret()
    assert ADDRESS not in client.get(links.MY_MAIL).content.decode()
    actions.confirm(secret=secret, network="", now=timezone.now())
    assert ADDRESS in client.get(links.MY_MAIL).content.decode()
    assert "This is mine" in client.get(links.MY_MAIL).content.decode()
    client.post(links.MY_MAIL, {"do": "mine", "address": ADDRESS})
    [found] = queries.of_person(you.id)
    assert (found.address, found.has_account) == (ADDRESS, True)
    assert 'name="mine"' in client.get(links.MANAGE.format(key=found.key)).content.decode()


def test_with_accounts_nobody_takes_the_address_of_another(client: Client) -> None:
    actions.confirm(secret=asked_secret(), network="", now=timezone.now())
    signed_in(client, bela())
    client.post(links.MY_MAIL, {"do": "mine", "address": ADDRESS})
    assert queries.of_person(bela().id) == []
