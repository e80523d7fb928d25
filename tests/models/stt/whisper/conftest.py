from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.tiny_whisper import tiny_whisper
from vivavoce.models.stt.whisper.decoder import Decoder
from vivavoce.models.stt.whisper.queue import WhisperQueue
from vivavoce.models.stt.whisper.stt import WhisperStt


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("models")
    tiny_whisper(directory / "whisper" / "tiny")
    return directory


@pytest.fixture(scope="session")
def decoder(models: Path) -> Decoder:
    made = Decoder(models / "whisper" / "tiny")
    made.load()
    return made


@pytest.fixture
async def stt(models: Path, decoder: Decoder) -> AsyncIterator[WhisperStt]:
    """With the model that is loaded already."""
    made = WhisperStt("tiny", models)
    made._queue = WhisperQueue(decoder)
    yield made
    await made.close()
