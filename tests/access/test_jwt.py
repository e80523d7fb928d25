"""End users' tokens: what is taken, what is refused, and in which words."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.access import Clock
from vivavoce.access.gate import Refused
from vivavoce.access.jwt import FRESH_SECONDS, RETRY_SECONDS, JwtError, PublishedKeys, Secret, Tokens

SECRET = "a secret of the app and of this server, long enough for the longest of its kind"
CLAIMS = {"sub": "ada", "exp": 1_300}


def signed(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers=headers)


def tokens(**options: Any) -> Tokens:
    return Tokens(Secret(SECRET), Clock(), **options)


async def test_a_user_is_let_in_under_the_name_of_the_token():
    principal = await tokens().find(signed(CLAIMS))
    assert principal.name == "user:ada"
    assert principal.scopes == {"connect", "mint"}
    assert principal.expires_at == 1_330


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (signed(CLAIMS, "another secret, as long as the other one"), "signature"),
        (unsigned(CLAIMS), "signed in a way"),
        (signed(CLAIMS, algorithm="HS512"), "signed in a way"),
        (signed(CLAIMS)[:-4] + "....", "cannot be read"),
        ("a.b.c", "cannot be read"),
        ("", "cannot be read"),
        (signed({**CLAIMS, "exp": 969}), "expired"),
        (signed({"sub": "ada"}), "never expires"),
        (signed({**CLAIMS, "exp": "soon"}), "no number"),
        (signed({**CLAIMS, "nbf": 1_031}), "not valid yet"),
        (signed({"exp": 1_300}), "names no user"),
        (signed({**CLAIMS, "sub": ""}), "names no user"),
        (signed({**CLAIMS, "sub": "a" * 257}), "names no user"),
    ],
)
async def test_what_is_no_good_says_why(token: str, words: str):
    with pytest.raises(JwtError, match=words) as refused:
        await tokens().find(token)
    assert not token or token not in str(refused.value)


async def test_clocks_may_differ_a_little():
    await tokens().find(signed({**CLAIMS, "exp": 971, "nbf": 1_029}))


@pytest.mark.parametrize("audience", ["vivavoce", ["other", "vivavoce"]])
async def test_audience_and_issuer_where_they_are_set(audience):
    claims = {**CLAIMS, "aud": audience, "iss": "https://app.example"}
    wanting = tokens(audience="vivavoce", issuer="https://app.example")
    assert (await wanting.find(signed(claims))).name == "user:ada"
    assert (await tokens().find(signed(claims))).name == "user:ada"
    with pytest.raises(JwtError, match="audience"):
        await wanting.find(signed({**claims, "aud": "other"}))
    with pytest.raises(JwtError, match="issuer"):
        await wanting.find(signed({**claims, "iss": "https://evil.example"}))


# Published keys --------------------------------------------------------------------------------------

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def published(**keys: Any) -> dict[str, Any]:
    made = []
    for id, key in keys.items():
        algorithm = jwt.get_algorithm_by_name("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
        made.append({**json.loads(algorithm.to_jwk(key.public_key())), "kid": id, "use": "sig"})
    return {"keys": made}


class App:
    """Where the app publishes its keys."""

    def __init__(self, **keys: Any) -> None:
        self.told: dict[str, Any] | Exception = published(**keys)
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def by(app: App) -> tuple[Tokens, Clock]:
    clock = Clock()
    return Tokens(PublishedKeys(app, clock), clock), clock


async def test_both_kinds_of_keys_are_taken_and_fetched_once():
    app = App(one=RSA, two=EC)
    taking, _ = by(app)
    assert (await taking.find(signed(CLAIMS, RSA, "RS256", kid="one"))).name == "user:ada"
    assert (await taking.find(signed(CLAIMS, EC, "ES256", kid="two"))).name == "user:ada"
    assert app.asked == 1


async def test_a_single_key_need_not_be_named():
    taking, _ = by(App(one=RSA))
    assert (await taking.find(signed(CLAIMS, RSA, "RS256"))).name == "user:ada"


async def test_a_public_key_is_no_secret():
    taking, _ = by(App(one=RSA))
    public = published(one=RSA)["keys"][0]["n"]
    with pytest.raises(JwtError, match="signed in a way"):
        await taking.find(signed(CLAIMS, public, "HS256", kid="one"))


async def test_unknown_ids_make_us_ask_seldom_and_new_keys_are_found():
    app = App(one=RSA)
    taking, clock = by(app)
    await taking.find(signed(CLAIMS, RSA, "RS256", kid="one"))
    for _ in range(5):
        with pytest.raises(JwtError, match="no published key"):
            await taking.find(signed(CLAIMS, EC, "ES256", kid="two"))
    assert app.asked == 1
    app.told = published(one=RSA, two=EC)
    clock.now += RETRY_SECONDS
    assert (await taking.find(signed(CLAIMS, EC, "ES256", kid="two"))).name == "user:ada"
    assert app.asked == 2


async def test_old_keys_outlast_a_failure_and_a_withdrawn_one_goes():
    app = App(one=RSA, two=EC)
    taking, clock = by(app)
    claims = {**CLAIMS, "exp": 100_000}
    token = signed(claims, RSA, "RS256", kid="one")
    await taking.find(token)
    app.told = OSError("unreachable")
    clock.now += FRESH_SECONDS
    await taking.find(token)
    assert app.asked == 2
    app.told = published(two=EC)
    clock.now += RETRY_SECONDS
    with pytest.raises(JwtError, match="no published key"):
        await taking.find(token)


@pytest.mark.parametrize("told", [OSError("unreachable"), {}, {"keys": []}, {"keys": [{"kty": "nonsense"}]}])
async def test_keys_that_cannot_be_had(told):
    app = App()
    app.told = told
    taking, _ = by(app)
    with pytest.raises(JwtError, match="cannot be fetched"):
        await taking.find(signed(CLAIMS, RSA, "RS256", kid="one"))


# At the gate -----------------------------------------------------------------------------------------


async def test_the_gate_takes_tokens_and_says_what_is_wrong_with_them(house):
    gate = house(tokens=tokens()).gate
    assert (await gate.enter(signed(CLAIMS))).name == "user:ada"
    for key, code in (
        (None, "missing_api_key"),
        (signed({**CLAIMS, "exp": 1}), "invalid_token"),
        ("x", "invalid_api_key"),
    ):
        with pytest.raises(Refused) as refused:
            await gate.enter(key)
        assert (refused.value.status, refused.value.code) == (401, code)
