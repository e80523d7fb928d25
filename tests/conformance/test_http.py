"""The HTTP addresses and the WebSocket's handshake (H)."""

import json
import re
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.conformance.live import SDP, ended, event, house, refusal
from tests.conformance.rows import row
from tests.engine.support import senses
from tests.support.backends import ScriptedBackend
from tests.support.calls import ANSWER, OFFER
from tests.support.serving import serving
from tests.transports.webrtc.caller import Caller
from vivavoce.access.limits import Allowance
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.backend import UpstreamBackend
from vivavoce.protocol.dialects.ga import MAX_APPEND_BASE64
from vivavoce.protocol.frame import AUDIO_DELTA, Frame
from vivavoce.server.options import ServerOptions

KEY = "sk-what-this-server-wants"
BETA = {"OpenAI-Beta": "realtime=v1"}
SECRETS = "/v1/realtime/client_secrets"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def form(*parts: tuple[str, str, str]) -> dict[str, Any]:
    """Parts as (headers behind the name, name, content), written out as clients do."""
    body = "".join(
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{headers}\r\n\r\n{content}\r\n'
        for headers, name, content in parts
    )
    return {
        "content": f"{body}--b0undary--\r\n",
        "headers": {"Content-Type": "multipart/form-data; boundary=b0undary"},
    }


# The WebSocket --------------------------------------------------------------------------------------


@row("H-01", "H-03")
async def test_the_query_says_what_kind_of_session():
    async with house() as at:
        for query, kind, model in (
            ("?model=gpt-x", "realtime", "gpt-x"),
            ("?intent=transcription", "transcription", None),
            ("?intent=transcription&model=whisper-1", "transcription", None),
        ):
            async with connect(at.ws + query) as socket:
                session = (await event(socket))["session"]
                assert (session["type"], session.get("model")) == (kind, model)


@row("H-02", "H-08")
async def test_a_sideband_by_call_id():
    async with house() as at:
        call_id = (await at.call()).headers["location"].rpartition("/")[2]
        await at.calls.lines[0].next_sent()
        async with connect(f"{at.ws}?call_id={call_id}&model=means-nothing") as socket:
            assert (await event(socket))["session"]["model"] != "means-nothing"
        status, error = await refusal(f"{at.ws}?call_id=rtc_nobody")
        assert (status, error["type"], error["code"]) == (404, "invalid_request_error", "call_id_not_found")
        ephemeral = (await at.mint())["value"]
        status, error = await refusal(f"{at.ws}?call_id={call_id}", additional_headers=bearer(ephemeral))
        assert (status, error["code"]) == (404, "call_id_not_found")


@row("H-04", "H-07")
async def test_keys_and_the_headers_beside_them():
    async with house(api_keys=(KEY,)) as at:
        for how in ({}, {"additional_headers": bearer("sk-wrong")}, {"additional_headers": bearer("ek_nobody")}):
            status, error = await refusal(at.ws, **how)
            assert (status, error["type"]) == (401, "invalid_request_error")
        assert at.backend.requests == []
        minted = await at.http.post(SECRETS, json={}, headers=bearer(KEY))
        others = {
            "OpenAI-Organization": "org", "OpenAI-Project": "proj", "OpenAI-Safety-Identifier": "user",
            "X-OpenAI-Agents-SDK": "js", "User-Agent": "Agents/JavaScript",
        }  # fmt: skip
        for key in (KEY, minted.json()["value"]):
            async with connect(at.ws, additional_headers={**bearer(key), **others}) as socket:
                assert (await event(socket))["type"] == "session.created"


@row("H-05", "H-06")
async def test_the_subprotocols_of_browsers():
    async with house(api_keys=(KEY,)) as at:
        names = ("realtime", f"openai-insecure-api-key.{KEY}", "openai-organization.o", "openai-agents-sdk.0.20.0")
        async with connect(at.ws, subprotocols=[Subprotocol(name) for name in names]) as socket:
            assert socket.subprotocol == "realtime"
            assert socket.response is not None
            assert KEY not in str(socket.response.headers)
        wrong = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.sk-wrong")]
        assert (await refusal(at.ws, subprotocols=wrong))[0] == 401


@row("H-09")
@pytest.mark.parametrize("code", ["invalid_model", "insufficient_quota"])
async def test_what_is_found_late_is_told_on_the_socket(code):
    refused = BackendError.of(400, "No.", code=code, type="invalid_request_error")
    async with house(failing=refused) as at, connect(at.ws) as socket:
        assert (await event(socket))["error"]["code"] == code
        assert await ended(socket) == (4000, f"invalid_request_error.{code}")


