"""Settings of mail: the address of this instance as mails name it, and the key that signs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.config.options import SettingsError, load


@pytest.mark.parametrize(
    ("said", "address"),
    [
        pytest.param({}, "http://localhost:8000", id="nothing said"),
        pytest.param({"PORT": "80"}, "http://localhost", id="the usual port"),
        pytest.param({"PORT": "0"}, "http://localhost", id="any port"),
        pytest.param({"ALLOWED_HOSTS": "papers.example.org"}, "http://papers.example.org:8000", id="a name"),
        pytest.param(
            {"ALLOWED_HOSTS": "papers.example.org, other.example.org", "HTTPS": "yes"},
            "https://papers.example.org",
            id="names behind a proxy",
        ),
        pytest.param({"ALLOWED_HOSTS": "*, .example.org", "HTTPS": "yes"}, "https://localhost", id="any name"),
    ],
)
def test_mails_name_the_address_by_which_readers_come(said: dict[str, str], address: str, tmp_path: Path) -> None:
    given = {f"BROADSHEET_{name}": value for name, value in said.items()}
    assert load({"BROADSHEET_DATA": str(tmp_path), **given}).address == address


@pytest.mark.parametrize(
    ("said", "file"),
    [("", None), ("dkim.pem", "dkim.pem"), ("/etc/dkim.pem", "/etc/dkim.pem")],
)
def test_a_key_is_a_file_inside_the_data_folder_or_elsewhere(said: str, file: str | None, tmp_path: Path) -> None:
    found = load({"BROADSHEET_DATA": str(tmp_path), "BROADSHEET_MAIL_DKIM_KEY": said}).mail_dkim_key
    assert found == (tmp_path / file if file else None)


@pytest.mark.parametrize("selector", ["two words", "-x", "x-", "a..b", "ä", "x" * 64, "a;b"])
def test_a_selector_that_no_record_can_have_is_refused(selector: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a name of letters, digits and hyphens"):
        load({"BROADSHEET_DATA": str(tmp_path), "BROADSHEET_MAIL_DKIM_SELECTOR": selector})
