"""What the provider that sends our mail tells of it: the address that it calls, made safe by django-anymail.

The provider proves who it is by a signature or by a password in the address; a cookie means nothing here, and so a form
of another site can do nothing. What it says is acted on by `following.actions.bouncing`.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from broadsheet.following.actions.bouncing import record
from broadsheet.mailing.bounces import Kind, codes, kind_of, plain

_LOG = logging.getLogger(__name__)

# The view of each provider in anymail.webhooks; loaded when one calls, as they bring much with them.
_VIEWS = {
    "brevo": "BrevoTrackingWebhookView",
    "mailersend": "MailerSendTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
}
# Words by which providers say that an address does not exist, where they pass on no code of the other server:
# Postmark's Type, Brevo's event, SparkPost's bounce_class ("invalid recipient").
_NO_SUCH_ADDRESS = frozenset({"HardBounce", "BadEmailAddress", "hard_bounce", "invalid_email", "10"})
_LABELS = ("Type", "event", "bounce_class")


@csrf_exempt
def told(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Take what the provider says. Raises Http404 unless it is the one of the settings, with a secret.

    Who cannot prove that he is the provider is answered with 400, and so is what cannot be read.
    """
    if provider != settings.BROADSHEET_MAIL_PROVIDER or not settings.BROADSHEET_MAIL_PROVIDER_SECRET:
        raise Http404("No provider is expected here.")
    if request.method in ("GET", "HEAD"):  # some ask so whether anybody is there
        return HttpResponse("The provider of our mail calls here, by POST.\n", "text/plain")
    signals = import_module("anymail.signals")
    signals.tracking.connect(_take, dispatch_uid="broadsheet")
    view = getattr(import_module(f"anymail.webhooks.{provider}"), _VIEWS[provider]).as_view()
    try:
        answer: HttpResponseBase = view(request)
    except SuspiciousOperation as error:
        _LOG.warning("Somebody called as %s and could not prove it: %s", provider, str(error)[:200])
        return HttpResponse("This is not signed as it should be.\n", "text/plain", status=HTTPStatus.BAD_REQUEST)
    except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
        _LOG.warning("What %s says cannot be read: %r", provider, error)
        return HttpResponse("This cannot be read.\n", "text/plain", status=HTTPStatus.BAD_REQUEST)
    return answer


def _take(event: Any, **_: object) -> None:
    """Do what one event asks for."""
    kind = meaning(event)
    if kind is None:
        return
    number = str((event.metadata or {}).get("delivery", ""))
    record(
        kind=kind,
        said=_said(event),
        now=timezone.now(),
        delivery_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        address=str(event.recipient or ""),
    )


def meaning(event: Any) -> Kind | None:
    """What an event of anymail means; None for one that changes nothing.

    An address is taken not to exist on certainty only: the other server's code says so, or the provider's own word
    where it passes on no code.
    """
    if event.event_type == "complained":
        return Kind.COMPLAINT
    if event.event_type not in ("bounced", "rejected"):
        return None
    found = codes(_said(event))
    if found:
        return kind_of(found)
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    labels = {str(raw.get(name)) for name in _LABELS}
    return Kind.HARD if event.event_type == "bounced" and labels & _NO_SUCH_ADDRESS else Kind.SOFT


def _said(event: Any) -> str:
    return plain(str(event.mta_response or event.description or ""))
