from vivavoce.transports.subprotocols import Offer, read_subprotocols


def test_a_browser_with_everything() -> None:
    offer = read_subprotocols(
        [
            "realtime",
            "openai-insecure-api-key.ek_secret.with.dots",
            "openai-organization.org-1",
            "openai-project.proj_2",
            "openai-beta.realtime-v1",
            "openai-agents-sdk.0.20.0",
        ]
    )
    assert offer == Offer("realtime", "ek_secret.with.dots", "org-1", "proj_2", beta=True)
    assert "ek_secret" not in repr(offer)


def test_without_realtime_nothing_is_selected_least_of_all_the_key() -> None:
    assert read_subprotocols(["openai-insecure-api-key.sk"]) == Offer(None, "sk")


def test_nothing_offered_and_an_empty_key() -> None:
    assert read_subprotocols([]) == Offer()
    assert read_subprotocols(["realtime", "openai-insecure-api-key."]) == Offer("realtime")


def test_who_asks_for_what_is_ours_is_answered_with_it():
    both = read_subprotocols(["realtime", "vivavoce.v1", "openai-insecure-api-key.sk-1"])
    assert (both.answer, both.notices, both.key) == ("vivavoce.v1", True, "sk-1")
    assert not read_subprotocols(["realtime"]).notices
