"""Where settings come from, which one wins, and what a wrong one is told."""

from pathlib import Path
from typing import Any

import pytest

from vivavoce.access.limits import Allowance
from vivavoce.cli.settings import Settings, SettingsError, load, specs
from vivavoce.models.catalog import Chosen


def settings(
    directory: Path, environ: dict[str, str] | None = None, config: Path | None = None, **options: Any
) -> Settings:
    return load(options, directory=directory, environ=environ or {}, config=config)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


# The order of sources --------------------------------------------------------------------------------

LAYERS = {
    "file": ("vivavoce.toml", "port = 1001\n"),
    "dotenv": (".env", "VIVAVOCE_PORT=1002\n"),
    "local": (".env.local", "VIVAVOCE_PORT=1003\n"),
}


@pytest.mark.parametrize(
    ("present", "port"),
    [
        ("", 7171),
        ("file", 1001),
        ("file dotenv", 1002),
        ("file dotenv local", 1003),
        ("local", 1003),
        ("file dotenv local environment", 1004),
        ("environment file", 1004),
        ("file dotenv local environment option", 1005),
        ("option file", 1005),
    ],
)
def test_a_later_source_wins(home: Path, present: str, port: int):
    for layer in present.split():
        if layer in LAYERS:
            name, content = LAYERS[layer]
            (home / name).write_text(content)
    environ = {"VIVAVOCE_PORT": "1004"} if "environment" in present else {}
    option = 1005 if "option" in present else None
    assert settings(home, environ, port=option).port == port


def test_a_named_file_replaces_the_one_of_the_directory(home: Path):
    (home / "vivavoce.toml").write_text('voice = "cedar"\nport = 1001')
    other = home / "other.toml"
    other.write_text("port = 1002")
    chosen = settings(home, config=other)
    assert (chosen.port, chosen.voice) == (1002, None)


def test_an_empty_variable_counts_as_not_set(home: Path):
    (home / "vivavoce.toml").write_text("port = 1001")
    assert settings(home, {"VIVAVOCE_PORT": "", "OPENAI_API_KEY": ""}).port == 1001


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"OPENAI_REALTIME_MODEL": "gpt-a"}, "model", "gpt-a"),
        ({"OPENAI_REALTIME_MODEL": "gpt-a", "VIVAVOCE_MODEL": "gpt-b"}, "model", "gpt-b"),
        ({"VIVAVOCE_ORIGINS": "https://a.example, http://localhost:3000/"}, "allow_origins",
         ("https://a.example", "http://localhost:3000")),
        ({"VIVAVOCE_DEBUG_REALTIME": "1"}, "debug_realtime", True),
        ({"VIVAVOCE_DEBUG_REALTIME": "off"}, "debug_realtime", False),
        ({"VIVAVOCE_TRANSPORT": "WebSocket"}, "transport", "websocket"),
        ({"VIVAVOCE_DATA_DIR": "/srv/voice"}, "data_dir", Path("/srv/voice")),
        ({"VIVAVOCE_HOST": "[::1]"}, "host", "::1"),
        ({"VIVAVOCE_UPSTREAM_URL": "https://eu.example/v1/"}, "upstream_url", "https://eu.example/v1"),
    ],
)  # fmt: skip
def test_what_the_environment_says(home: Path, environ: dict[str, str], name: str, value: object):
    assert getattr(settings(home, environ), name) == value


def test_lists_and_switches_of_the_file(home: Path):
    (home / "vivavoce.toml").write_text('allow_origins = ["https://a.example"]\nhttps = true\n')
    chosen = settings(home)
    assert (chosen.allow_origins, chosen.https) == (("https://a.example",), True)


@pytest.mark.parametrize(
    ("name", "meant"), [("VIVAVOCE_PROT", "VIVAVOCE_PORT"), ("VIVAVOCE_JWT_SECRTE", "VIVAVOCE_JWT_SECRET")]
)
def test_a_misspelt_variable_is_told_of(home: Path, name: str, meant: str):
    assert settings(home, {name: "1"}).warnings == (
        f"{name} (in the environment) is no setting and has no effect; did you mean {meant}?",
    )
    (home / ".env").write_text(f"{name}=1")
    assert "(in .env)" in settings(home).warnings[0]


