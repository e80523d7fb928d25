"""When an upstream is asked again, and where it is."""

import pytest

from vivavoce.backends.interface import BackendError
from vivavoce.backends.upstream.patience import Passing, Patience, patiently
from vivavoce.backends.upstream.place import Place

BODY = {"type": "server_error", "code": None, "message": "No.", "param": None}


class Upstream:
    """Refuses with each of these in turn, then answers. :attr:`pauses` are in seconds."""

    def __init__(self, *refusals: BackendError) -> None:
        self.refusals, self.pauses = list(refusals), list[float]()
        self.patience = Patience(sleep=self.sleep, random=lambda: 0.5)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def ask(self) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        return "yes"


async def test_pauses_grow_and_attempts_end():
    upstream = Upstream(*[Passing(502, BODY)] * 3)
    with pytest.raises(Passing):
        await patiently(upstream.patience, upstream.ask)
    assert upstream.pauses == [0.5, 1.0]
    assert await patiently(upstream.patience, upstream.ask) == "yes"


async def test_retry_after_is_respected_and_what_is_too_long_is_passed_on():
    upstream = Upstream(Passing(429, BODY, 3.0), Passing(429, BODY, 0.1))
    assert await patiently(upstream.patience, upstream.ask) == "yes"
    assert upstream.pauses == [3.0, 1.0]
    upstream = Upstream(Passing(429, BODY, 4.5))
    with pytest.raises(Passing) as refused:
        await patiently(upstream.patience, upstream.ask)
    assert (upstream.pauses, refused.value.headers) == ([], {"Retry-After": "5"})


async def test_a_plain_no_is_a_no():
    upstream = Upstream(BackendError(401, BODY))
    with pytest.raises(BackendError):
        await patiently(upstream.patience, upstream.ask)
    assert upstream.pauses == []


async def test_a_call_is_placed_again_only_where_nothing_can_have_arrived():
    upstream = Upstream(Passing(502, BODY, unsent=True), Passing(502, BODY))
    with pytest.raises(Passing):
        await patiently(upstream.patience, upstream.ask, placing=True)
    assert upstream.pauses == [0.5]


@pytest.mark.parametrize(
    ("url", "flavour", "place"),
    [
        ("https://api.openai.com/v1/", "auto", Place("https://api.openai.com/v1")),
        ("http://127.0.0.1:7171/v1", "auto", Place("http://127.0.0.1:7171/v1")),
        ("https://me.openai.azure.com", "auto", Place("https://me.openai.azure.com/openai/v1", azure=True)),
        ("https://me.openai.azure.com/openai/", "auto", Place("https://me.openai.azure.com/openai/v1", azure=True)),
        ("https://me.openai.azure.com/openai/v1", "auto", Place("https://me.openai.azure.com/openai/v1", azure=True)),
        ("https://x.cognitiveservices.azure.com", "openai", Place("https://x.cognitiveservices.azure.com")),
        ("http://127.0.0.1:1/openai/v1", "azure", Place("http://127.0.0.1:1/openai/v1", azure=True)),
        ("https://evil.example/openai.azure.com", "auto", Place("https://evil.example/openai.azure.com")),
    ],
)
def test_where_an_upstream_is(url, flavour, place):
    assert Place.of(url, flavour) == place


def test_how_a_key_is_shown():
    assert Place("https://x").shown("k") == {"Authorization": "Bearer k"}
    assert Place("https://x", azure=True).shown("k") == {"api-key": "k"}
    assert Place("https://x", azure=True).shown_secret("ek_1") == {"Authorization": "Bearer ek_1"}
    assert Place("https://x").shown("") == {}  # a local server asks for none
