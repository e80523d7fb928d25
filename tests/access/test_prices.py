"""What usage costs: the list, its gaps, and sums that were done by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from vivavoce.access.prices import Price, Prices
from vivavoce.protocol.session.usage import ZERO

LIST = Prices.published({})
USAGE = {
    "total_tokens": 1600,
    "input_tokens": 1000,
    "output_tokens": 600,
    "input_token_details": {
        "text_tokens": 400,
        "audio_tokens": 600,
        "image_tokens": 0,
        "cached_tokens": 500,
        "cached_tokens_details": {"text_tokens": 300, "audio_tokens": 200, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 100, "audio_tokens": 500},
}


def cost(model: str, usage: dict[str, Any]) -> Decimal:
    price = LIST.find(model)
    assert price is not None
    return price.of(usage)


def test_a_response_costs_what_its_kinds_of_tokens_cost():
    # 100 text at 4, 300 cached at 0.40, 400 audio at 32, 200 cached at 0.40, out 100 text at 16 and 500 audio at 64
    by_hand = (100 * 4 + 300 * 0.4 + 400 * 32 + 200 * 0.4 + 100 * 16 + 500 * 64) / 1_000_000
    assert cost("gpt-realtime", USAGE) == Decimal(str(by_hand))
    assert cost("gpt-realtime", ZERO) == 0


def test_transcriptions_cost_by_the_minute_or_by_tokens():
    assert cost("whisper-1", {"type": "duration", "seconds": 90}) == Decimal("0.009")
    tokens = {
        "type": "tokens",
        "input_tokens": 50,
        "output_tokens": 20,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 40},
    }
    assert cost("gpt-4o-mini-transcribe", tokens) == Decimal("0.0002325")  # 10×1.25 + 40×3 + 20×5, a million


def test_a_dated_model_costs_what_its_family_does_unless_it_is_listed():
    assert LIST.find("gpt-realtime-2025-08-28") == LIST.find("gpt-realtime")
    assert LIST.find("gpt-4o-realtime-preview-2024-12-17") == LIST.find("gpt-4o-realtime-preview")
    assert LIST.find("gpt-4o-realtime-preview-2024-10-01") != LIST.find("gpt-4o-realtime-preview")


def test_no_price_is_made_up():
    assert LIST.find("gpt-realtime-9") is None
    assert LIST.find("my-deployment") is None
    assert LIST.known(["gpt-realtime", "whisper-1"])
    assert not LIST.known(["gpt-realtime", "whisper-9"])


def test_own_prices_outweigh_the_list_and_one_s_own_machine_is_free():
    own = Price(audio_out=Decimal(1))
    assert Prices.published({"gpt-realtime": own}).find("gpt-realtime") is own
    free = Prices({"dear": own}, free=True)
    assert free.find("anything") == Price()
    assert free.find("dear") is own


def test_the_list_says_what_day_it_is_of():
    assert isinstance(LIST.as_of, date)
    assert Prices({}).as_of is None


@pytest.mark.parametrize(("model", "low", "high"), [("gpt-realtime", 0.04, 0.06), ("gpt-realtime-mini", 0.01, 0.02)])
def test_the_estimate_of_a_minute_is_what_a_minute_of_talk_comes_to(model, low, high):
    price = LIST.find(model)
    assert price is not None
    assert low < price.estimate(1) < high
    assert price.estimate(10) > 10 * price.estimate(1)  # the conversation is read again with every turn
