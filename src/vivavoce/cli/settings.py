"""Every setting of the server, in one place: what it is called, what it may be, where it is read from.

In rising order: the default, ``vivavoce.toml`` in the current directory (or ``--config FILE``), ``.env``,
``.env.local``, the environment, an option. A value that is wrong is refused with its name, the reason and its origin.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values

from vivavoce.access.agents import Agents
from vivavoce.access.grants import PREFIX as EPHEMERAL
from vivavoce.access.limits import Allowance
from vivavoce.access.prices import Price
from vivavoce.access.sealing import MIN_SECRET
from vivavoce.cli import tables as tables_of
from vivavoce.cli import values
from vivavoce.cli.allowances import DEFAULTS, SHAPE, allowance
from vivavoce.client.allowlist import Allowed
from vivavoce.models.catalog import Sense, names

__all__ = ["FILE", "Settings", "SettingsError", "Spec", "load", "specs"]

FILE = "vivavoce.toml"
API_KEYS, JWT_SECRET, SECRET = "VIVAVOCE_API_KEYS", "VIVAVOCE_JWT_SECRET", "VIVAVOCE_SECRET"
"""Variables for what has no option, since others on the machine could read that, and no place in a file of settings."""
MIN_KEY = 16
"""Characters of a key that somebody has made up."""
TURN_SECRET = "VIVAVOCE_TURN_SECRET"


class SettingsError(Exception):
    """A setting that cannot be. The message is for the user: which, why, and where it was set."""


@dataclass(frozen=True, slots=True)
class Spec:
    """How one setting is written down. Its name is the field's: in the file as it is, as an option with dashes."""

    parse: values.Parse
    help: str
    group: str
    env: tuple[str, ...] = ()
    """Variables that set it, the first wins; ``VIVAVOCE_`` and the name where none is given."""
    metavar: str | None = None
    option: str | None = None
    """Its name as an option, where that differs."""


def _is(
    default: object,
    parse: values.Parse,
    group: str,
    help: str,
    *env: str,
    metavar: str | None = None,
    option: str | None = None,
) -> Any:
    return field(default=default, metadata={"spec": Spec(parse, help, group, env, metavar, option)})


def _data_dir() -> Path:
    return platformdirs.user_data_path("vivavoce", appauthor=False)


def _one_of(sense: Sense, what: str) -> str:
    return f"Built-in {what}: {', '.join(names(sense))}."