def test_a_variable_that_a_setting_names_is_not_misspelt(home: Path):
    own = {"VIVAVOCE_UPSTREAM_KEY": "k"}
    assert settings(home, own).warnings
    assert not settings(home, own, upstream_key_env="VIVAVOCE_UPSTREAM_KEY").warnings
    assert not settings(home, {"VIVAVOCE_SOMETHING_ELSE_ALTOGETHER": "1", "PROT": "1"}).warnings


# Who answers -----------------------------------------------------------------------------------------

KEY = {"OPENAI_API_KEY": "sk-secret"}


@pytest.mark.parametrize(
    ("environ", "options", "answers"),
    [
        ({}, {}, "builtin"),
        (KEY, {}, "upstream"),
        (KEY, {"backend": "builtin"}, "builtin"),
        (KEY, {"stt": "pocketsphinx"}, "builtin"),
        (KEY, {"llm": "builtin"}, "builtin"),
        (KEY, {"tts": "espeak"}, "builtin"),
        (KEY, {"backend": "upstream", "tts": "espeak"}, "upstream"),
        (KEY, {"upstream_key_env": "OTHER_KEY"}, "builtin"),
        ({"OTHER_KEY": "k"}, {"upstream_key_env": "OTHER_KEY"}, "upstream"),
        ({}, {"backend": "upstream", "upstream_url": "http://127.0.0.1:1/v1"}, "upstream"),
    ],
)
def test_who_answers(home: Path, environ: dict[str, str], options: dict[str, Any], answers: str):
    assert settings(home, environ, **options).answers == answers


def test_the_key_is_read_from_dotenv_and_never_shown(home: Path):
    (home / ".env.local").write_text("OPENAI_API_KEY=sk-secret\n")
    chosen = settings(home)
    assert chosen.upstream_key == "sk-secret"
    assert "sk-secret" not in repr(chosen)


def test_the_key_of_a_model_comes_from_the_variable_that_is_named(home: Path):
    chosen = settings(home, {"MY_KEY": "sk-secret"}, stt="x", stt_url="http://a.example/v1", stt_key_env="MY_KEY")
    assert chosen.chosen["stt"] == Chosen("x", "", "http://a.example/v1", "sk-secret", "MY_KEY")
    assert "sk-secret" in chosen.secrets
    assert "sk-secret" not in repr(chosen)
    with pytest.raises(SettingsError, match="llm_key_env names the variable MY_KEY, which is not set"):
        settings(home, llm_key_env="MY_KEY")


# Wrong values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("port", "99999", "from 0 to 65535"),
        ("port", "http", "whole number"),
        ("host", "http://0.0.0.0", "not an address"),
        ("public_url", "voice.example", "http:// or https://"),
        ("trusted_proxies", "nginx", "no IP address"),
        ("limit_user", "8 things", "one of sessions, mints, minutes, dollars"),
        ("limit_key", "lots", "is not written like"),
        ("limit_key", "0 sessions", "lets nobody in"),
        ("limit_address", "1.5 mints", "half mints"),
        ("limits_url", "localhost", "neither memory:// nor redis://"),
        ("database_url", "mysql://x/y", "is not a database"),
        ("session_minutes", "-1", "from 0 to 1440"),
        ("backend", "cloud", "none of auto, builtin, upstream"),
        ("transport", "carrier-pigeon", "none of auto, webrtc, websocket"),
        ("https", "perhaps", "neither yes"),
        ("upstream_url", "api.openai.com", "http:// or https://"),
        ("allow_mcp", "mcp.example", "has an entry that is not an address such as https://"),
        ("cert", "/nowhere/cert.pem", "no file that exists"),
        ("max_sessions", "0", "from 1 to 10000, or auto"),
        ("log_level", "loud", "none of debug"),
    ],
)
def test_a_wrong_value_says_which_and_why_and_where_from(home: Path, name: str, value: str, reason: str):
    with pytest.raises(SettingsError) as option:
        load({name: value}, directory=home, environ={})
    assert str(option.value).startswith(f"{name} {value!r} ")
    assert reason in str(option.value)
    assert "on the command line" in str(option.value)

    with pytest.raises(SettingsError, match=f"VIVAVOCE_{name.upper()} in the environment"):
        settings(home, {f"VIVAVOCE_{name.upper()}": value})

    (home / ".env").write_text(f"VIVAVOCE_{name.upper()}={value}\n")
    with pytest.raises(SettingsError, match=r"in \.env"):
        settings(home)
    (home / ".env").unlink()

    (home / "vivavoce.toml").write_text(f'{name} = "{value}"\n')
    with pytest.raises(SettingsError, match=r"vivavoce\.toml"):
        settings(home)


