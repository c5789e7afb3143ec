"""What Django is told: database, static files, headers, log lines."""

from __future__ import annotations

import gzip
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.config import assets, headers, options
from broadsheet.config.databases import database
from broadsheet.config.logs import OneLine


def databases(folder: Path, url: str = "") -> dict[str, object]:
    """DATABASES["default"] of an instance."""
    return database(options.load({"BROADSHEET_DATA": str(folder), "DATABASE_URL": url}))


class TestDatabase:
    def test_a_sqlite_file_in_the_data_folder_by_default(self, tmp_path: Path) -> None:
        assert databases(tmp_path)["NAME"] == tmp_path / "broadsheet.sqlite3"

    def test_postgresql_by_address(self, tmp_path: Path) -> None:
        made = databases(tmp_path, "postgresql://ada:pass%20word@db.example:5433/papers?sslmode=require")
        assert made["ENGINE"] == "django.db.backends.postgresql"
        assert (made["HOST"], made["PORT"], made["NAME"]) == ("db.example", 5433, "papers")
        assert (made["USER"], made["PASSWORD"]) == ("ada", "pass word")
        assert made["OPTIONS"] == {"sslmode": "require"}
        assert made["CONN_MAX_AGE"] is None
        assert made["CONN_HEALTH_CHECKS"] is True

    def test_a_sqlite_file_elsewhere_is_opened_like_ours(self, tmp_path: Path) -> None:
        made = databases(tmp_path, "sqlite:////srv/papers.db")
        assert made["NAME"] == Path("/srv/papers.db")
        assert made["OPTIONS"] == databases(tmp_path)["OPTIONS"]

    @pytest.mark.parametrize(
        ("pragma", "value"),
        [
            pytest.param("foreign_keys", 1, id="foreign keys are enforced"),
            pytest.param("synchronous", 1, id="NORMAL"),
            pytest.param("busy_timeout", 20_000, id="a writer waits 20 s for another"),
            pytest.param("cache_size", -4096, id="4 MiB of pages for each connection"),
        ],
    )
    def test_sqlite_is_told(self, pragma: str, value: int, db: None) -> None:
        if connection.vendor != "sqlite":
            assert connection.vendor == "postgresql"
            return
        with connection.cursor() as cursor:
            assert cursor.execute(f"PRAGMA {pragma}").fetchone()[0] == value

    def test_the_file_of_an_instance_is_in_wal_mode(self, tmp_path: Path) -> None:
        script = (
            "import django; django.setup(); from django.db import connection; "
            "print(connection.cursor().execute('PRAGMA journal_mode').fetchone()[0])"
        )
        environment = {key: text for key, text in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"BROADSHEET_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings"}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "wal"


class TestStaticFiles:
    def test_their_address_changes_with_any_of_them(self, tmp_path: Path) -> None:
        (tmp_path / "a.css").write_text("a")
        first = assets.digest(tmp_path)
        assert assets.digest(tmp_path) == first
        (tmp_path / "a.css").write_text("b")
        second = assets.digest(tmp_path)
        (tmp_path / "a.css").rename(tmp_path / "b.css")
        assert len({first, second, assets.digest(tmp_path)}) == 3

    def test_their_address_begins_with_the_public_path(self) -> None:
        assert settings.STATIC_URL.startswith("/static/")
        assert settings.STATIC_URL.endswith(f"{assets.digest(Path(settings.STATIC_ROOT))}/")

    def test_all_of_them_are_inside_the_package(self) -> None:
        assert Path(settings.STATIC_ROOT).parts[-2:] == ("web", "static")