_ADDRESS, _ENTRY, _ANSWERS, _PAGE, _RUNNING = "Address", "Who may come in", "Who answers", "The page", "Running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    host: str = _is(
        "127.0.0.1", values.host, _ADDRESS,
        "Address to listen on; one that other machines reach, such as 0.0.0.0, only once keys are demanded.",
    )  # fmt: skip
    port: int = _is(
        7171, values.number(0, 65535, "a port"), _ADDRESS, "Port to listen on; 0 picks a free one.", metavar="N"
    )
    https: bool = _is(
        False, values.switch, _ADDRESS, "Serve https, with a self-signed certificate unless one is given."
    )
    cert: Path | None = _is(None, values.existing_file, _ADDRESS, "Certificate (PEM) for https.", metavar="FILE")
    key: Path | None = _is(
        None, values.existing_file, _ADDRESS, "Private key (PEM) of the certificate.", metavar="FILE"
    )

    public_url: str | None = _is(
        None, values.http_url, _ADDRESS,
        "How people reach this server, where a proxy stands in front: https://voice.example.", metavar="URL",
    )  # fmt: skip
    trusted_proxies: tuple[str, ...] = _is(
        (), values.addresses, _ADDRESS,
        "Address of a proxy in front, believed in what it says of its clients; may be repeated.",
        metavar="IP", option="trusted-proxy",
    )  # fmt: skip

    jwt_jwks_url: str | None = _is(
        None, values.http_url, _ENTRY, "Where your app publishes the keys that sign its users' tokens (JWKS); or set "
        "VIVAVOCE_JWT_SECRET.", metavar="URL",
    )  # fmt: skip
    jwt_audience: str | None = _is(None, values.text, _ENTRY, "What a token's 'aud' must be.", metavar="TEXT")
    jwt_issuer: str | None = _is(None, values.text, _ENTRY, "What a token's 'iss' must be.", metavar="TEXT")
    limit_key: Allowance = _is(
        allowance(DEFAULTS["key"]), allowance, _ENTRY,
        f"What one API key or share link may have: {SHAPE}. By default {DEFAULTS['key']}.", metavar="LIMITS",
    )  # fmt: skip
    limit_user: Allowance = _is(
        allowance(DEFAULTS["user"]), allowance, _ENTRY,
        f"The same for one user with a token. By default {DEFAULTS['user']}.", metavar="LIMITS",
    )  # fmt: skip
    limit_address: Allowance = _is(
        allowance(DEFAULTS["address"]), allowance, _ENTRY,
        f"The same for one address that pages come from. By default {DEFAULTS['address']}.", metavar="LIMITS",
    )  # fmt: skip
    limits_url: str = _is(
        "memory://", values.redis_url, _ENTRY,
        "Where limits are counted; redis://host:port/number for several servers.",
        metavar="URL",
    )  # fmt: skip
    session_minutes: int | None = _is(
        None, values.number(0, 1440, "a number of minutes"), _ENTRY,
        "How long a session lasts at most; 0 is as long as who answers lets it. By default 60 where keys are demanded.",
        metavar="N",
    )  # fmt: skip
    silence_minutes: int | None = _is(
        None, values.number(0, 1440, "a number of minutes"), _ENTRY,
        "After how long a silence to hang up; 0 is never. By default 10 where keys are demanded.", metavar="N",
    )  # fmt: skip

    backend: Literal["auto", "builtin", "upstream"] = _is(
        "auto", values.choice("auto", "builtin", "upstream"), _ANSWERS,
        "builtin: the models in this process. upstream: a server that speaks the Realtime API. auto: upstream when its "
        "key is set and no model is chosen, else builtin.",
    )  # fmt: skip
    upstream_url: str = _is(
        "https://api.openai.com/v1", values.http_url, _ANSWERS, "Where the upstream's API is.", metavar="URL"
    )
    upstream_key_env: str = _is(
        "OPENAI_API_KEY", values.text, _ANSWERS, "Variable that holds the upstream's key.", metavar="NAME"
    )
    upstream_kind: Literal["auto", "openai", "azure"] = _is(
        "auto", values.choice("auto", "openai", "azure"), _ANSWERS,
        "Whose paths and headers the upstream has; auto: Azure's for Azure's host names, else OpenAI's.",
    )  # fmt: skip
    webrtc: Literal["auto", "bridged", "direct"] = _is(
        "auto", values.choice("auto", "bridged", "direct"), _ANSWERS,
        "How calls reach the upstream. bridged: through this server, which sees everything. direct: the media goes "
        "past it. auto: direct where nothing is locked, budgeted or run here.",
    )  # fmt: skip
    model: str = _is(
        "gpt-realtime", values.text, _ANSWERS, "Model to ask for.", "VIVAVOCE_MODEL", "OPENAI_REALTIME_MODEL"
    )
    stt: str | None = _is(None, values.text, _ANSWERS, _one_of("stt", "recognition"), metavar="NAME")
    llm: str | None = _is(None, values.text, _ANSWERS, _one_of("llm", "mind"), metavar="NAME")
    tts: str | None = _is(None, values.text, _ANSWERS, _one_of("tts", "voice synthesis"), metavar="NAME")
    voice: str | None = _is(None, values.text, _ANSWERS, "Voice of a session that names none.", metavar="NAME")
    instructions: str | None = _is(None, values.text, _ANSWERS, "Instructions of a session that gives none.")
    allow_mcp: tuple[Allowed, ...] = _is(
        (), values.allowed, _ANSWERS,
        "MCP servers that sessions may use: an address and all below it, such as https://mcp.example/v1; none without "
        "this. A name that leads to a private address needs #private at its end. May be repeated.",
        metavar="URL", option="allow-mcp",
    )  # fmt: skip

    transport: Literal["auto", "webrtc", "websocket"] = _is(
        "auto", values.choice("auto", "webrtc", "websocket"), _PAGE,
        "How the page connects; auto: WebRTC, and a WebSocket where that fails.",
    )  # fmt: skip
    allow_origins: tuple[str, ...] = _is(
        (), values.origins, _PAGE, "Another site that may embed the orb, such as https://app.example; may be repeated.",
        "VIVAVOCE_ORIGINS", metavar="ORIGIN", option="allow-origin",
    )  # fmt: skip
    language: str | None = _is(
        None,
        values.language,
        _PAGE,
        "Language of the page's own words, such as de; else the browser's.",
        metavar="CODE",
    )
    stun: tuple[str, ...] = _is(
        (), values.ice_servers("stun", "stuns"), _PAGE, "STUN server for browsers behind a router; may be repeated.",
        metavar="stun:HOST:PORT",
    )  # fmt: skip
    turn: tuple[str, ...] = _is(
        (), values.ice_servers("turn", "turns"), _PAGE,
        "TURN server for browsers that reach nothing directly; its secret is in VIVAVOCE_TURN_SECRET. May be repeated.",
        metavar="turn:HOST:PORT",
    )  # fmt: skip
    debug_realtime: bool = _is(False, values.switch, _PAGE, "Show raw events in the browser's console.")

    data_dir: Path = field(
        default_factory=_data_dir,
        metadata={"spec": Spec(values.directory, "Directory for everything written to disk.", _RUNNING, metavar="DIR")},
    )
    database_url: str | None = _is(
        None, values.database, _RUNNING, "Database in the place of the one in the data directory: postgresql://…",
        metavar="URL",
    )  # fmt: skip
    max_sessions: int = _is(
        32, values.number(1, 10_000, "a number of sessions"), _RUNNING, "Sessions at one time; one more is refused."
    )
    drain_seconds: int = _is(
        10, values.number(0, 3600, "a number of seconds"), _RUNNING, "How long answers may go on when the server stops."
    )
    log_level: Literal["debug", "info", "warning", "error"] = _is(
        "info", values.choice("debug", "info", "warning", "error"), _RUNNING, "How much to log."
    )

    agents: Agents = field(default_factory=Agents)
    """The tables ``[agents.NAME]`` of the file."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Its tables ``[prices."MODEL"]``."""
    turn_secret: str = field(default="", repr=False)
    """What VIVAVOCE_TURN_SECRET holds: the TURN servers' ``static-auth-secret``."""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    """What VIVAVOCE_API_KEYS holds, with commas or spaces between: keys for containers, beside those in the store."""
    jwt_secret: str = field(default="", repr=False)
    """What VIVAVOCE_JWT_SECRET holds: what an app signs its users' tokens with (HS256)."""
    secret: str = field(default="", repr=False)
    """What VIVAVOCE_SECRET holds: seals what is stored, in the place of the data directory's own secret."""
    upstream_key: str = field(default="", repr=False)
    """What ``upstream_key_env`` holds. Never in a file of settings, an option, a message or a log."""

    @property
    def secrets(self) -> list[str]:
        """What no log may show."""
        held = (self.upstream_key, self.turn_secret, self.jwt_secret, self.secret, *self.api_keys)
        passwords = (urlsplit(url or "").password for url in (self.database_url, self.limits_url))
        return [each for each in (*held, *passwords) if each]

    @property
    def answers(self) -> Literal["builtin", "upstream"]:
        """Who answers: what was asked for, else who is able to. A chosen model outweighs the mere presence of a key."""
        if self.backend != "auto":
            return self.backend
        return "upstream" if self.upstream_key and not (self.stt or self.llm or self.tts) else "builtin"


