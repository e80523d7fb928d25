"""From what ``response.create`` asks for, over what the session is set to, to what is made of what."""

from dataclasses import dataclass
from typing import cast

from vivavoce.protocol.session.commands import Context
from vivavoce.protocol.session.items import Item, from_wire
from vivavoce.protocol.session.mcp import Mcp
from vivavoce.protocol.session.state import Shared
from vivavoce.protocol.session.truncation import Truncation
from vivavoce.protocol.session.usage import text_tokens
from vivavoce.protocol.wire.config import (
    CustomVoice,
    Format,
    FunctionChoice,
    FunctionTool,
    Pcm,
    Tool,
    ToolChoice,
    Voice,
)
from vivavoce.protocol.wire.errors import ProtocolError
from vivavoce.protocol.wire.events import ItemReference, NewItem, ResponseAudioOutput, ResponseParams
from vivavoce.protocol.wire.shape import get

__all__ = ["Plan", "Planner"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a response is made and shown, after the overrides of ``response.create``."""

    modality: str
    """``audio`` or ``text``."""
    max_output_tokens: int | str
    format: Format
    voice: str
    """By name: a response shows no other (C-33)."""
    metadata: dict[str, str] | None
    in_conversation: bool
    """False for ``conversation: "none"``: no ``conversation.item.*`` events, no stored items (O-29)."""


class Planner:
    def __init__(self, shared: Shared, mcp: Mcp) -> None:
        self._shared, self._mcp = shared, mcp
        self._truncation = Truncation()

    def tools(self, params: ResponseParams) -> tuple[Tool, ...]:
        return tuple(get(params.tools, get(self._shared.realtime.tools, [])))

    def plan(self, params: ResponseParams) -> Plan:
        config, asked, default = self._shared.realtime, _output(params), self._shared.speaking
        return Plan(
            modality=get(params.output_modalities, config.output_modalities)[0],  # type: ignore[index]
            max_output_tokens=get(params.max_output_tokens, config.max_output_tokens),  # type: ignore[arg-type]
            format=get(asked.format, default.format),  # type: ignore[arg-type]
            voice=_name(get(asked.voice, default.voice)),  # type: ignore[arg-type]
            metadata=get(params.metadata, None),
            in_conversation=params.conversation != "none",
        )

    def context(self, params: ResponseParams, plan: Plan) -> Context:
        """Raises :class:`ProtocolError` for an ``input`` that is wrong, and a choice of a tool that is not there."""
        config, tools, limit = self._shared.realtime, self.tools(params), plan.max_output_tokens
        instructions = get(params.instructions, get(config.instructions, ""))
        items = self._given(params)
        if items is None:
            items = self._truncation.fit(
                self._shared.conversation.items(), text_tokens(instructions), config.truncation
            )
        functions = tuple(tool for tool in tools if isinstance(tool, FunctionTool))
        offered = self._mcp.offered(tools)
        choice = cast(ToolChoice, params.tool_choice or config.tool_choice)
        names = {function.name for function in functions} | {function.name for function in offered}
        if isinstance(choice, FunctionChoice) and choice.name not in names:
            where = "response.tool_choice" if params.tool_choice else "session.tool_choice"
            raise ProtocolError("invalid_value", f"There is no tool named '{choice.name}' to choose.", param=where)
        return Context(
            instructions=instructions,
            items=items,
            tools=functions,
            mcp=offered,
            tool_choice=choice,
            modality=plan.modality,
            voice=plan.voice,
            speed=get(_output(params).speed, get(self._shared.speaking.speed, 1.0)),
            format=Pcm() if self._shared.media else plan.format,
            max_output_tokens=limit if isinstance(limit, int) else None,
            language=self._shared.language,
        )

    def _given(self, params: ResponseParams) -> tuple[Item, ...] | None:
        """What ``input`` puts in the place of the conversation (O-30)."""
        given = get(params.input, None)
        if given is None:
            return None
        return tuple(self._item(new, f"response.input[{index}]") for index, new in enumerate(given))

    def _item(self, new: NewItem, at: str) -> Item:
        if isinstance(new, ItemReference):
            return self._shared.conversation.get(str(get(new.id, "")), "retrieve")
        return from_wire(new, self._shared.out.ids("item"), self._shared.out.ids("call"), at)


def _output(params: ResponseParams) -> ResponseAudioOutput:
    audio = get(params.audio, None)
    return get(audio.output, ResponseAudioOutput()) if audio else ResponseAudioOutput()


def _name(voice: Voice) -> str:
    return voice.id if isinstance(voice, CustomVoice) else voice