class TestHeaders:
    def test_every_answer_carries_the_policy(self) -> None:
        answer = headers.ContentSecurityPolicy(lambda _request: HttpResponse("x"))(HttpRequest())
        assert answer["Content-Security-Policy"] == headers.POLICY
        assert answer["X-Frame-Options"] == "DENY"

    def test_a_view_may_set_its_own(self) -> None:
        own = HttpResponse("x", headers={"Content-Security-Policy": "default-src 'none'"})
        answer = headers.ContentSecurityPolicy(lambda _request: own)(HttpRequest())
        assert answer["Content-Security-Policy"] == "default-src 'none'"

    @pytest.mark.parametrize("word", ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"])
    def test_the_policy_never_says(self, word: str) -> None:
        assert word not in headers.POLICY


class TestCompression:
    """What Django's own does, quicker."""

    def sent(self, content: bytes, accepts: str = "gzip", **more: str) -> HttpResponse:
        """What is sent of an answer with this content."""
        request = HttpRequest()
        request.META["HTTP_ACCEPT_ENCODING"] = accepts
        answer = HttpResponse(content, headers={"ETag": '"one"', **more})
        return headers.Compression(lambda _request: answer)(request)

    @given(st.binary(min_size=0, max_size=2000).map(lambda data: data * 3))
    def test_nothing_is_lost(self, content: bytes) -> None:
        answer = self.sent(content)
        packed = answer.headers.get("Content-Encoding") == "gzip"
        assert (gzip.decompress(answer.content) if packed else answer.content) == content
        assert len(answer.content) <= len(content)
        assert answer["ETag"] == ('W/"one"' if packed else '"one"')
        assert not packed or answer["Content-Length"] == str(len(answer.content))

    @pytest.mark.parametrize(
        ("accepts", "packed"),
        [
            pytest.param("gzip, deflate, br", True, id="a browser"),
            pytest.param("br", False, id="another encoding"),
            pytest.param("", False, id="none"),
        ],
    )
    def test_for_who_takes_it(self, accepts: str, packed: bool) -> None:
        assert ("Content-Encoding" in self.sent(b"lamp " * 100, accepts).headers) is packed

    @pytest.mark.parametrize(
        ("content", "more"),
        [
            pytest.param(b"a" * 199, {}, id="what is short"),
            pytest.param(bytes(range(256)), {}, id="what does not become shorter"),
            pytest.param(b"lamp " * 100, {"Content-Encoding": "br"}, id="what is compressed already"),
        ],
    )
    def test_stays_as_it_is(self, content: bytes, more: dict[str, str]) -> None:
        answer = self.sent(content, **more)
        assert answer.content == content
        assert answer["ETag"] == '"one"'

    def test_the_length_tells_nothing_of_a_guess(self) -> None:
        assert len({len(self.sent(b"lamp " * 100).content) for _ in range(60)}) > 5

    def test_what_streams_is_compressed_too(self) -> None:
        request = HttpRequest()
        request.META["HTTP_ACCEPT_ENCODING"] = "gzip"
        stream = StreamingHttpResponse(iter([b"lamp " * 100, b"step " * 100]))
        answer = headers.Compression(lambda _request: stream)(request)
        assert gzip.decompress(b"".join(answer)) == b"lamp " * 100 + b"step " * 100


class TestLogLines:
    def line(self, text: str, *arguments: object, error: BaseException | None = None) -> str:
        """What is written for an event."""
        trace = (type(error), error, error.__traceback__) if error else None
        record = logging.LogRecord("broadsheet.worker", logging.WARNING, "x.py", 1, text, arguments, trace)
        record.created = 0.0
        return OneLine().format(record)

    def test_an_event_is_a_line(self) -> None:
        assert self.line("%d papers", 3) == "1970-01-01T00:00:00Z WARNING broadsheet.worker: 3 papers"

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            pytest.param("a\nb", "a | b", id="a line end"),
            pytest.param("a\r\nb", "a\\x0d | b", id="a line end of another system"),
            pytest.param("\x1b[31mred", "\\x1b[31mred", id="a terminal's escape"),
            pytest.param("a\u2028b", "a\\x2028b", id="a Unicode line end"),
            pytest.param("Chloé Exemple", "Chloé Exemple", id="letters stay"),
        ],
    )
    def test_nobody_can_forge_another_line(self, text: str, written: str) -> None:
        assert self.line("%s", text).endswith(f": {written}")

    def test_an_error_is_told_with_its_place_and_its_cause(self) -> None:
        def inner() -> None:
            raise KeyError("title")

        def outer() -> None:
            try:
                inner()
            except KeyError as error:
                raise ValueError("no paper\nin it") from error

        with pytest.raises(ValueError) as caught:
            outer()
        line = self.line("failed", error=caught.value)
        assert "\n" not in line
        assert "failed | ValueError: no paper | in it (config/test_django.py:" in line
        assert line.index("ValueError") < line.index("KeyError: 'title'")

    @pytest.mark.parametrize(
        ("request_line", "host"),
        [
            pytest.param("/", "evil.example" + "x" * 2000, id="a foreign Host"),
            pytest.param("/search?" + "&".join(f"a{n}=1" for n in range(1500)), "localhost", id="many parameters"),
        ],
    )
    def test_what_a_reader_does_wrong_is_a_short_warning_without_calls(
        self, request_line: str, host: str, tmp_path: Path
    ) -> None:
        script = (
            "import sys, django; django.setup(); from django.test import Client; "
            "print(Client(raise_request_exception=False).get(sys.argv[1], HTTP_HOST=sys.argv[2]).status_code)"
        )
        environment = {key: text for key, text in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"BROADSHEET_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "broadsheet.config.settings"}
        done = subprocess.run(
            [sys.executable, "-c", script, request_line, host],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        (line,) = done.stderr.splitlines()
        assert done.stdout.strip() == "400"
        assert " WARNING django.security." in line
        assert ".py:" not in line
        assert len(line) < 400

    def test_a_long_error_is_cut(self) -> None:
        assert len(self.line("failed", error=ValueError("x" * 100_000))) < 3000
