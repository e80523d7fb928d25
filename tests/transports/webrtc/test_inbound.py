import numpy as np
import pytest

from tests.support.speech import speech
from vivavoce.audio import HOUSE_RATE
from vivavoce.audio.opus import FRAME_BYTES, OpusEncoder
from vivavoce.transports.webrtc.arrival import MAX_GAP, Packet
from vivavoce.transports.webrtc.inbound import Inbound

FRAME = 960  # ticks, and bytes of PCM


def tone(seconds: float) -> bytes:
    at = np.arange(round(seconds * HOUSE_RATE))
    wave: np.ndarray = 8000 * np.sin(2 * np.pi * 440 / HOUSE_RATE * at)
    return wave.astype("<i2").tobytes()


def packets(pcm: bytes, loss: int = 0) -> list[bytes]:
    encoder = OpusEncoder()
    encoder.expect_loss(loss)
    return [encoder.encode(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


def heard(sent: list[bytes], without: set[int] | None = None) -> np.ndarray:
    inbound, pcm, lost = Inbound(), b"", 0
    for number, payload in enumerate(sent):
        if number in (without or ()):
            lost += 1
            continue
        pcm += inbound.push(Packet(number * FRAME, payload, lost))
        lost = 0
    return np.frombuffer(pcm, "<i2").astype(float)


def test_it_is_mono_at_the_house_rate_with_no_lag_to_speak_of():
    pcm = tone(1)
    result, spoken = heard(packets(pcm)), np.frombuffer(pcm, "<i2").astype(float)
    assert len(result) == HOUSE_RATE
    lags = [float(np.dot(result[lag : lag + 20_000], spoken[:20_000])) for lag in range(54)]
    assert np.argmax(lags) < 54  # within a period: the codec's own 6.5 ms are 156 samples, three periods less
    assert abs(np.std(result[1000:]) - 8000 / np.sqrt(2)) < 300


@pytest.mark.parametrize("without", [{10}, {10, 11, 12}, {10, 30}, set(range(10, 25))])
def test_lost_packets_count_as_time_and_what_follows_stays_in_its_place(without: set[int]):
    sent = packets(tone(1))
    whole, holed = heard(sent), heard(sent, without)
    assert len(holed) == len(whole)
    after = slice((max(without) + 5) * 480, None)
    assert np.std(whole[after] - holed[after]) < 0.1 * np.std(whole[after])


def test_a_short_loss_is_concealed_and_a_long_one_dies_away():
    sent = packets(tone(1))
    one = heard(sent, {20})[20 * 480 : 21 * 480]
    assert np.std(one) > 0.5 * 8000 / np.sqrt(2)
    many = heard(sent, set(range(10, 40)))[10 * 480 : 40 * 480]
    assert np.std(many[:480]) > 0.5 * 8000 / np.sqrt(2)
    assert not many[3000:].any()  # from 125 ms on


def test_a_copy_of_what_was_lost_is_used_where_the_sender_sends_one():
    """Of ten packets one is lost: half the error, at most, that guessing makes."""
    pcm = speech("time_in_london", HOUSE_RATE)
    without = set(range(5, len(pcm) // FRAME_BYTES - 5, 10))
    lost = np.concatenate([np.arange(480 * number, 480 * (number + 1)) for number in without])
    error = {}
    for loss in (0, 20):
        sent = packets(pcm, loss)
        error[loss] = np.mean((heard(sent) - heard(sent, without))[lost] ** 2)
    assert error[20] < 0.5 * error[0]


def test_a_pause_on_purpose_is_silence():
    inbound, sent = Inbound(), packets(tone(0.1))
    inbound.push(Packet(0, sent[0], 0))
    pcm = inbound.push(Packet(11 * FRAME, sent[1], 0))
    assert len(pcm) == 11 * FRAME
    assert not any(pcm[: 10 * FRAME])


def test_a_long_pause_or_a_new_clock_is_no_loss():
    inbound, sent = Inbound(), packets(tone(0.1))
    inbound.push(Packet(0, sent[0], 0))
    assert len(inbound.push(Packet(2 * MAX_GAP, sent[1], 9))) == FRAME
    assert len(inbound.push(Packet(5, sent[2], 0))) == FRAME
    assert len(inbound.push(Packet(5 + FRAME, sent[3], 0))) == FRAME


def test_what_is_no_opus_counts_as_lost_and_a_probe_as_nothing():
    inbound, sent = Inbound(), packets(tone(0.2))
    taken = [inbound.push(Packet(number * FRAME, payload, 0)) for number, payload in enumerate(sent[:5])]
    assert inbound.push(Packet(5 * FRAME, b"\xff\xff\xff", 0)) == b""
    assert inbound.push(Packet(6 * FRAME, b"", 0)) == b""
    after = inbound.push(Packet(6 * FRAME, sent[6], 0))
    assert len(after) == 2 * FRAME
    assert np.std(np.frombuffer(after[:FRAME], "<i2")) > 1000
    assert sum(map(len, taken)) == 5 * FRAME