def specs() -> Iterator[tuple[str, Spec]]:
    for each in fields(Settings):
        if "spec" in each.metadata:
            yield each.name, each.metadata["spec"]


def load(
    options: Mapping[str, object], *, directory: Path, environ: Mapping[str, str], config: Path | None = None
) -> Settings:
    """Settings from ``options`` (those given; None means not given), ``environ`` and the files in ``directory``."""
    environment = _environment(directory, environ)
    file, tables = _file(config, directory)
    found: dict[str, Any] = {}
    for name, spec in specs():
        if given := _given(name, spec, options, environment, file):
            found[name] = _parsed(name, spec, given)
    key_env = found.get("upstream_key_env", Settings().upstream_key_env)
    held = {name: str(given.raw).strip() for name, given in environment.items()}
    settings = Settings(
        **found,
        **_tables(tables, held, config or directory / FILE),
        turn_secret=held.get(TURN_SECRET, ""),
        api_keys=tuple(held.get(API_KEYS, "").replace(",", " ").split()),
        jwt_secret=held.get(JWT_SECRET, ""),
        secret=held.get(SECRET, ""),
        upstream_key=held.get(key_env, ""),
    )
    _check(settings)
    return settings


class _Given(NamedTuple):
    raw: object
    origin: str


def _given(
    name: str, spec: Spec, options: Mapping[str, object], environment: Mapping[str, _Given], file: Mapping[str, _Given]
) -> _Given | None:
    if (option := options.get(name)) is not None:
        return _Given(option, "on the command line")
    for variable in spec.env or (f"VIVAVOCE_{name.upper()}",):
        if variable in environment:
            return environment[variable]
    return file.get(name)