@row("H-10")
async def test_text_frames_with_one_object_each_and_no_compression():
    async with house() as at, connect(at.ws, compression="deflate") as socket:
        assert socket.response is not None
        assert "sec-websocket-extensions" not in socket.response.headers
        assert isinstance(await socket.recv(), str)
        for wrong in ("no json", "[]", b"\x00"):
            await socket.send(wrong)
            assert (await event(socket))["type"] == "error"
        await socket.send('{"type":"response.create"}')
        assert (await (await at.backend.next_opened()).next_sent()).type == "response.create"


@row("H-11")
async def test_fifteen_mebibytes_of_audio_in_one_frame_and_twice_that_in_all():
    async with house() as at, connect(at.ws) as socket:
        answerer = await at.backend.next_opened()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * MAX_APPEND_BASE64}))
        frame = await answerer.next_sent()
        assert frame.audio is not None
        assert len(frame.audio) == MAX_APPEND_BASE64 * 3 // 4
        image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 30_000_000}
        item = {"type": "message", "role": "user", "content": [image]}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        assert (await answerer.next_sent()).type == "conversation.item.create"


@row("H-12")
async def test_nothing_is_redirected():
    async with house() as at:
        for method, path in (("GET", "/v1/realtime"), ("POST", "/v1/realtime/calls"), ("POST", SECRETS)):
            assert not (await at.http.request(method, path)).is_redirect
            assert not (await at.http.request(method, path + "/")).is_redirect


# Calls ----------------------------------------------------------------------------------------------

SESSION = {"type": "realtime", "instructions": "Be brief."}
TYPED = ("\r\nContent-Type: application/sdp", "\r\nContent-Type: application/json")
FILES = tuple(f'; filename="f"{kind}' for kind in TYPED)


@row("H-13", "H-14", "H-20")
@pytest.mark.parametrize("headers", [TYPED, ("", ""), FILES], ids=["typed", "untyped", "files"])
@pytest.mark.parametrize("wrapped", [False, True])
async def test_every_shape_of_a_form(headers, wrapped):
    session = json.dumps({"session": SESSION} if wrapped else SESSION)
    async with house() as at:
        answer = await at.call(**form((headers[0], "sdp", OFFER), (headers[1], "session", session)))
        assert (answer.status_code, answer.text) == (201, ANSWER)
        assert at.backend.requests[0].config == SESSION


@row("H-13")
async def test_no_other_part_and_not_without_an_offer():
    async with house() as at:
        for wrong in (form(("", "sdp", OFFER), ("", "voice", "x")), form(("", "session", json.dumps(SESSION)))):
            assert (await at.call(**wrong)).status_code == 400
        assert at.empty


@row("H-15", "H-16", "H-17")
async def test_a_raw_offer_and_its_answer():
    async with house() as at:
        answer = await at.http.post("/v1/realtime/calls?model=gpt-x", content=OFFER, headers=SDP)
        assert (answer.status_code, answer.text) == (201, ANSWER)
        assert answer.headers["content-type"] == "application/sdp"
        assert re.fullmatch(r"/v1/realtime/calls/rtc_\w+", answer.headers["location"])
        assert at.backend.requests[0].model == "gpt-x"
        key = (await at.mint(session=SESSION))["value"]
        assert (await at.call(content=OFFER, headers={**SDP, **bearer(key)})).status_code == 201
        assert (at.backend.requests[1].config or {})["instructions"] == "Be brief."


@row("H-18")
async def test_a_listed_site():
    site = "https://app.example"
    asked = "authorization, content-type, x-openai-agents-sdk, openai-safety-identifier"
    async with house(allow_origins=(site,)) as at:
        preflight = await at.http.options(
            "/v1/realtime/calls",
            headers={
                "Origin": site,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": asked,
            },
        )
        assert preflight.is_success
        allowed = {name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")}
        assert allowed >= set(asked.split(", "))
        placed = await at.call(content=OFFER, headers={**SDP, "Origin": site})
        assert placed.headers["access-control-allow-origin"] == site
        assert "Location" in placed.headers["access-control-expose-headers"]


@row("H-19")
async def test_a_backend_forwards_an_offer_with_its_own_key():
    async with house(api_keys=(KEY,)) as at:
        parts = form(("", "sdp", OFFER), ("", "session", json.dumps(SESSION)))
        parts["headers"].update(bearer(KEY))
        assert (await at.call(**parts)).status_code == 201


@row("H-21")
async def test_an_offer_without_candidates():
    async with serving(ScriptedBackend()) as served, httpx.AsyncClient(base_url=served.http, timeout=20) as http:
        caller = Caller()
        try:
            offer = await caller.offer()
            assert "a=candidate" not in offer
            answer = await http.post("/v1/realtime/calls", content=offer, headers=SDP)
            assert "a=candidate" in answer.text
            assert "a=end-of-candidates" in answer.text
            await caller.accept(answer.text)
            assert (await caller.event())["type"] == "session.created"
        finally:
            await caller.close()


@row("H-22")
async def test_a_bad_offer_and_a_bad_session():
    async with house() as at:
        for request, code in (
            ({"content": "hello", "headers": SDP}, "invalid_offer"),
            ({"content": "v=0 garbage", "headers": SDP}, "invalid_offer"),
            (form(("", "sdp", OFFER), ("", "session", '{"type":"realtime","voice":"x"}')), "unknown_parameter"),
            (form(("", "sdp", OFFER), ("", "session", "{}")), "missing_required_parameter"),
        ):
            answer = await at.call(**request)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert at.empty


@row("H-23", "H-25", "H-26")
@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("accept", '{"type":"realtime"}'),
        ("reject", ""),
        ("reject", '{"status_code":486}'),
        ("refer", '{"target_uri":"tel:+1"}'),
    ],
)
async def test_a_webrtc_call_is_no_telephone(what, body):
    async with house() as at:
        location = (await at.call()).headers["location"]
        json_type = {"Content-Type": "application/json"}
        answer = await at.http.post(f"{location}/{what}", content=body, headers=json_type)
        assert answer.status_code == 400
        assert "SIP" in answer.json()["error"]["message"]
        unknown = await at.http.post(f"/v1/realtime/calls/rtc_nobody/{what}", content=body, headers=json_type)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "call_id_not_found")
        assert not at.empty


