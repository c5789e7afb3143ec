"""The table of settings: where a value comes from, what it may be, and what is said when it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.config import options
from broadsheet.config.options import Configuration, SettingsError


def load(folder: Path, **said: str) -> Configuration:
    """The settings of an environment that names `folder` and says `said`, written without the prefix."""
    return options.load({"BROADSHEET_DATA": str(folder)} | {f"BROADSHEET_{name}": text for name, text in said.items()})


def problems(folder: Path, **said: str) -> list[str]:
    """The sentences for settings that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        load(folder, **said)
    return caught.value.problems


class TestWhereAValueComesFrom:
    def test_without_anything_the_defaults(self, tmp_path: Path) -> None:
        configuration = load(tmp_path)
        assert (configuration.host, configuration.port, configuration.starter) == ("127.0.0.1", 8000, True)
        assert configuration.index == tmp_path / "index"

    def test_the_file_in_the_data_folder(self, tmp_path: Path) -> None:
        (tmp_path / "broadsheet.toml").write_text(
            'port = 8001\nstarter = false\nsite_name = "Proof"\nallowed_hosts = ["a.example", ".b.example"]\n'
        )
        configuration = load(tmp_path)
        assert configuration.port == 8001
        assert configuration.starter is False
        assert configuration.site_name == "Proof"
        assert configuration.allowed_hosts == ("a.example", ".b.example")

    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "broadsheet.toml").write_text("port = 8001\n")
        assert load(tmp_path, PORT="8002").port == 8002

    def test_an_empty_variable_counts_as_not_set(self, tmp_path: Path) -> None:
        assert load(tmp_path, PORT="", SITE_NAME="  ").port == 8000

    def test_database_url_is_read_without_our_prefix(self, tmp_path: Path) -> None:
        common = {"BROADSHEET_DATA": str(tmp_path), "DATABASE_URL": "postgresql://ada@db/one"}
        assert options.load(common).database_url == "postgresql://ada@db/one"
        ours = common | {"BROADSHEET_DATABASE_URL": "postgresql://ada@db/two"}
        assert options.load(ours).database_url == "postgresql://ada@db/two"

    def test_a_relative_data_folder_is_below_the_working_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert options.load({"BROADSHEET_DATA": "here"}).data == tmp_path / "here"

    def test_xdg_data_home_is_followed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert options.load({}).data == tmp_path / "broadsheet"

    def test_what_the_tests_read_is_not_a_setting(self, tmp_path: Path) -> None:
        assert load(tmp_path, SHARED="/somewhere").port == 8000

    def test_loading_writes_nothing(self, tmp_path: Path) -> None:
        load(tmp_path / "new")
        assert list(tmp_path.iterdir()) == []


