"""Digests handed to a provider over its own interface, by django-anymail. Needs Django set up."""

from __future__ import annotations

from anymail.exceptions import AnymailError, AnymailRequestsAPIError  # type: ignore[import-untyped]  # brings no types
from anymail.message import AnymailMessage  # type: ignore[import-untyped]  # brings no types
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from requests import ConnectTimeout
from requests.exceptions import ProxyError, SSLError
from urllib3.exceptions import NewConnectionError

from broadsheet.mailing.outcomes import (
    Accepted,
    BeforeEnd,
    Letter,
    Lost,
    NotTaken,
    Outcome,
    Stage,
    Unavailable,
    Unconfirmed,
    Unsendable,
    Withheld,
)
from broadsheet.mailing.smtp import said

# Answers of HTTP that say that nothing was taken, and nothing of the mail: the key is wrong, or too much was asked.
_LATER = (401, 403, 408, 425, 429, 503)


class Provider:
    """A provider by its name in the settings."""

    def __init__(self, name: str) -> None:
        self._name = name

    def open(self) -> ProviderLine:
        """A line to its interface. Raises Unavailable where the settings are not complete."""
        try:
            backend = get_connection(f"anymail.backends.{self._name}.EmailBackend")
            backend.open()
        except AnymailError as error:
            raise Unavailable(f"The provider {self._name} cannot be asked: {said(str(error))}.", repr(error)) from error
        return ProviderLine(self._name, backend)


class ProviderLine:
    """A session with the interface of a provider."""

    def __init__(self, name: str, backend: BaseEmailBackend) -> None:
        self._name = name
        self._backend = backend

    @property
    def usable(self) -> bool:
        """Whether it can take one more: requests stand alone."""
        return True

    def hand_over(self, letter: Letter, before_end: BeforeEnd) -> Outcome:
        """Hand one mail over in one request. `before_end` is asked before it, as a request cannot be left half-way."""
        message = _message(letter)
        if not before_end():
            return Withheld()
        try:
            self._backend.send_messages([message])
        except AnymailRequestsAPIError as error:
            return self._failed(error)
        except (AnymailError, ValueError) as error:
            return Unsendable(f"The provider {self._name} does not take this mail: {said(str(error))}.")
        return Accepted(said(f"{self._name} {message.anymail_status.message_id or ''}"))

    def _failed(self, error: AnymailRequestsAPIError) -> Outcome:
        """What came of a request that failed: without an answer it may have been heard, unless nobody was reached."""
        words = said(str(error).partition("\n")[0])
        if error.status_code is None:
            answer = Lost if _is_unreached(error) else Unconfirmed
            return answer(f"The provider {self._name} did not answer: {words}.")
        if error.status_code in _LATER:
            return NotTaken(Stage.SENDER, 451, "", words)
        if error.status_code < 300 or error.status_code >= 500:
            # It has heard the whole request: an answer that nobody can read, or a gateway that lost it.
            return Unconfirmed(f"What the provider {self._name} answered cannot be read: {words}.")
        return NotTaken(Stage.CONTENT, 554, "", words)

    def finish(self) -> None:
        """End the session."""
        self._backend.close()


def _is_unreached(error: AnymailRequestsAPIError) -> bool:
    """Whether no connection came about, so that nobody can have heard the request."""
    if isinstance(error, ConnectTimeout | ProxyError | SSLError):
        return True
    causes = error.__cause__.args if error.__cause__ else ()
    return any(isinstance(getattr(each, "reason", each), NewConnectionError) for each in causes)


def _message(letter: Letter) -> AnymailMessage:
    mail = letter.mail
    headers = {**dict(mail.headers), "Message-ID": mail.message_id}
    message = AnymailMessage(mail.subject, mail.text, mail.sender, [mail.to], headers=headers)
    message.attach_alternative(mail.html, "text/html")
    message.metadata = {"delivery": letter.reference}
    return message
