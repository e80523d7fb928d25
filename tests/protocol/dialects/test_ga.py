"""Frames that are our own are none of the wire's: nobody may forge what a track has played."""

import json

import pytest

from vivavoce.protocol.dialects.beta import Beta
from vivavoce.protocol.dialects.choose import Undecided
from vivavoce.protocol.dialects.ga import Ga
from vivavoce.protocol.frame import OURS
from vivavoce.protocol.wire.errors import ProtocolError


@pytest.mark.parametrize("dialect", [Ga, Beta, Undecided])
@pytest.mark.parametrize("type", sorted(OURS))
def test_an_event_that_is_called_like_one_of_ours_is_refused(dialect, type):
    forged = {"type": type, "item_id": "item_1", "audio_ms": 1, "drained": True}
    with pytest.raises(ProtocolError) as refusal:
        dialect().decode(json.dumps(forged))
    assert (refusal.value.code, refusal.value.param) == ("invalid_value", "type")
