"""A conversation that goes on in a new session of the engine: nothing of it is lost, and nothing is told twice."""

from typing import Any

from tests.engine.support import Hand, senses
from tests.support.fake_models import FakeLlm, says
from tests.support.virtual_time import virtual_time
from vivavoce.backends.builtin import Builtin
from vivavoce.backends.history import History
from vivavoce.backends.interface import SessionRequest
from vivavoce.models.interfaces import Message

USER = {"id": "item_u", "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
SAID: list[dict[str, Any]] = [
    {**USER, "content": [{"type": "input_audio", "transcript": "What is the weather in Paris?"}]},
    {"id": "item_c", "type": "function_call", "status": "completed", "name": "weather", "call_id": "call_1",
     "arguments": '{"place":"Paris"}'},
    {"id": "item_o", "type": "function_call_output", "status": "completed", "call_id": "call_1", "output": "rain"},
    {"id": "mcp_1", "type": "mcp_call", "status": "completed", "server_label": "deepwiki", "name": "ask",
     "arguments": "{}", "output": "wiki"},
    {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "deepwiki", "tools": []},
    {"id": "item_a", "type": "message", "role": "assistant", "status": "incomplete",
     "content": [{"type": "output_audio", "transcript": "It rains."}]},
    {**USER, "id": "item_n", "content": [{"type": "input_audio", "transcript": None}]},
]  # fmt: skip


@virtual_time
async def test_the_next_answer_knows_all_that_was_said():
    mind = FakeLlm(says("Still."))
    backend = Builtin(senses(llm=mind), lambda: 1_700_000_000.0)
    line = await backend.open(SessionRequest("sess_2", "gpt-x", "realtime", history=History("conv_1", SAID)))
    hand = Hand(line)
    created = await hand.until("session.created")
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And now?"}]}
    await hand.say("conversation.item.create", item=item)
    added = await hand.until("conversation.item.done")
    assert added["previous_item_id"] == "item_n"
    await hand.say("response.create")
    begun = await hand.until("response.created")
    assert begun["response"]["conversation_id"] == "conv_1"
    assert mind.asked == []
    await hand.until("response.done")
    assert mind.asked[0].prompt.messages == [
        Message("user", "What is the weather in Paris?"),
        Message("call", '{"place":"Paris"}', name="weather", call_id="call_1"),
        Message("result", "rain", call_id="call_1"),
        Message("call", "{}", name="ask", call_id="mcp_1"),
        Message("result", "wiki", call_id="mcp_1"),
        Message("assistant", "It rains."),
        Message("user", ""),
        Message("user", "And now?"),
    ]
    assert hand.types.count("conversation.item.added") == 2  # of what is new
    voice = created["session"]["audio"]["output"]["voice"]
    await hand.update(audio={"output": {"voice": "another" if voice != "another" else "third"}})
    assert (await hand.until("error"))["error"]["code"] == "cannot_update_voice"
    await hand.say("conversation.item.retrieve", item_id="item_a")
    shown = (await hand.until("conversation.item.retrieved"))["item"]
    assert (shown["status"], shown["content"]) == ("incomplete", [{"type": "output_audio", "transcript": "It rains."}])
    await hand.say("conversation.item.retrieve", item_id="item_n")
    assert (await hand.until("conversation.item.retrieved"))["item"]["content"][0]["transcript"] is None
    await line.close()