@row("H-24", "H-27")
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/sdp"])
async def test_hanging_up(accept):
    async with house() as at:
        location = (await at.call()).headers["location"]
        as_python_does: dict[str, Any] = {
            "content": b"",
            "headers": {"Content-Type": "application/json", "Accept": accept},
        }
        answer = await at.http.post(f"{location}/hangup", **as_python_does)
        assert (answer.status_code, answer.content) == (200, b"")
        assert at.empty


@row("H-29")
async def test_a_sideband_hears_no_sound():
    async with house() as at:
        call_id = (await at.call()).headers["location"].rpartition("/")[2]
        await at.calls.lines[0].next_sent()
        async with connect(f"{at.ws}?call_id={call_id}") as socket:
            await event(socket)
            answerer = at.backend.lines[0]
            await socket.send('{"type":"response.create"}')
            assert (await answerer.next_sent()).type == "response.create"
            done = "response.output_audio.done"
            answerer.arrive(Frame(AUDIO_DELTA, {"type": AUDIO_DELTA}, b"\0\0"), Frame(done, {"type": done}))
            assert (await event(socket))["type"] == done


# Ephemeral keys -------------------------------------------------------------------------------------


@row("H-31", "H-32", "H-37")
async def test_what_is_minted():
    async with house() as at:
        before = at.served.service.now()
        minted = await at.mint()
        assert minted.keys() == {"value", "expires_at", "session"}
        assert minted["value"].startswith("ek_")
        assert 599 <= minted["expires_at"] - before <= 601
        session = minted["session"]
        assert session["id"].startswith("sess_")
        assert (session["object"], session["expires_at"]) == ("realtime.session", 0)
        assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
        brief = await at.mint(expires_after={"anchor": "created_at", "seconds": 10}, session={"type": "transcription"})
        assert 9 <= brief["expires_at"] - before <= 12
        assert brief["session"]["type"] == "transcription"


@row("H-33")
async def test_lifetimes_out_of_range():
    async with house() as at:
        for seconds in (9, 7201):
            answer = await at.http.post(SECRETS, json={"expires_after": {"anchor": "created_at", "seconds": seconds}})
            error = answer.json()["error"]
            assert (answer.status_code, error["param"]) == (400, "expires_after.seconds")
        assert (await at.http.post(SECRETS, content="")).status_code == 200


@row("H-34")
async def test_a_key_opens_many_sessions_that_may_change_what_it_brought():
    async with serving(Builtin(senses(), lambda: 0.0)) as served, httpx.AsyncClient(base_url=served.http) as http:
        key = (await http.post(SECRETS, json={"session": SESSION})).json()["value"]
        for _ in range(2):
            async with connect(served.ws, additional_headers=bearer(key)) as socket:
                assert (await event(socket))["session"]["instructions"] == "Be brief."
                session = {"type": "realtime", "instructions": "Be long."}
                await socket.send(json.dumps({"type": "session.update", "session": session}))
                assert (await event(socket))["session"]["instructions"] == "Be long."


@row("H-35")
async def test_minting_proves_no_model():
    async with house() as at:
        assert (await at.mint(session={"type": "realtime", "model": "nobody-has-this"}))["value"]


