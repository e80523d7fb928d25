"""Hugging Face's speech-to-speech behind its Realtime API: voice activity here, recognition, mind and voice over HTTP.
Has its own environment.

    python hf_server.py PORT MODELS_URL SILENCE_SECONDS

With the settings by which it answers soonest: no Smart Turn, no wait for a turn to be reopened, a voice that streams.
What it fetches from the net at its start comes from elsewhere: the Silero model from the package ``silero-vad``, in the
place of GitHub, and compiled before anybody comes; sentences end at a full stop, in the place of NLTK's table of
abbreviations.
"""

import re
import sys

import nltk
import torch
from silero_vad import load_silero_vad

PORT, MODELS, SILENCE = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
PIPELINES = 16
"""Sessions at one time; each costs memory from the start."""
COMPILED = 3
"""Windows until TorchScript has made of a model what it will."""
OPTIONS = {
    "port": PORT, "num_pipelines": PIPELINES, "log_level": "error", "torch_num_threads": 1,
    "smart_turn": False, "speculative_reopen_ms": 0, "unanswered_reopen_ms": 0, "enable_live_transcription": False,
    "min_silence_ms": round(SILENCE * 1000), "min_speech_ms": 100, "min_speech_continuation_ms": 100,
    "stt": "openai", "openai_stt_base_url": MODELS, "openai_stt_api_key": "none", "openai_stt_model": "stub",
    "llm_backend": "chat-completions", "model_name": "stub",
    "responses_api_base_url": MODELS, "responses_api_api_key": "none", "responses_api_stream": True,
    "tts": "openai", "openai_tts_base_url": MODELS, "openai_tts_api_key": "none", "openai_tts_stream": True,
}  # fmt: skip


def voice_activity(*names, **options):
    """In the place of ``torch.hub.load``."""
    model = load_silero_vad()
    for _ in range(COMPILED):
        model(torch.zeros(512), 16_000)
    model.reset_states()
    return model, None


nltk.data.find = lambda name, *others: name
nltk.sent_tokenize = lambda text, language="english": re.split(r"(?<=[.!?])\s+", text.strip()) if text.strip() else []
torch.hub.load = voice_activity

from speech_to_speech.cli import main  # noqa: E402
from speech_to_speech.pipeline.language_detection import warm_language_detector  # noqa: E402

warm_language_detector()  # or whoever is answered first waits for it

sys.argv = [
    "speech-to-speech",
    "serve",
    *(text for name, value in OPTIONS.items() for text in (f"--{name}", str(value))),
]
main()
