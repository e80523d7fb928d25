import numpy as np
import pytest

from tests.support.fake_models import FakeVad, tone
from vivavoce.audio import g711, noise
from vivavoce.audio.pcm import level_dbfs
from vivavoce.audio.resample import convert
from vivavoce.engine.ear import SLACK, Ear
from vivavoce.engine.rounds import Rounds
from vivavoce.protocol.session.commands import RATE, Span
from vivavoce.protocol.wire.config import NoiseReduction, Pcm, Pcma, Pcmu
from vivavoce.protocol.wire.errors import ProtocolError


def ear() -> tuple[Ear, list[tuple[int, float]]]:
    heard: list[tuple[int, float]] = []
    return Ear(Rounds(FakeVad()), lambda end, probability: heard.append((end, probability))), heard


def feed(ear: Ear, pcm: bytes, *, wanted: bool = True) -> None:
    for at in range(0, len(pcm), 960):
        samples = ear.hear(pcm[at : at + 960])
        ear.listen(wanted, samples)
    ear.settle()


async def test_windows_of_32_ms_are_told_by_position():
    listener, heard = ear()
    feed(listener, bytes(2 * RATE) + tone(1000))
    ends = [end for end, _ in heard]
    assert ends == list(range(768, 768 * len(ends) + 1, 768))
    assert ends[-1] > 2 * RATE - 2 * 768
    onset = next(end for end, probability in heard if probability > 0.5)
    assert RATE < onset <= RATE + 2 * 768


async def test_listening_may_begin_late_and_positions_stay_true():
    listener, heard = ear()
    feed(listener, bytes(RATE), wanted=False)
    feed(listener, tone(200))
    assert heard[0][0] == RATE // 2 + 768


async def test_a_span_is_cut_to_the_sample_and_the_past_is_let_go():
    listener, _ = ear()
    sound = tone(3000)
    feed(listener, sound)
    assert listener.cut(Span(100, 200)) == sound[200:400]
    listener.forget(2 * SLACK)
    assert listener.cut(Span(2 * SLACK, 2 * SLACK + 10)) == sound[4 * SLACK : 4 * SLACK + 20]
    assert listener.cut(Span(0, 100)) == b""
    assert listener.received == 3 * RATE


def test_half_a_sample_is_refused():
    with pytest.raises(ProtocolError, match="pairs of bytes"):
        ear()[0].hear(b"123")


@pytest.mark.parametrize(("format", "encode"), [(Pcmu(), g711.ulaw_encode), (Pcma(), g711.alaw_encode)])
def test_telephone_formats_become_24_khz(format: Pcmu | Pcma, encode):
    listener, _ = ear()
    sound = encode(convert(tone(1000), RATE, 8000))
    listener.configure(format)
    samples = sum(listener.hear(sound[at : at + 160]) for at in range(0, len(sound), 160))
    assert abs(samples - RATE) < 100


@pytest.mark.skipif(not noise.available(), reason="webrtc-noise-gain has wheels for Linux alone")
def test_noise_is_reduced_as_long_as_it_is_wanted_and_positions_stay_true():
    listener, _ = ear()
    sound = (np.random.default_rng(1).normal(size=RATE) * 300).astype("<i2").tobytes()
    for reduction in (None, NoiseReduction(type="near_field"), NoiseReduction(type="far_field", strength=0.0)):
        listener.configure(Pcm(), reduction)
        for at in range(0, len(sound), 960):
            assert listener.hear(sound[at : at + 960]) == 480
    loudness = [level_dbfs(listener.cut(Span(second * RATE + RATE // 2, (second + 1) * RATE))) for second in range(3)]
    assert loudness[0] == loudness[2] == pytest.approx(level_dbfs(sound), abs=0.5)
    assert loudness[1] < loudness[0] - 4


def test_noise_reduction_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(noise, "available", lambda: False)
    listener, _ = ear()
    listener.configure(Pcm(), NoiseReduction(type="near_field"))
    assert listener.hear(tone(20)) == 480
    assert listener.cut(Span(0, 480)) == tone(20)
    assert "not installed" in caplog.text
