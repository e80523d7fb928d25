"""Conversations that more than one row is about."""

from typing import Any

from tests.protocol.hand import Hand, Told
from vivavoce.protocol.session.commands import CallMcp
from vivavoce.protocol.session.mcp import McpFailure
from vivavoce.protocol.session.parts import Arguments, AudioPart, CallPart, Done, Failed, TextPart

__all__ = ["FORECAST", "SERVER", "everything_said", "mcp_session"]

SECOND = AudioPart(bytes(48_000), 24_000)
SERVER = {"type": "mcp", "server_label": "weather", "server_url": "https://weather.example/mcp"}
FORECAST = {
    "name": "forecast",
    "description": "Tells the weather",
    "input_schema": {"type": "object"},
    "annotations": {},
}


def mcp_session(*, approve: bool | None = None, fails: bool = False) -> Told:
    """Tools are listed, one is called, and the answer goes on. ``approve``: the call has to be, and is or is not."""
    hand, told = Hand(output_modalities=["text"]), Told()
    told += hand.update(tools=[{**SERVER, "require_approval": "never" if approve is None else "always"}])
    hand.session.mcp_listed("weather", [FORECAST])
    told += hand.told()
    told += hand.respond()
    told += hand.model("resp_1", CallPart("forecast"), Arguments("{}"), Done())
    if approve is not None:
        request = told.all("response.output_item.done")[-1]["item"]
        assert request["type"] == "mcp_approval_request"
        answer = {"type": "mcp_approval_response", "approval_request_id": request["id"], "approve": approve}
        told += hand.say("conversation.item.create", item=answer)
    if calls := told.commands(CallMcp):
        failure = McpFailure("tool_execution_error", "no wind")
        hand.session.mcp_result("resp_1", calls[0].item_id, failure if fails else "rain")
        told += hand.told()
    told += hand.model("resp_1", TextPart("It rains."), Done())
    return told


def everything_said() -> list[dict[str, Any]]:
    """The events of a long session in which nearly everything happens once."""
    hand = Hand(media=True, audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}})
    told = Told(hand.created)
    told += hand.turn()
    told += hand.heard("item_1", "hello there")
    told += hand.model(
        "resp_1", TextPart("One "), SECOND, TextPart("two."), SECOND, CallPart("f"), Arguments("{}"), Done()
    )
    told += hand.played("item_2", 500)
    told += hand.voice(320)
    told += hand.silence(224)
    told += hand.unheard("item_4", "Too loud.")
    told += hand.model("resp_2", TextPart("Once"), SECOND, Failed("model_error", "no"))
    told += hand.say("output_audio_buffer.clear")
    told += hand.respond(conversation="none", output_modalities=["text"], metadata={"k": "v"})
    told += hand.model("resp_3", TextPart("x"), Done("max_output_tokens"))
    told += hand.create("text", id="mine")
    told += hand.say("conversation.item.delete", item_id="mine")
    told += hand.say("response.cancel")
    told += hand.update(tools=[{"type": "function", "name": "f"}])
    told += hand.say("input_audio_buffer.clear")
    told += mcp_session(approve=True)
    return told.events
