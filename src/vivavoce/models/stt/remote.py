"""Recognition on another server: OpenAI's ``/audio/transcriptions``, a whole utterance at a time."""

from io import BytesIO
from typing import Any

import aiohttp
import msgspec

from vivavoce.audio.pcm import level_dbfs
from vivavoce.audio.wav import write_wav
from vivavoce.models.interfaces import Hints, Logprob, Transcript
from vivavoce.models.remote.api import Api
from vivavoce.models.remote.errors import strange
from vivavoce.models.remote.place import Patience, Remote

__all__ = ["RemoteStt"]

RATE = 16_000
SHORTEST = RATE // 10 * 2
"""Bytes in 100 ms: no word is shorter, and servers refuse less."""
QUIETEST = -60.0
"""dBFS. Whisper finds a sentence in silence, so what is as good as silent is not sent."""


class _Logprob(msgspec.Struct):
    token: str
    logprob: float


class _Words(msgspec.Struct):
    text: str
    logprobs: list[_Logprob] | None = None


class RemoteStt:
    """Implements ``Stt``; the settings are those of :class:`Remote`."""

    rate = RATE

    def __init__(
        self,
        *,
        url: str = "",
        model: str = "",
        key: str = "",
        key_env: str = "",
        language: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``language``: that of sessions which name none."""
        remote = Remote.of("stt", url=url, model=model, key=key, key_env=key_env)
        self.name = remote.model
        self._language = language
        self._api = Api(remote, patience)

    async def warm(self) -> None:
        """Raises :class:`ModelError` where the server cannot be reached or does not take the key."""
        await self._api.check()

    async def check(self) -> list[str] | None:
        """As :meth:`Api.check`."""
        return await self._api.check()

    async def transcribe(self, pcm: bytes, hints: Hints) -> Transcript:
        if len(pcm) < SHORTEST or level_dbfs(pcm) < QUIETEST:
            return Transcript("")
        wav = BytesIO()
        write_wav(wav, pcm, RATE)
        sound = wav.getvalue()
        async with self._api.ask("POST", "/audio/transcriptions", lambda: {"data": self._form(sound, hints)}) as reply:
            return self._read(await reply.whole(), reply.kind)

    async def close(self) -> None:
        await self._api.close()

    def _form(self, wav: bytes, hints: Hints) -> aiohttp.FormData:
        fields: dict[str, Any] = {"model": self.name, "response_format": "json"}
        if language := hints.language or self._language:
            fields["language"] = language.lower().partition("-")[0]
        if hints.prompt:
            fields["prompt"] = hints.prompt
        if "gpt-" in self.name and self.name.endswith("-transcribe"):  # the one family that gives them
            fields["include[]"] = "logprobs"
        form = aiohttp.FormData(fields)
        form.add_field("file", BytesIO(wav), filename="speech.wav", content_type="audio/wav")
        return form

    def _read(self, body: bytes, kind: str) -> Transcript:
        if kind == "text/plain" and not body.lstrip().startswith(b"{"):
            return Transcript(body.decode(errors="replace").strip())
        try:
            words = msgspec.json.decode(body, type=_Words)
        except msgspec.DecodeError:
            raise strange(self._api.remote, "its answer is no transcription") from None
        logprobs = tuple(Logprob(each.token, each.logprob) for each in words.logprobs or ())
        return Transcript(words.text.strip(), logprobs or None)
