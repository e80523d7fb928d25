import pytest

from vivavoce.transports.webrtc.losses import MAX_PERCENT, Losses


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([26, 0, 0, 0], [10, 8, 6, 5]),
        ([5, 5, 0, 0, 0], [1, 1, 1, 1, 1]),
        ([5] + [0] * 10, [1, 1, 1, 1] + [0] * 7),
        ([256, 0], [MAX_PERCENT, MAX_PERCENT]),
        ([13, 26, 13], [5, 10, 8]),
    ],
)
def test_a_loss_is_expected_for_a_while_after_it_was_reported(reported: list[int], expected: list[int]):
    losses = Losses()
    assert [losses.reported(fraction) for fraction in reported] == expected