def _parsed(name: str, spec: Spec, given: _Given) -> object:
    try:
        return spec.parse(given.raw)
    except ValueError as error:
        raise SettingsError(f"{name} {_shown(given.raw)} {error} (it is set {given.origin}).") from None


def _shown(raw: object) -> str:
    """Without what stands before the @ of an address: that may be a password."""
    return re.sub(r"//[^/@]*@", "//…@", repr(raw))


def _environment(directory: Path, environ: Mapping[str, str]) -> dict[str, _Given]:
    """All variables, with an origin each. One that is set to nothing counts as not set."""
    found: dict[str, _Given] = {}
    for name in (".env", ".env.local"):
        try:
            read = dotenv_values(directory / name, interpolate=False)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{directory / name} cannot be read: {error}.") from None
        found |= {key: _Given(value, f"by {key} in {name}") for key, value in read.items() if value}
    return found | {key: _Given(value, f"by {key} in the environment") for key, value in environ.items() if value}


def _tables(tables: Mapping[str, Any], environ: Mapping[str, str], path: Path) -> dict[str, Any]:
    try:
        agents, prices = tables_of.agents(tables["agents"], environ), tables_of.prices(tables["prices"])
    except tables_of.TableError as error:
        raise SettingsError(f"{path}: {error}") from None
    return {"agents": agents, "prices": prices}


def _file(config: Path | None, directory: Path) -> tuple[dict[str, _Given], dict[str, Any]]:
    """Its settings, and its tables."""
    path = config or directory / FILE
    tables: dict[str, Any] = {name: {} for name in tables_of.TABLES}
    if config is None and not path.exists():
        return {}, tables
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # broken TOML and broken UTF-8
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    known = dict(specs())
    tables |= {name: content.pop(name) for name in tables if name in content}
    for name in content:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise SettingsError(
                f"{path} sets {name!r}, which is no setting" + (f"; did you mean {near[0]!r}?" if near else ".")
            )
    return {name: _Given(value, f"in {path}") for name, value in content.items()}, tables


def _check(settings: Settings) -> None:
    """What settings say together, and those that come from the environment alone."""
    for name, value in ((JWT_SECRET, settings.jwt_secret), (SECRET, settings.secret)):
        if 0 < len(value) < MIN_SECRET:
            raise SettingsError(f"{name} is too short to be a secret: {MIN_SECRET} characters at least.")
    if any(len(key) < MIN_KEY or key.startswith(EPHEMERAL) for key in settings.api_keys):
        raise SettingsError(
            f"{API_KEYS} has a key that is shorter than {MIN_KEY} characters, or begins with {EPHEMERAL}."
        )
    if settings.jwt_secret and settings.jwt_jwks_url:
        raise SettingsError(f"Users' tokens are signed in one way: set either {JWT_SECRET} or jwt_jwks_url.")
    if (settings.cert is None) != (settings.key is None):
        raise SettingsError("A certificate needs its private key and the other way round: give both cert and key.")
    if settings.backend == "upstream" and not settings.upstream_key and "api.openai.com" in settings.upstream_url:
        raise SettingsError(f"backend 'upstream' needs a key: set {settings.upstream_key_env} to yours.")
