"""What is found out about who answers: models with and without faults, and an upstream played by a second Vivavoce."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.support.backends import ScriptedBackend
from tests.support.model_server import model_server
from tests.support.serving import serving
from vivavoce.access.agent_table import read_agents
from vivavoce.access.prices import Prices
from vivavoce.cli.checks import answers
from vivavoce.cli.checks.finding import Finding
from vivavoce.cli.checks.remotes import remotes
from vivavoce.cli.settings import Settings
from vivavoce.client.allowlist import Allowed
from vivavoce.models.catalog import Chosen, build
from vivavoce.models.interfaces import ModelError
from vivavoce.server.options import ServerOptions

KEY = "sk-right-and-secret"


async def told(findings: AsyncIterator[Finding]) -> dict[str, Finding]:
    return {finding.about: finding async for finding in findings}


def _clock() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.models
async def test_the_models_of_this_process_do_one_thing_each():
    found = await told(answers.models(build(clock=_clock)))
    assert {name: finding.level for name, finding in found.items()} == dict.fromkeys(
        ["hearing", "voice", "words", "mind"], "ok"
    )
    assert "4" in found["mind"].says


async def test_a_model_that_fails_is_told_of_and_the_others_are_tried():
    models = build(clock=_clock)

    class Dumb:
        rate, name, closed = 24_000, "dumb", False

        async def speak(self, text: str, voice: str, speed: float, language: str | None = None) -> AsyncIterator[bytes]:
            yield bytes(100)

        async def close(self) -> None:
            self.closed = True

    class Deaf:
        rate, name = 16_000, "deaf"

        async def transcribe(self, pcm: bytes, hints: object) -> object:
            raise ModelError("The ear is broken.")

        async def close(self) -> None:
            pass

    dumb = Dumb()
    found = await told(answers.models(type(models)(models.vad, Deaf(), models.llm, dumb)))  # type: ignore[arg-type]
    assert [finding.level for finding in found.values()] == ["ok", "fail", "fail", "ok"]
    assert found["voice"].says == "The voice dumb makes no sound."
    assert found["words"].says == "The ear is broken."
    assert dumb.closed


def upstream(url: str, key: str = KEY) -> Settings:
    return Settings(backend="upstream", upstream_url=url, upstream_key=key)


async def test_an_upstream_that_takes_the_key():
    async with serving(ScriptedBackend(), ServerOptions(api_keys=(KEY,))) as server:
        found = await told(answers.upstream(upstream(server.http + "/v1")))
    assert [found[matter].level for matter in ("reachable", "key", "model")] == ["ok"] * 3
    assert KEY not in str(found)


async def test_an_upstream_that_refuses_the_key_and_one_that_is_not_there():
    async with serving(ScriptedBackend(), ServerOptions(api_keys=(KEY,))) as server:
        refused = await told(answers.upstream(upstream(server.http + "/v1", "sk-wrong-and-secret")))
    assert refused["key"].level == "fail"
    assert "Set OPENAI_API_KEY" in refused["key"].says
    assert "sk-wrong" not in str(refused)
    gone = await told(answers.upstream(upstream(server.http + "/v1")))
    assert "cannot be reached" in gone["reachable"].says


def test_agents_whose_trouble_comes_later_are_told_of_now():
    tables = {
        "dear": {"budget_usd": 1, "model": "my-deployment"},
        "docs": {"tools": [{"type": "mcp", "server_label": "d", "server_url": "https://d.example/mcp?key=hunter2"}]},
    }
    agents = read_agents(tables, {})
    found = answers.agents(Settings(agents=agents), Prices.published({}))
    assert [finding.level for finding in found] == ["fail", "fail"]
    assert '[prices."my-deployment"]' in found[0].mend
    assert found[1].mend == "Start with --allow-mcp https://d.example/mcp"
    allowed = Settings(agents=agents, allow_mcp=(Allowed.parse("https://d.example"),))
    assert [finding.level for finding in answers.agents(allowed, Prices({}, free=True))] == ["ok"]
    assert answers.agents(Settings(), Prices({})) == []


async def test_models_on_other_servers_are_asked_for_before_they_are_tried():
    async with model_server() as server:
        remote = Chosen("openai", "tiny", server.url)
        models = build(clock=_clock, stt=remote, llm=remote, tts=remote)
        server.tell_json({"data": [{"id": "tiny"}]})
        server.tell_json({"data": [{"id": "large"}]})
        server.tell_json({"detail": "who are you?"}, 401)
        found = [finding async for finding in remotes(models)]
        await models.close()
    assert [(finding.about, finding.level) for finding in found] == [("stt", "ok"), ("llm", "warn"), ("tts", "fail")]
    assert "does not name 'tiny' among its models: large" in found[1].says
    assert "--tts-key-env" in found[2].says
