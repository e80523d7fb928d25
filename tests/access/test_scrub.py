"""Nothing that looks like a key survives."""

import pytest

from vivavoce.access.scrub import scrub


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-{secret}.",
        "Authorization: Bearer {secret}",
        "{{'authorization': 'bearer {secret}'}}",
        "realtime, openai-insecure-api-key.{secret}, x",
        "?key=ek_{secret}&x=1",
        "api-key: {secret}",
    ],
)
def test_keys_go_and_the_rest_stays(text):
    dirty = text.format(secret="a1B2c3D4e5F6g7")
    clean = scrub(dirty)
    assert "a1B2c3" not in clean
    assert "…" in clean
    assert clean.split("…")[0] == dirty[: len(clean.split("…")[0])]


def test_a_masked_key_goes_too():
    assert scrub("provided: sk-proj-********************aB3d.") == "provided: …."


def test_a_known_secret_goes_whatever_it_looks_like():
    assert scrub("refused: 0a1b2c3d (azure)", "0a1b2c3d", "") == "refused: … (azure)"


@pytest.mark.parametrize("text", ["a task-force of bearers", "ask-anything-you-like", "ek_", "the bearer"])
def test_plain_words_stay(text):
    assert scrub(text) == text