class TestWhatAValueMayBe:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            pytest.param("PORT", "0", 0, id="smallest port: any free one"),
            pytest.param("PORT", "65535", 65535, id="greatest port"),
            pytest.param("STARTER", "YES", True, id="YES"),
            pytest.param("STARTER", "true", True, id="true"),
            pytest.param("STARTER", "On", True, id="On"),
            pytest.param("STARTER", "1", True, id="1"),
            pytest.param("STARTER", "no", False, id="no"),
            pytest.param("STARTER", "FALSE", False, id="FALSE"),
            pytest.param("STARTER", "off", False, id="off"),
            pytest.param("STARTER", "0", False, id="0"),
            pytest.param("WORK_PAUSE", "500ms", 0.5, id="milliseconds"),
            pytest.param("WORK_PAUSE", "30s", 30.0, id="seconds"),
            pytest.param("WORK_PAUSE", "5min", 300.0, id="minutes"),
            pytest.param("WORK_PAUSE", "1h", 3600.0, id="an hour"),
            pytest.param("LOG_LEVEL", "Warning", "warning", id="a word in any case"),
            pytest.param("ALLOWED_HOSTS", "a.example, [::1],*", ("a.example", "[::1]", "*"), id="hosts between commas"),
            pytest.param("SITE_NAME", "Đorđe’s Daily", "Đorđe’s Daily", id="any letters"),
            pytest.param(
                "HARVEST",
                "arxiv:cs+stat.ML, openreview:ICLR.cc/2026/Conference",
                (("arxiv", ("cs", "stat.ML")), ("openreview", ("ICLR.cc/2026/Conference",))),
                id="sources and their sets",
            ),
            pytest.param("OPENREVIEW_TOKEN", "e.y" * 300, "e.y" * 300, id="a long token"),
            pytest.param("INDEX", "/fast/index", Path("/fast/index"), id="an absolute folder stays"),
            pytest.param("DATABASE_URL", "sqlite:////srv/x.db", "sqlite:////srv/x.db", id="a SQLite file elsewhere"),
        ],
    )
    def test_accepted(self, name: str, text: str, value: object, tmp_path: Path) -> None:
        assert getattr(load(tmp_path, **{name: text}), name.lower()) == value

    @pytest.mark.parametrize(
        ("name", "text", "sentence"),
        [
            pytest.param(
                "PORT",
                "80a",
                "BROADSHEET_PORT is '80a', which is not a whole number from 0 to 65535. "
                "Write for example BROADSHEET_PORT=8000",
                id="not a number",
            ),
            pytest.param("PORT", "65536", "not a whole number from 0 to 65535", id="too large a number"),
            pytest.param("PORT", "-1", "not a whole number from 0 to 65535", id="too small a number"),
            pytest.param("PORT", "٨٠", "not a whole number", id="digits of another script"),
            pytest.param("WEB_PROCESSES", "0", "not a whole number from 1 to 64", id="no process at all"),
            pytest.param("STARTER", "maybe", "neither yes, true, on, 1 nor no, false, off, 0", id="an unknown boolean"),
            pytest.param("STARTER", "y", "neither yes, true, on, 1 nor no, false, off, 0", id="a shortened boolean"),
            pytest.param("WORK_PAUSE", "5", "not a length of time such as 500ms, 30s, 5min or 2h", id="no unit"),
            pytest.param("WORK_PAUSE", "1.5s", "not a length of time", id="a fraction"),
            pytest.param("WORK_PAUSE", "2h", "not between 100ms and 1h", id="too long a time"),
            pytest.param(
                "LOG_LEVEL", "warn", "none of debug, info, warning, error. Did you mean warning?", id="a word"
            ),
            pytest.param("ALLOWED_HOSTS", "https://a.example", "without http:// and without a port", id="an address"),
            pytest.param("SITE_NAME", "a\nb", "contains a line break", id="two lines"),
            pytest.param("DATABASE_URL", "mysql://db/x", "does not begin with postgresql:// or sqlite://", id="MySQL"),
            pytest.param("DATABASE_URL", "postgresql://db", "names no database after the host", id="no database"),
            pytest.param("DATABASE_URL", "postgresql://db:x/y", "is not an address", id="a port that is no number"),
            pytest.param("SECRET_KEY", "short", "is shorter than 32 characters", id="a short secret"),
            pytest.param("HARVEST", "arxiv:cs,arxiv:math", "names arxiv twice", id="a source named twice"),
            pytest.param("HARVEST", "arxiv:../etc", "contains 'arxiv:../etc'", id="a set that is none"),
            pytest.param("OPENREVIEW_TOKEN", "a b c d e f", "without blanks", id="a token in pieces"),
        ],
    )
    def test_refused_with_a_sentence(self, name: str, text: str, sentence: str, tmp_path: Path) -> None:
        (said,) = problems(tmp_path, **{name: text})
        assert sentence in said
        assert f"BROADSHEET_{name}=" in said

    @given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
    def test_any_text_is_a_value_or_a_sentence(self, text: str) -> None:
        for option in options.options()[1:]:
            said: list[str] = []
            try:
                options.load({"BROADSHEET_DATA": "/nonexistent", option.environment: text})
            except SettingsError as error:
                said = error.problems
            assert len(said) <= 1


