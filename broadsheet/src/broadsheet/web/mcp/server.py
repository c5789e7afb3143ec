"""The SDK's server with our tools and resources, and its two ways to be asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import anyio
import mcp_types as types
from django.conf import settings
from django.db import close_old_connections
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError

from broadsheet import __version__
from broadsheet.accounts.rules import Person
from broadsheet.web.mcp import resources, shapes, turns
from broadsheet.web.mcp.asking import Unanswerable
from broadsheet.web.mcp.tools import TOOLS, Tool, call

# The SDK tells of every request that it began and ended one.
logging.getLogger("mcp").setLevel(logging.WARNING)

T = TypeVar("T")
Context = ServerRequestContext[Any, Any]
Reader = Callable[[], Person | None]

# What tools answer changes with the day, the list of tools with the program.
_MINUTE, _HOUR = 60_000, 3_600_000  # milliseconds
_HINTS: dict[Any, CacheHint] = {
    "tools/list": CacheHint(_HOUR, "public"),
    "resources/templates/list": CacheHint(_HOUR, "public"),
    "resources/list": CacheHint(_MINUTE, "public"),
    "resources/read": CacheHint(_MINUTE, "public"),
    "server/discover": CacheHint(_HOUR, "public"),
}
_READING = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request of HTTP."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def instructions() -> str:
    """What a model is told of this newspaper before it asks."""
    return (
        f"{settings.BROADSHEET_SITE_NAME} is a daily newspaper of research papers. An edition is the dated list of "
        "what was announced; its audit says how complete it is: repeat that when you report what was published. "
        'Answers are short; ask for detail: "full" or go on with `next` only when you need more. A claim is the '
        f"paper's own until get_evidence says that it was measured. {shapes.NOTICE}"
    )


def reply(base: str, headers: Mapping[str, str], body: bytes, reader: Reader) -> Reply:
    """What the SDK answers to a POST with these headers; `base` is the scheme and host before our addresses.

    `reader` says who asks, and is asked only by a tool that has to know.
    """
    return turns.run(partial(_exchange, _server(base, reader), headers, body))


def speak(reader: Reader) -> None:
    """Answer on standard input and output until the other side closes it. `reader` says whose library is read."""

    async def talk() -> None:
        server = _server("", reader)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    turns.run(talk)


async def _exchange(server: Server[Any], headers: Mapping[str, str], body: bytes) -> Reply:
    """One request and its answer, by the rules of ASGI. Nothing is kept for the next one."""
    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()],
    }
    sent = _Sent()
    async with manager.run():
        await manager.handle_request(scope, _Body(body), sent)
    return sent.reply()


class _Body:
    """What was sent, once; after that nothing comes any more, as from a client that waits for its answer."""

    def __init__(self, body: bytes) -> None:
        self._messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def __call__(self) -> dict[str, Any]:
        if not self._messages:
            await anyio.sleep_forever()
        return self._messages.pop()


class _Sent:
    """Collects what is sent."""

    def __init__(self) -> None:
        self._start: dict[str, Any] = {"status": 500, "headers": []}
        self._body = bytearray()

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")

    def reply(self) -> Reply:
        """All of it."""
        headers = [(name.decode("latin-1"), text.decode("latin-1")) for name, text in self._start["headers"]]
        return Reply(self._start["status"], headers, bytes(self._body))


def _server(base: str, reader: Reader) -> Server[Any]:
    async def call_tool(_context: Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        tool = TOOLS.get(asked.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool '{asked.name[:40]}'. There are {', '.join(TOOLS)}.")
        return await turns.between_turns(lambda: _called(tool, asked.arguments or {}, base, reader))

    async def list_resources(_context: Context, _asked: object) -> types.ListResourcesResult:
        found = await turns.between_turns(lambda: _asking(resources.listed))
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=each.uri, name=each.name, description=each.description, mime_type=each.mime_type)
                for each in found
            ]
        )

    async def read_resource(_context: Context, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        uri = str(asked.uri)
        try:
            content = await turns.between_turns(lambda: _asking(partial(resources.read, uri, base)))
        except Unanswerable as error:
            raise MCPError(types.INVALID_PARAMS, str(error), {"uri": uri[:200]}) from error
        told = types.TextResourceContents(uri=uri, mime_type=content.mime_type, text=content.text)
        return types.ReadResourceResult(contents=[told])

    return Server(
        "broadsheet",
        version=__version__,
        title=settings.BROADSHEET_SITE_NAME,
        instructions=instructions(),
        website_url=base or None,
        cache_hints=_HINTS,
        on_list_tools=_list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=_list_templates,
        on_read_resource=read_resource,
    )


async def _list_tools(_context: Context, _asked: object) -> types.ListToolsResult:
    return _tools()


async def _list_templates(_context: Context, _asked: object) -> types.ListResourceTemplatesResult:
    return types.ListResourceTemplatesResult(
        resource_templates=[
            types.ResourceTemplate(
                uri_template=each.uri, name=each.name, description=each.description, mime_type=each.mime_type
            )
            for each in resources.TEMPLATES
        ]
    )


@cache
def _tools() -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_told(tool) for tool in TOOLS.values()])


def _told(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=shapes.schema_of(tool.arguments),
        output_schema=shapes.schema_of(tool.result),
        annotations=_READING,
    )


def _called(tool: Tool, arguments: dict[str, Any], base: str, reader: Reader) -> types.CallToolResult:
    """The answer twice, as an object and as the same in JSON; what cannot be answered as an error of the tool."""
    try:
        answer = _asking(lambda: call(tool, arguments, base, reader() if tool.is_personal else None))
    except Unanswerable as error:
        return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
    written = shapes.dumped(answer)
    return types.CallToolResult(
        content=[types.TextContent(text=written.decode())],
        structured_content=answer.model_dump(mode="json", exclude_defaults=True),
    )


def _asking(ask: Callable[[], T]) -> T:
    """What `ask` returns; a connection to the database that broke since is not used again."""
    close_old_connections()
    return ask()
