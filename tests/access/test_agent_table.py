"""Agents as they are written down: what becomes of each field, and what is said of one that is wrong."""

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from vivavoce.access.agent_table import AgentError, read_agents
from vivavoce.access.agents import FIELDS, OWN_ONLY, Agent, UnknownAgent
from vivavoce.protocol.session.config import Defaults, initial

WHOLE = """
[blue]
description = "Helps with the editor."
instructions = "You are Mr. Blue. The page is {page}."
model = "gpt-realtime-mini"
voice = "cedar"
speed = 1.1
modalities = ["audio"]
greeting = "Hello, I am Blue."
turn_detection = { type = "semantic_vad", eagerness = "low" }
transcription = { model = "whisper-1", language = "de" }
noise_reduction = "near_field"
tool_choice = "auto"
max_output_tokens = 800
handoffs = ["billing"]
client_may = ["voice", "tools"]
budget_usd = 0.5
max_minutes = 10

[[blue.tools]]
type = "function"
name = "look_up"
parameters = { type = "object", properties = { word = { type = "string" } } }

[[blue.tools]]
type = "mcp"
server_label = "docs"
server_url = "https://docs.example/mcp"
authorization_env = "DOCS_TOKEN"
require_approval = "never"

[billing]
instructions = "You do billing."
media = "direct"
"""


def read(text: str, **environ: str) -> dict[str, Agent]:
    return {agent.name: agent for agent in read_agents(tomllib.loads(text), environ)}


def test_every_field_goes_where_it_belongs():
    blue = read(WHOLE, DOCS_TOKEN="hunter2")["blue"]
    session: dict[str, Any] = dict(blue.session)
    tools = session.pop("tools")
    assert [tool.get("name") or tool["server_label"] for tool in tools] == ["look_up", "docs"]
    assert tools[1]["authorization"] == "hunter2"
    assert session == {
        "type": "realtime",
        "instructions": "You are Mr. Blue. The page is {page}.",
        "model": "gpt-realtime-mini",
        "tool_choice": "auto",
        "max_output_tokens": 800,
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
                "transcription": {"model": "whisper-1", "language": "de"},
                "noise_reduction": {"type": "near_field"},
            },
            "output": {"voice": "cedar", "speed": 1.1},
        },
    }
    assert (blue.greeting, blue.handoffs, blue.max_minutes) == ("Hello, I am Blue.", ("billing",), 10)
    assert blue.budget_usd == Decimal("0.5")
    assert blue.client_may == {"voice", "tools"}
    assert blue.watched
    assert initial(blue.session, Defaults())  # a session may begin like that
    assert "hunter2" not in repr(blue)


def test_what_is_left_open_is_the_clients_and_some_things_never_are():
    (bare,) = read('[bare]\nvoice = "cedar"').values()
    assert bare.client_may == FIELDS.keys() - OWN_ONLY - {"voice"}
    assert bare.session["audio"]["input"]["transcription"]["model"] == "gpt-4o-mini-transcribe"
    assert "transcription" in bare.client_may  # the owner has not asked for it
    assert "tools" in read(WHOLE, DOCS_TOKEN="x")["billing"].client_may


def test_false_switches_off():
    (agent,) = read("[a]\ntranscription = false\nturn_detection = false\nnoise_reduction = false").values()
    assert agent.session["audio"]["input"] == dict.fromkeys(["transcription", "turn_detection", "noise_reduction"])


def test_an_owner_may_insist_on_direct_calls():
    assert not read(WHOLE, DOCS_TOKEN="x")["billing"].watched


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[blue]\nvoise = "ash"', r"agents\.blue\.voise is no field of an agent; did you mean 'voice'\?"),
        ("[blue]\nvoice = 3", r"agents\.blue\.voice"),
        ("[blue]\nspeed = 9", r"agents\.blue\.speed"),
        ("[blue]\nbudget_usd = 0", r"agents\.blue\.budget_usd"),
        ("[blue]\nmax_minutes = 61", r"agents\.blue\.max_minutes"),
        ('[blue]\nclient_may = ["everything"]', r"agents\.blue\.client_may"),
        ('[blue]\nturn_detection = { type = "magic" }', r"agents\.blue\.turn_detection"),
        ('[blue]\nhandoffs = ["nobody"]', r"agents\.blue\.handoffs: there is no agent 'nobody'"),
        ('[blue]\ninstructions = "x"\nhandoffs = ["blue"]', r"agents\.blue\.handoffs: .* itself"),
        ('[blue]\nhandoffs = ["other"]\n[other]', r"agents\.other\.instructions: .* needs instructions"),
        ('["mr blue"]', "agents.mr blue: an agent's name has letters"),
        ("blue = 3", "agents.blue"),
        ('[[blue.tools]]\ntype = "function"', r"agents\.blue\.tools\[0\]\.name"),
        ('[[blue.tools]]\ntype = "function"\nname = "transfer_to_x"', r"tools\[0\]\.name: .* handoffs"),
        (
            '[[blue.tools]]\ntype = "function"\nname = "a"\n[[blue.tools]]\ntype = "function"\nname = "a"',
            "'a' is there twice",
        ),
        ('[[blue.tools]]\ntype = "mcp"\nserver_label = "d"\nauthorization_env = "NO"', r"the variable NO is not set"),
        ('[[blue.tools]]\ntype = "mcp"\nserver_label = "d"\nauthorization = "hunter2"', "belongs in the environment"),
    ],
)
def test_a_mistake_is_told_by_the_name_of_its_field(text, words):
    with pytest.raises(AgentError, match=words) as error:
        read(text)
    assert "hunter2" not in str(error.value)


def test_an_agent_that_is_not_there_is_told_to_the_client():
    agents = read_agents({"default": {}, "blue": {}}, {})
    assert agents["blue"].name == "blue"
    assert agents.default is agents["default"]
    with pytest.raises(UnknownAgent) as refusal:
        agents["green"]
    assert refusal.value.param == "agent"


@pytest.mark.parametrize("kept", ["off", "text", "audio"])
def test_what_is_kept_of_an_agents_sessions(kept: str):
    assert read_agents({"blue": {"store": kept}}, {})["blue"].store == kept
    assert read_agents({"blue": {}}, {})["blue"].store is None
    with pytest.raises(AgentError, match=r"agents\.blue\.store"):
        read_agents({"blue": {"store": "everything"}}, {})