class TestWhatIsSaid:
    def test_every_mistake_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "broadsheet.toml").write_text("hots = 1\n")
        assert len(problems(tmp_path, PORT="x", STARTER="x", PROT="1")) == 4

    def test_an_unknown_variable_with_what_was_meant(self, tmp_path: Path) -> None:
        assert problems(tmp_path, PROT="1") == ["There is no setting BROADSHEET_PROT. Did you mean BROADSHEET_PORT?"]

    def test_an_unknown_variable_that_is_like_none(self, tmp_path: Path) -> None:
        (said,) = problems(tmp_path, ZZZZZZZZZZZZZZZZZZZZ="1")
        assert said == "There is no setting BROADSHEET_ZZZZZZZZZZZZZZZZZZZZ."

    def test_a_removed_setting_explains_itself(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(options.REMOVED, "workers", "Set BROADSHEET_WEB_PROCESSES instead.")
        assert problems(tmp_path, WORKERS="2") == [
            "BROADSHEET_WORKERS no longer exists. Set BROADSHEET_WEB_PROCESSES instead."
        ]
        (tmp_path / "broadsheet.toml").write_text("workers = 2\n")
        (said,) = problems(tmp_path)
        assert said.endswith("no longer exists. Set BROADSHEET_WEB_PROCESSES instead.")

    @pytest.mark.parametrize("name", [option.name for option in options.options() if option.secret])
    def test_a_secret_is_never_repeated(self, name: str, tmp_path: Path) -> None:
        (said,) = problems(tmp_path, **{name.upper(): "hunter2\x07x"})
        assert "hunter2" not in said

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            pytest.param(b"port 8000", "is not valid TOML", id="not TOML"),
            pytest.param(b"site_name = '\xff'", "is not UTF-8 text", id="not UTF-8"),
            pytest.param(b"#" * 70_000, "is larger than 64 KiB", id="far too long"),
            pytest.param(b"[server]\nport = 1", "There is no setting `server`", id="a table"),
            pytest.param(b"port = 1.5", "neither a text, a whole number, true, false nor a list", id="a fraction"),
            pytest.param(b"allowed_hosts = [1]", "neither a text, a whole number", id="a list of numbers"),
            pytest.param(b"data = '/x'", "`data` cannot be set in", id="the folder inside itself"),
            pytest.param(b"port = true", "is 'yes', which is not a whole number", id="a boolean as a number"),
            pytest.param(b"starter = 'perhaps'", "neither yes, true, on, 1 nor", id="the parser of the environment"),
        ],
    )
    def test_a_file_that_cannot_be_used(self, content: bytes, sentence: str, tmp_path: Path) -> None:
        (tmp_path / "broadsheet.toml").write_bytes(content)
        (said,) = problems(tmp_path)
        assert sentence in said

    def test_a_file_that_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "broadsheet.toml").mkdir()
        (said,) = problems(tmp_path)
        assert "cannot be read" in said


class TestTheTable:
    def test_every_row_has_a_help_that_is_a_sentence(self) -> None:
        for option in options.options():
            assert option.help.endswith("."), option.name

    def test_every_default_is_a_value_of_its_type(self) -> None:
        for option in options.options():
            if option.default:
                option.type.read(option.default)
            else:
                assert option.shown, f"{option.name} has no default that could be printed"

    def test_every_example_is_a_value_of_its_type(self) -> None:
        for option in options.options():
            if not option.secret or option.name == "database_url":
                option.type.read(option.type.example)

    def test_something_reads_every_setting(self, repository: Path) -> None:
        package = repository / "broadsheet" / "src" / "broadsheet"
        files = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "options.py"}
        text = "\n".join(files.values())
        for option in options.options():
            assert f"configuration.{option.name}" in text, f"nothing reads {option.name}"
        settings = files.pop(package / "config" / "settings.py")
        others = "\n".join(files.values())
        for name in re.findall(r"^(BROADSHEET_[A-Z_]+)", settings, re.MULTILINE):
            assert f"settings.{name}" in others, f"nothing reads settings.{name}"
