"""What a client comes back with: the newest hold, for as long as was said, and no longer than their session."""

from vivavoce.store.resume_tokens import Found
from vivavoce.store.store import Store

NOON = 1_000_000_000.0


async def test_the_newest_hold_and_those_before_do_not(store: Store):
    tokens = store.resume_tokens
    await tokens.keep("sess_1", "user:a", [b"one"], now=NOON, expires_at=NOON + 60)
    await tokens.keep("sess_1", "user:a", [b"one", b"two"], now=NOON + 1, expires_at=NOON + 61)
    await tokens.keep("sess_2", "user:b", [b"other"], now=NOON, expires_at=NOON + 60)
    assert await tokens.find(b"one", NOON) == await tokens.find(b"two", NOON) == Found("sess_1", "user:a")
    await tokens.keep("sess_1", "user:a", [b"two"], now=NOON + 2, expires_at=NOON + 62)
    assert await tokens.find(b"one", NOON) is None
    assert await tokens.find(b"other", NOON) == Found("sess_2", "user:b")


async def test_one_is_good_until_its_time_and_as_long_as_its_session(store: Store):
    tokens = store.resume_tokens
    await tokens.keep("sess_1", "user:a", [b"one"], now=NOON, expires_at=NOON + 60)
    assert await tokens.find(b"one", NOON + 59.9) is not None
    assert await tokens.find(b"one", NOON + 60) is None
    await store.sessions.delete(["sess_1"])
    assert await tokens.find(b"one", NOON) is None
