"""Redis and PostgreSQL of the machine's own packages, each started by the test session when a test first asks for it,
on this machine alone and in a directory of their own. Where they are missing, the test is skipped with the reason."""

import asyncio
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.support.tools import postgres_bin, redis_server

__all__ = ["postgres", "redis"]

PATIENCE = 20.0


@asynccontextmanager
async def redis() -> AsyncIterator[str]:
    """The URL of one, for the length of a test."""
    yield await asyncio.to_thread(_redis)


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """The URL of an empty database, for the length of a test."""
    directory = await asyncio.to_thread(_postgres)
    name = f"test_{os.urandom(6).hex()}"
    await asyncio.to_thread(_psql, directory, f"CREATE DATABASE {name}")
    yield f"postgresql://vivavoce@/{name}?host={directory}"
    await asyncio.to_thread(_psql, directory, f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _redis() -> str:
    program = redis_server()
    if program is None:
        pytest.skip("no redis-server on this machine; `make test` installs one where it may")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    directory = _directory()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(directory)]
    process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
    atexit.register(_stop, process, directory)
    assert process.stdout
    for line in process.stdout:
        if "Ready to accept connections" in line:
            return f"redis://127.0.0.1:{port}/0"
    raise AssertionError(f"redis-server ended with status {process.wait()}")


@cache
def _postgres() -> Path:
    """The directory with its socket; it listens nowhere else."""
    bin = postgres_bin()
    if bin is None:
        pytest.skip("no PostgreSQL server on this machine; `make test` installs one where it may")
    directory = _directory()
    become = _somebody(directory)
    data = directory / "data"
    make = [
        str(bin / "initdb"),
        "-D",
        str(data),
        "-U",
        "vivavoce",
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
    ]
    subprocess.run(make, check=True, capture_output=True, preexec_fn=become, cwd=directory)
    options = ["-k", str(directory), "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"]
    process = subprocess.Popen(
        [bin / "postgres", "-D", data, *options], stderr=subprocess.PIPE, text=True, preexec_fn=become, cwd=directory
    )
    atexit.register(_stop, process, directory)
    assert process.stderr
    for line in process.stderr:
        if "ready to accept connections" in line:
            return directory
    raise AssertionError(f"postgres ended with status {process.wait()}")


def _somebody(directory: Path) -> Callable[[], None] | None:
    """PostgreSQL does not run as root: then as who owns nothing else."""
    if os.geteuid() != 0:
        return None
    nobody = 65534
    os.chown(directory, nobody, nobody)

    def become() -> None:
        os.setgroups([])
        os.setgid(nobody)
        os.setuid(nobody)

    return become


def _psql(directory: Path, command: str) -> None:
    import psycopg

    with psycopg.connect(f"postgresql://vivavoce@/postgres?host={directory}", autocommit=True) as connection:
        connection.execute(command.encode())


def _directory() -> Path:
    """Short, since the path of a Unix socket has at most 107 bytes."""
    return Path(tempfile.mkdtemp(prefix="vv-", dir="/tmp"))


def _stop(process: subprocess.Popen[str], directory: Path) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    shutil.rmtree(directory, ignore_errors=True)
