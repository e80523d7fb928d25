import numpy as np

from vivavoce.transports.webrtc.inbound import MAX_GAP, RATE, Inbound

FRAME = 960


def frame(number: int, hertz: int = 440) -> bytes:
    at = np.arange(number * FRAME, (number + 1) * FRAME)
    wave = (8000 * np.sin(2 * np.pi * hertz / RATE * at)).astype("<i2")
    return np.column_stack((wave, wave)).tobytes()


def test_stereo_at_48_khz_becomes_mono_at_24_khz_with_no_lag_to_speak_of():
    inbound = Inbound()
    pcm = b"".join(inbound.push(frame(n), n * FRAME) for n in range(50))
    heard = np.frombuffer(pcm, "<i2").astype(float)
    assert 24_000 - 48 <= len(heard) <= 24_000  # at most 2 ms behind
    spoken = 8000 * np.sin(2 * np.pi * 440 / 24_000 * np.arange(24_000))
    lags = [float(np.dot(heard[lag : lag + 20_000], spoken[:20_000])) for lag in range(48)]
    assert np.argmax(lags) <= 48  # samples: 2 ms
    assert abs(np.std(heard[1000:]) - 8000 / np.sqrt(2)) < 100


def test_lost_packets_count_as_time():
    whole, holed = Inbound(), Inbound()
    everything = b"".join(whole.push(frame(n), n * FRAME) for n in range(50))
    received = [n for n in range(50) if n not in (10, 11, 12, 30)]
    with_holes = b"".join(holed.push(frame(n), n * FRAME) for n in received)
    assert len(with_holes) == len(everything)
    hole = np.frombuffer(with_holes, "<i2")[10 * 480 + 48 : 13 * 480 - 48]
    assert not hole.any()
    after = slice(31 * 960 + 96, 49 * 960)
    assert with_holes[after] == everything[after]


def test_a_long_pause_or_a_new_clock_is_no_loss():
    inbound = Inbound()
    inbound.push(frame(0), 0)
    assert len(inbound.push(frame(1), (MAX_GAP + 1) * RATE)) == 960
    assert len(inbound.push(frame(2), 5)) == 960
    assert len(inbound.push(frame(3), 5 + FRAME)) == 960