@row("H-36")
async def test_an_ephemeral_key_mints_nothing():
    async with house() as at:
        key = (await at.mint())["value"]
        for path in (SECRETS, "/v1/realtime/sessions"):
            answer = await at.http.post(path, json={}, headers=bearer(key))
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
        assert (await at.call(content=OFFER, headers={**SDP, **bearer(key)})).status_code == 201


# The beta, and what is not here ---------------------------------------------------------------------


@row("H-38", "H-39")
async def test_beta_keys():
    async with house() as at:
        now = at.served.service.now()
        for path, body, kept in (
            ("sessions", {"model": "gpt-4o-realtime-preview", "voice": "verse"}, {"voice": "verse"}),
            ("transcription_sessions", {"input_audio_format": "g711_ulaw"}, {"input_audio_format": "g711_ulaw"}),
        ):
            answer = (await at.http.post(f"/v1/realtime/{path}", json=body)).json()
            assert answer.items() >= kept.items()
            assert answer["client_secret"]["value"].startswith("ek_")
            assert 58 <= answer["client_secret"]["expires_at"] - now <= 62
        assert answer["object"] == "realtime.transcription_session"


@row("H-40")
async def test_a_beta_call():
    async with house() as at:
        key = (await at.http.post("/v1/realtime/sessions", json={})).json()["client_secret"]["value"]
        answer = await at.http.post("/v1/realtime?model=gpt-x", content=OFFER, headers={**SDP, **bearer(key)})
        assert answer.is_success
        assert answer.text == ANSWER


@row("H-41", "H-43")
async def test_who_is_taken_for_a_client_of_the_beta():
    async with house() as at:
        key = (await at.http.post("/v1/realtime/sessions", json={})).json()["client_secret"]["value"]
        for how, beta in (
            ({}, False),
            ({"additional_headers": BETA}, True),
            ({"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]}, True),
            ({"additional_headers": bearer(key)}, True),
        ):
            async with connect(at.ws, **how) as socket:
                assert ("modalities" in (await event(socket))["session"]) is beta
        async with connect(at.ws) as socket:
            await event(socket)
            for _ in range(4):
                await at.backend.next_opened()
            await socket.send(json.dumps({"type": "session.update", "session": {"modalities": ["text"]}}))
            update = await (await at.backend.next_opened()).next_sent()
            assert update.data["session"]["output_modalities"] == ["text"]


@row("H-42")
async def test_a_relay_speaks_ga_for_its_beta_clients():
    theirs = ScriptedBackend()
    async with serving(theirs, ServerOptions(api_keys=(KEY,))) as upstream:
        async with serving(UpstreamBackend(f"{upstream.http}/v1", KEY)) as ours:
            for how in (
                {"additional_headers": BETA},
                {"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]},
            ):
                async with connect(ours.ws, **how) as socket:
                    assert "modalities" in (await event(socket))["session"]
                    answerer = await theirs.next_opened()
                    await socket.send(json.dumps({"type": "session.update", "session": {"voice": "ash"}}))
                    update = await answerer.next_sent()
                    assert update.data["session"] == {"type": "realtime", "audio": {"output": {"voice": "ash"}}}


@row("H-44")
async def test_other_apis_are_not_here():
    async with house() as at:
        for path in ("/v1/realtime/translations/client_secrets", "/v1/live/sessions"):
            assert (await at.http.post(path, json={})).status_code == 404


# Errors ---------------------------------------------------------------------------------------------


@row("H-45", "H-46")
async def test_errors_have_one_shape_and_the_right_status():
    async with house(api_keys=(KEY,), max_sessions=1, allowances={"key": Allowance(mints=1)}) as at:
        right = bearer(KEY)
        ephemeral = (await at.http.post(SECRETS, json={}, headers=right)).json()["value"]
        await at.call(content=OFFER, headers={**SDP, **right})
        for method, path, headers, status in (
            ("POST", SECRETS, {}, 401),
            ("POST", SECRETS, bearer(ephemeral), 403),
            ("POST", "/v1/realtime/calls/rtc_nobody/hangup", right, 404),
            ("POST", "/v1/realtime/calls", {**right, **SDP}, 400),
            ("GET", "/v1/nothing", right, 404),
            ("POST", SECRETS, right, 429),
        ):
            answer = await at.http.request(method, path, headers=headers)
            assert answer.status_code == status
            assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
        full = await at.call(content=OFFER, headers={**SDP, **right})
        assert (full.status_code, full.json()["error"]["type"]) == (503, "server_error")
        assert "Retry-After" in full.headers


@row("H-46")
@pytest.mark.parametrize("failing", [BackendError.of(503, "No room."), ZeroDivisionError("insides")])
async def test_no_call_is_left_behind_an_error(failing):
    async with house(failing=failing) as at:
        answer = await at.call()
        assert answer.status_code >= 500
        assert "insides" not in answer.text
        assert at.empty
