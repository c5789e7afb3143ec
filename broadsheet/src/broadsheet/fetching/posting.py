"""Messages to addresses that readers name: posted to the public internet only, once, and never redirected.

It is not the client of origins: nobody is asked for anything, so there is no pace to keep, and whoever named an address
answers for it. What it shares is the guard of the network (`network`) and the bounds of what is taken.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from broadsheet.fetching.client import user_agent
from broadsheet.fetching.exchange import Exchange, Interrupted, Unwanted, Wire
from broadsheet.fetching.limits import Limits
from broadsheet.fetching.network import Resolve, resolve
from broadsheet.fetching.posts import Posted, address_problem

# What one message may take, in seconds and bytes.
# The worker does little else meanwhile.
LIMITS = Limits(connect=3.0, silence=3.0, total=4.0, head=32 * 1024)
_LARGEST_REPLY = 256 * 1024
# How much of a refusal is kept, in letters.
_LONGEST_SAID = 200


class Poster:
    """Posts messages. `contact` is told to whoever is posted to; it may be empty.

    The rest is for tests: `routes` sends what is meant for one host to a server of theirs, `resolving` and `limits`
    replace ours.
    """

    def __init__(
        self,
        contact: str,
        *,
        routes: Mapping[str, str] | None = None,
        resolving: Resolve = resolve,
        limits: Limits = LIMITS,
    ) -> None:
        self._agent = user_agent(contact)
        self._routes = dict(routes or {})
        self._exchange = Exchange(limits, resolving)

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post JSON once. Never raises for what the other side does; a redirect is an answer that took nothing."""
        if problem := address_problem(address):
            return Posted(0, problem, refused=True)
        url = httpx.URL(address)
        route = self._routes.get(url.host)
        wire = Wire(
            method="POST",
            url=httpx.URL(route) if route else url,
            host=url.raw_host.decode("ascii"),
            target=url.raw_path,
            headers={
                "Host": url.netloc.decode("ascii"),
                "User-Agent": self._agent,
                "Accept": "*/*",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "Content-Type": "application/json; charset=utf-8",
                "Content-Length": str(len(body)),
                **headers,
            },
            body=body,
            limit=_LARGEST_REPLY,
            checked=route is None,
        )
        answered: list[bool] = []
        try:
            reply = self._exchange.send(wire, answering=lambda: answered.append(True))
        except (Interrupted, Unwanted) as error:
            if answered:
                # Only the text of an answer of success is ever too large or cut off; see `exchange`.
                return Posted(200, "It answered with what cannot be read.")
            return Posted(0, str(error)[:_LONGEST_SAID], refused=isinstance(error, Unwanted))
        return Posted(reply.status, _plain(reply.body))


def _plain(body: bytes) -> str:
    """The beginning of an answer, on one line, without what would steer a terminal."""
    text = body[: 4 * _LONGEST_SAID].decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_LONGEST_SAID]