def test_a_password_in_an_address_is_refused_and_not_repeated(home: Path):
    with pytest.raises(SettingsError, match="a key belongs in the environment") as refusal:
        settings(home, upstream_url="https://me:hidden@x.example/v1")
    assert "hidden" not in str(refusal.value)


def test_mcp_servers_that_are_allowed(home: Path):
    one, two = settings(home, {"VIVAVOCE_ALLOW_MCP": "https://mcp.example/v1, http://home:8000#private"}).allow_mcp
    assert (one.host, one.path, one.private) == ("mcp.example", "/v1", False)
    assert (two.port, two.private) == (8000, True)
    with pytest.raises(SettingsError) as refusal:
        settings(home, allow_mcp=("https://me:hidden@mcp.example",))
    assert "hidden" not in str(refusal.value)


def test_a_bad_origin_is_named(home: Path):
    with pytest.raises(SettingsError, match=r"has 'app\.example'.*VIVAVOCE_ORIGINS"):
        settings(home, {"VIVAVOCE_ORIGINS": "https://ok.example,app.example"})


def test_an_unknown_name_in_the_file(home: Path):
    (home / "vivavoce.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r"'prot'.*did you mean 'port'"):
        settings(home)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml(home: Path, content: bytes):
    (home / "vivavoce.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"vivavoce\.toml is not TOML"):
        settings(home)


def test_a_named_file_has_to_exist(home: Path):
    with pytest.raises(SettingsError, match=r"gone\.toml cannot be read"):
        settings(home, config=home / "gone.toml")


def test_a_certificate_and_its_key_belong_together(home: Path):
    (home / "cert.pem").write_text("")
    with pytest.raises(SettingsError, match="give both"):
        settings(home, cert=str(home / "cert.pem"))


def test_openai_needs_a_key(home: Path):
    with pytest.raises(SettingsError, match="set OPENAI_API_KEY"):
        settings(home, backend="upstream")


def test_the_key_has_no_option():
    assert "upstream_key" not in dict(specs())
    assert Settings().upstream_key == ""


# Tables of the file ----------------------------------------------------------------------------------


def written(home: Path, text: str) -> Path:
    (home / "vivavoce.toml").write_text(text)
    return home


def test_agents_and_prices_stand_in_tables(home):
    text = """
    port = 1001
    [agents.blue]
    voice = "cedar"
    tools = [{ type = "mcp", server_label = "docs", server_url = "https://d.example", authorization_env = "DOCS" }]
    [prices."my-deployment"]
    audio_in = 32
    minute = 0.5
    """
    (home / ".env").write_text("DOCS=hunter2")
    found = settings(written(home, text))
    assert found.port == 1001
    assert found.agents["blue"].session["tools"][0]["authorization"] == "hunter2"
    assert str(found.prices["my-deployment"].minute) == "0.5"
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[agents.blue]\nvoise = 1", "vivavoce.toml: agents.blue.voise is no field"),
        ("agents = 3", "agents is a table"),
        ("prices = 3", "prices is a table"),
        ("[prices]\nm = 3", "prices.m is a table"),
        ("[prices.m]\naudio = 3", "prices.m.audio is no price; there are text_in"),
        ("[prices.m]\naudio_in = -1", "prices.m.audio_in is not a number of US dollars"),
        ("[agent.blue]", "sets 'agent', which is no setting"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_file_and_field(home, text, words):
    with pytest.raises(SettingsError, match=words):
        settings(written(home, text))


def test_the_turn_secret_comes_from_the_environment_alone(home):
    found = settings(home, {"VIVAVOCE_TURN_SECRET": "hunter2", "VIVAVOCE_TURN": "turn:t.example:3478,turns:t.example"})
    assert (found.turn_secret, found.turn) == ("hunter2", ("turn:t.example:3478", "turns:t.example"))
    assert "hunter2" not in repr(found)
    with pytest.raises(SettingsError, match="turn_secret"):
        settings(written(home, 'turn_secret = "hunter2"'))


@pytest.mark.parametrize(
    ("option", "value"),
    [("stun", ("turn:a",)), ("turn", ("t.example",)), ("turn", ("turn:",)), ("language", "klingon please")],
)
def test_what_is_no_address_and_no_language_is_refused(home, option, value):
    with pytest.raises(SettingsError, match=option):
        settings(home, **{option: value})


@pytest.mark.parametrize(
    ("given", "ports"), [("40000-40100", (40000, 40100)), ("40000", (40000, 40000)), (40000, (40000, 40000))]
)
def test_ports_of_calls_are_a_range_or_one(home, given, ports):
    assert settings(home, udp_port_range=given).udp_port_range == ports


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("udp_port_range", "40100-40000"), ("udp_port_range", "0"), ("udp_port_range", "1-70000"),
        ("udp_port_range", "many"), ("public_address", "voice.example"), ("public_address", "10.0.0.0/8"),
    ],
)  # fmt: skip
def test_ports_and_addresses_that_cannot_be_are_refused(home, option, value):
    with pytest.raises(SettingsError, match=option.replace("_", ".")):
        settings(home, **{option: value})


# Who may come in --------------------------------------------------------------------------------------


def test_keys_and_secrets_come_from_the_environment_alone_and_are_never_shown(home: Path):
    environ = {
        "VIVAVOCE_API_KEYS": "first-key-of-this-test, second-key-of-this-test",
        "VIVAVOCE_JWT_SECRET": "j" * 32,
        "VIVAVOCE_SECRET": "s" * 32,
    }
    chosen = settings(home, environ)
    assert chosen.api_keys == ("first-key-of-this-test", "second-key-of-this-test")
    assert (chosen.jwt_secret, chosen.secret) == ("j" * 32, "s" * 32)
    assert not any(word in repr(chosen) for word in ("first-key", "jjj", "sss"))
    assert not {"api_keys", "jwt_secret", "secret"} & dict(specs()).keys()


def test_an_ephemeral_key_cannot_be_given(home: Path):
    with pytest.raises(SettingsError, match="begins with ek_") as refusal:
        settings(home, {"VIVAVOCE_API_KEYS": "ek_looks_like_an_ephemeral_one"})
    assert "looks_like" not in str(refusal.value)


def test_tokens_are_signed_in_one_way(home: Path):
    with pytest.raises(SettingsError, match="either VIVAVOCE_JWT_SECRET or jwt_jwks_url"):
        settings(home, {"VIVAVOCE_JWT_SECRET": "j" * 32}, jwt_jwks_url="https://app.example/keys")


def test_limits_are_written_in_words(home: Path):
    chosen = settings(home, limit_user="2 sessions, 2.5 dollars", limit_key=" none ", limit_address="10 mints")
    assert chosen.limit_user == Allowance(sessions=2, dollars=2.5)
    assert chosen.limit_key == Allowance()
    assert chosen.limit_address == Allowance(mints=10)
    with pytest.raises(SettingsError, match="once"):
        settings(home, limit_user="2 sessions, 3 sessions")


def test_openai_s_own_key_is_for_openai_alone(home: Path) -> None:
    openai = settings(home, {"OPENAI_API_KEY": "sk-secret"}, stt="openai", llm="openai", llm_url="http://a.example/v1")
    assert (openai.chosen["stt"].key, openai.chosen["stt"].key_env) == ("sk-secret", "OPENAI_API_KEY")
    assert openai.chosen["llm"].key == ""
