"""The mail server of the settings, and what signs a mail: for the worker, and for `check-mail`, which tries both."""

from __future__ import annotations

import time
from collections.abc import Callable

from broadsheet.config.options import Configuration
from broadsheet.mailing import signing
from broadsheet.mailing.smtp import TIMEOUT, Server


def server(configuration: Configuration, sign: Callable[[bytes], bytes], *, timeout_seconds: float = TIMEOUT) -> Server:
    """The server that mail is handed to, asked as the settings say."""
    return Server(
        host=configuration.mail_host,
        port=configuration.mail_port,
        tls=configuration.mail_tls,
        user=configuration.mail_user,
        password=configuration.mail_password,
        sign=sign,
        timeout_seconds=timeout_seconds,
    )


def signs_with(key: signing.Key | None, configuration: Configuration) -> Callable[[bytes], bytes]:
    """What signs a mail for the domain that it comes from; without a key it stays as it is."""
    if key is None:
        return lambda content: content
    selector, domain = configuration.mail_dkim_selector, configuration.mail_from.rpartition("@")[2]

    def sign(content: bytes) -> bytes:
        return signing.sign(content, key, selector=selector, domain=domain, at=int(time.time()))

    return sign
