"""The command itself: what it prints, and its exit status."""

import pytest
from click.testing import CliRunner

from vivavoce.cli.main import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.models
def test_all_is_well_on_a_fresh_machine(home):
    result = CliRunner().invoke(main, ["doctor", "--port", "0", "--data-dir", str(home)])
    assert result.exit_code == 0, result.output
    assert result.output.endswith("All is well.\n")
    assert "fail" not in result.output


def test_what_is_wrong_is_counted_and_the_key_is_not_shown(home):
    options = ["--port", "0", "--data-dir", str(home), "--upstream-url", "http://127.0.0.1:9/v1"]
    environ = {"OPENAI_API_KEY": "sk-very-secret-indeed"}
    result = CliRunner().invoke(main, ["doctor", *options], env=environ)
    assert result.exit_code == 1
    assert "cannot be reached" in result.output
    assert "1 wrong" in result.output
    assert "secret" not in result.output


def test_settings_that_cannot_be_are_told_at_once(home):
    result = CliRunner().invoke(main, ["doctor", "--port", "many"])
    assert result.exit_code == 2
    assert "port 'many' is not a port" in result.output
