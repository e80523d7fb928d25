"""Who is let in with which key."""

import pytest

from vivavoce.access.gate import Gate, Refused
from vivavoce.access.grants import Grants

KEY = "sk-the-server-wants-this"


def make(required_key: str | None = None) -> tuple[Gate, Grants]:
    grants = Grants(now=lambda: 0.0, random=lambda size: bytes(size))
    return Gate(grants, required_key), grants


@pytest.mark.parametrize("key", [None, "", "anything", "sk-whatever"])
def test_in_local_mode_any_standard_key_or_none_will_do(key):
    gate, _ = make()
    assert gate.enter(key).name == "local"
    assert gate.enter_with_standard_key(key).grant is None


def test_an_ephemeral_key_brings_its_grant_and_its_parent():
    gate, grants = make(KEY)
    key, grant = grants.mint({"type": "realtime"}, seconds=60, parent="somebody")
    principal = gate.enter(key)
    assert principal.grant is grant
    assert principal.name == "somebody"


@pytest.mark.parametrize("required", [None, KEY])
def test_an_unknown_ephemeral_key_is_refused_in_every_mode(required):
    gate, _ = make(required)
    with pytest.raises(Refused, match="unknown or has expired") as refused:
        gate.enter("ek_nobody")
    assert refused.value.status == 401


def test_an_ephemeral_key_mints_no_other():
    gate, grants = make()
    key, _ = grants.mint({}, seconds=60, parent="local")
    with pytest.raises(Refused) as refused:
        gate.enter_with_standard_key(key)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("key", "code"), [(None, "missing_api_key"), ("sk-wrong", "invalid_api_key"), ("", "invalid_api_key")]
)
def test_a_required_key_is_required(key, code):
    gate, _ = make(KEY)
    with pytest.raises(Refused) as refused:
        gate.enter(key)
    assert (refused.value.status, refused.value.code) == (401, code)
    assert KEY not in refused.value.message
    assert gate.enter(KEY).name == "key"
