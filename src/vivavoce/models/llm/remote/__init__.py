"""A mind on another server: OpenAI's chat completions, streamed. ``mind`` asks; around it, one oddity a file."""

from vivavoce.models.llm.remote.mind import RemoteLlm

__all__ = ["RemoteLlm"]
