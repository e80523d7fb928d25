"""From the sources to :class:`Settings`: the highest wins, and what contradicts itself is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vivavoce.access.grants import PREFIX as EPHEMERAL
from vivavoce.access.sealing import MIN_SECRET
from vivavoce.cli import tables as tables_of
from vivavoce.cli.settings import sources
from vivavoce.cli.settings.models import OPENAI_KEY, SENSES
from vivavoce.cli.settings.settings import Settings, specs
from vivavoce.cli.settings.sources import FILE, Given
from vivavoce.cli.settings.spec import SettingsError, Spec
from vivavoce.models.remote.place import OPENAI

__all__ = ["load"]

API_KEYS, JWT_SECRET, SECRET = "VIVAVOCE_API_KEYS", "VIVAVOCE_JWT_SECRET", "VIVAVOCE_SECRET"
TURN_SECRET = "VIVAVOCE_TURN_SECRET"
"""Variables for what has no option, since others on the machine could read that, and no place in a file of settings."""
MIN_KEY = 16
"""Characters of a key that somebody has made up."""


def load(
    options: Mapping[str, object], *, directory: Path, environ: Mapping[str, str], config: Path | None = None
) -> Settings:
    """Settings from ``options`` (those given; None means not given), ``environ`` and the files in ``directory``."""
    environment = sources.environment(directory, environ)
    file, tables = sources.file(config, directory, dict(specs()))
    found: dict[str, Any] = {}
    for name, spec in specs():
        if given := _given(name, spec, options, environment, file):
            found[name] = sources.parsed(name, spec, given)
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
        model_keys=_model_keys(found, held),
        warnings=tuple(_warnings(environment, found, tables)),
    )
    _check(settings)
    return settings


def _given(
    name: str, spec: Spec, options: Mapping[str, object], environment: Mapping[str, Given], file: Mapping[str, Given]
) -> Given | None:
    if (option := options.get(name)) is not None:
        return Given(option, "on the command line")
    for variable in spec.variables(name):
        if variable in environment:
            return environment[variable]
    return file.get(name)


def _warnings(environment: Mapping[str, Given], found: Mapping[str, Any], tables: Mapping[str, Any]) -> list[str]:
    """A variable that a setting or an agent names is the user's own, whatever it is called."""
    known = {API_KEYS, JWT_SECRET, SECRET, TURN_SECRET}
    known.update(variable for name, spec in specs() for variable in spec.variables(name))
    known.update(value for name, value in found.items() if name.endswith("_env"))
    agents = repr(tables)
    return sources.misspelt({name: at for name, at in environment.items() if name not in agents}, known)


def _model_keys(found: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, str]:
    keys = {}
    for sense in SENSES:
        if variable := found.get(f"{sense}_key_env"):
            if variable not in held:
                raise SettingsError(f"{sense}_key_env names the variable {variable}, which is not set.")
            keys[sense] = held[variable]
        elif found.get(sense) == "openai" and found.get(f"{sense}_url", OPENAI) == OPENAI and OPENAI_KEY in held:
            keys[sense] = held[OPENAI_KEY]
    return keys


def _tables(tables: Mapping[str, Any], environ: Mapping[str, str], path: Path) -> dict[str, Any]:
    try:
        agents, prices = tables_of.agents(tables["agents"], environ), tables_of.prices(tables["prices"])
        tools = tables_of.tools(tables["tools"] or [], environ)
    except tables_of.TableError as error:
        raise SettingsError(f"{path}: {error}") from None
    return {"agents": agents, "prices": prices, "tools": tools, "tools_dir": path.absolute().parent}


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
