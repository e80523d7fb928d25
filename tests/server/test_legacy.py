"""Clients of the beta at the door: keys, offers, header, subprotocol (H-38 to H-43)."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from openai.types.beta.realtime.session_create_response import SessionCreateResponse
from openai.types.beta.realtime.transcription_session import TranscriptionSession
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER, Calls
from tests.support.leaks import no_leaks
from tests.support.serving import serving
from tests.transports.webrtc.caller import Caller
from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.frame import APPEND, Frame
from vivavoce.server.options import ServerOptions

SDP = {"Content-Type": "application/sdp"}
FLAT: dict[str, Any] = {
    "model": "gpt-realtime",
    "modalities": ["text", "audio"],
    "instructions": "Be brief.",
    "voice": "verse",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": {"type": "server_vad", "silence_duration_ms": 700},
    "temperature": 0.7,
}


@pytest.fixture(autouse=True)
async def _nothing_is_left():
    async with no_leaks():
        yield


class Place:
    def __init__(self, ws: str, http: httpx.AsyncClient, backend: ScriptedBackend, calls: Calls) -> None:
        self.ws, self.http, self.backend, self.calls = ws, http, backend, calls

    async def mint(self, kind: str = "sessions", **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/v1/realtime/{kind}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def refused(self, path: str = "/sessions", **request: Any) -> tuple[int, str, str | None]:
        answer = await self.http.post(f"/v1/realtime{path}", **request)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["param"]

    async def first(self, query: str = "", **how: Any) -> dict[str, Any]:
        """The first event of a WebSocket."""
        async with connect(f"{self.ws}{query}", **how) as socket:
            return dict(json.loads(await socket.recv()))

    async def offer(self, path: str, key: str | None = None, **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        return await self.http.post(path, content=OFFER, headers={**SDP, **bearer, **headers})


@asynccontextmanager
async def place(**options: Any) -> AsyncIterator[Place]:
    backend, calls = ScriptedBackend(), Calls()
    async with (
        serving(backend, ServerOptions(**options), answer_call=calls.answer) as served,
        httpx.AsyncClient(base_url=served.http) as http,
    ):
        yield Place(served.ws, http, backend, calls)


async def test_H38_a_session_and_its_key():
    async with place() as at:
        session = await at.mint(**FLAT)
    typed = SessionCreateResponse.model_validate(session)
    assert typed.client_secret.value.startswith("ek_")
    assert typed.client_secret.expires_at - time.time() == pytest.approx(60, abs=2)
    assert session["id"].startswith("sess_")
    assert {key: session[key] for key in FLAT if key != "turn_detection"} == {
        key: FLAT[key] for key in FLAT if key != "turn_detection"
    }
    assert session["turn_detection"]["silence_duration_ms"] == 700
    assert session["input_audio_format"] == session["output_audio_format"] == "pcm16"


async def test_H38_a_life_of_ones_own_and_no_wishes_at_all():
    async with place() as at:
        session = await at.mint(client_secret={"expires_after": {"anchor": "created_at", "seconds": 600}})
        assert session["client_secret"]["expires_at"] - time.time() == pytest.approx(600, abs=2)
        empty = await at.http.post("/v1/realtime/sessions")
        assert empty.json()["modalities"] == ["text", "audio"]


async def test_H39_a_transcription_session_and_its_key():
    async with place() as at:
        body = {"input_audio_transcription": {"model": "gpt-4o-transcribe"}, "modalities": ["text"]}
        session = await at.mint("transcription_sessions", **body)
        typed = TranscriptionSession.model_validate(session)
        assert session["object"] == "realtime.transcription_session"
        assert typed.input_audio_transcription
        assert typed.input_audio_transcription.model == "gpt-4o-transcribe"
        key = session["client_secret"]["value"]
        created = await at.first("?intent=transcription", additional_headers={"Authorization": f"Bearer {key}"})
        assert created["type"] == "transcription_session.created"
        assert at.backend.requests[-1].kind == "transcription"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"voice": 5}, "invalid_type", "voice"),
        ({"nonsense": 5}, "unknown_parameter", "nonsense"),
        ({"turn_detection": {"type": "server_vad", "threshold": 2}}, "invalid_value", "turn_detection.threshold"),
        ({"input_audio_format": "mp3"}, "invalid_value", "input_audio_format"),
        ({"temperature": 3}, "invalid_value", "temperature"),
        ({"client_secret": {"expires_after": {"seconds": 5}}}, "invalid_value", "client_secret.expires_after.seconds"),
    ],
)
async def test_a_wrong_session_is_told_in_the_words_it_was_sent_in(body, code, param):
    async with place() as at:
        assert await at.refused(json=body) == (400, code, param)


async def test_bodies_that_are_none():
    async with place() as at:
        assert await at.refused(json=[]) == (400, "invalid_type", None)
        assert await at.refused(content="{", headers={"Content-Type": "application/json"}) == (
            400,
            "invalid_json",
            None,
        )


async def test_H36_an_ephemeral_key_mints_nothing():
    async with place() as at:
        key = (await at.mint())["client_secret"]["value"]
        bearer = {"Authorization": f"Bearer {key}"}
        for path in ("/sessions", "/transcription_sessions"):
            assert await at.refused(path, json={}, headers=bearer) == (403, "insufficient_scope", None)


async def test_H43_a_key_of_the_beta_speaks_beta_and_remembers_the_temperature():
    async with place() as at:
        key = (await at.mint(**FLAT))["client_secret"]["value"]
        protocols = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{key}")]
        created = await at.first("?model=other", subprotocols=protocols)
    assert created["type"] == "session.created"
    assert (created["session"]["voice"], created["session"]["temperature"]) == ("verse", 0.7)
    request = at.backend.requests[0]
    assert (request.model, (request.config or {})["audio"]["output"]) == ("gpt-realtime", {"voice": "verse"})


async def speaks_beta(socket: ClientConnection, backend: ScriptedBackend) -> bool:
    await socket.recv()
    (await backend.next_opened()).arrive(Frame("response.output_audio.done", {"type": "response.output_audio.done"}))
    return bool(json.loads(await socket.recv())["type"] == "response.audio.done")


@pytest.mark.parametrize(
    ("how", "beta"),
    [
        ({}, False),
        ({"additional_headers": {"OpenAI-Beta": "realtime=v1"}}, True),
        ({"additional_headers": {"OpenAI-Beta": "assistants=v2"}}, False),
        ({"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]}, True),
        ({"subprotocols": [Subprotocol("realtime")]}, False),
    ],
)
async def test_H43_header_and_subprotocol(how: dict[str, Any], beta: bool):
    async with place() as at, connect(at.ws, **how) as socket:
        assert await speaks_beta(socket, at.backend) is beta


async def test_H43_a_first_update_that_only_the_beta_has():
    async with place() as at, connect(at.ws) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": {"voice": "ash"}}))
        assert await speaks_beta(socket, at.backend)
        told = await at.backend.lines[0].next_sent()
        assert told.data["session"] == {"type": "realtime", "audio": {"output": {"voice": "ash"}}}


async def test_H40_an_offer_posted_the_old_way():
    async with place() as at:
        answer = await at.offer("/v1/realtime?model=gpt-x")
        assert (answer.status_code, answer.text) == (201, ANSWER)
        assert (at.backend.requests[0].model, at.backend.requests[0].media) == ("gpt-x", True)
        key = (await at.mint(**FLAT))["client_secret"]["value"]
        assert (await at.offer("/v1/realtime", key)).status_code == 201
        assert (await at.offer("/v1/realtime/calls", key)).status_code == 201
        ga = (await at.http.post("/v1/realtime/client_secrets")).json()["value"]
        assert (await at.offer("/v1/realtime", ga)).status_code == 201
        assert (await at.offer("/v1/realtime/calls")).status_code == 201
        assert [isinstance(dialect, Beta) for dialect in at.calls.dialects] == [True, True, True, False, False]


async def test_H40_a_wrong_offer_and_a_missing_key():
    async with place(api_keys=("sk-x",)) as at:
        assert await at.refused("?model=x", content=OFFER, headers=SDP) == (401, "missing_api_key", None)
    async with place() as at:
        assert await at.refused("?model=x", json={}) == (400, "invalid_content_type", None)


async def test_H40_the_data_channel_of_such_a_call_speaks_beta():
    backend = ScriptedBackend()
    async with serving(backend) as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        key = (await http.post("/v1/realtime/sessions", json=FLAT)).json()["client_secret"]["value"]
        caller = Caller()
        try:
            headers = {**SDP, "Authorization": f"Bearer {key}"}
            placed = await http.post("/v1/realtime?model=gpt-realtime", content=await caller.offer(), headers=headers)
            await caller.accept(placed.text)
            created = await caller.event()
            assert (created["type"], created["session"]["temperature"]) == ("session.created", 0.7)
            caller.say(type="session.update", session={"voice": "ash"})
            answerer = await backend.next_opened()
            while (told := await answerer.next_sent()).type == APPEND:  # the microphone is open
                pass
            assert told.data["session"] == {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
            answerer.arrive(Frame("response.output_text.delta", {"type": "response.output_text.delta", "delta": "Hi"}))
            assert await caller.event() == {"type": "response.text.delta", "delta": "Hi"}
        finally:
            await caller.close()
