"""Files of models from a server on loopback that does what servers do: it resumes, or not, lies, and breaks off."""

import hashlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vivavoce.models import fetching
from vivavoce.models.fetching import fetch
from vivavoce.models.files import ModelFile
from vivavoce.models.interfaces import ModelError

CONTENT = bytes(range(256)) * 4096
SHA = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


class Site:
    """Serves ``content`` at any path; a test changes what it has and does."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.does: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.give
        self.ranges: list[str | None] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.ranges.append(request.headers.get("Range"))
        return await self.does(request)

    async def give(self, request: web.Request) -> web.StreamResponse:
        begin = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if begin >= len(self.content):
            return web.Response(status=416)
        headers = {"Content-Range": f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"} if begin else {}
        return web.Response(status=206 if begin else 200, body=self.content[begin:], headers=headers)

    async def give_half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(self.content))})
        await response.prepare(request)
        await response.write(self.content[:HALF])
        assert request.transport is not None
        request.transport.close()
        return response

    async def give_from_the_start(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.content)

    async def give_without_end(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(65536))
        except ConnectionError:
            return response

    def answers(self, status: int, **headers: str) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers=headers)

        self.does = answer

    def file(self, size: int = len(CONTENT), sha256: str = SHA) -> ModelFile:
        return ModelFile("voices/one.bin", f"{self.url}/one.bin", size, sha256)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{any:.*}", site.handle)
    async with TestServer(app) as server:
        site.url = str(server.make_url("")).rstrip("/")
        yield site


@pytest.fixture
def told() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def get(tmp_path: Path, told: list[tuple[int, int]]) -> Callable[[ModelFile], Awaitable[str]]:
    return lambda file: fetch(file, tmp_path, lambda have, total: told.append((have, total)))


Get = Callable[[ModelFile], Awaitable[str]]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "voices").iterdir())


async def test_a_file_comes_whole_and_only_once(site: Site, get: Get, tmp_path: Path, told: list[tuple[int, int]]):
    assert await get(site.file()) == "verified"
    assert (tmp_path / "voices/one.bin").read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert await get(site.file()) == "kept"
    assert (names(tmp_path), len(site.ranges)) == (["one.bin"], 1)


async def test_what_broke_off_goes_on_where_it_stopped(
    site: Site, get: Get, tmp_path: Path, told: list[tuple[int, int]]
):
    site.does = site.give_half
    with pytest.raises(ModelError, match=r"broke off in the middle of voices/one.bin"):
        await get(site.file())
    assert names(tmp_path) == ["one.bin.part"]
    site.does = site.give
    told.clear()
    assert await get(site.file()) == "verified"
    assert site.ranges == [None, f"bytes={HALF}-"]
    assert told[0] == (HALF, len(CONTENT))
    assert names(tmp_path) == ["one.bin"]


async def test_a_server_that_cannot_resume_is_taken_from_the_start(site: Site, get: Get, tmp_path: Path):
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices/one.bin.part").write_bytes(b"x" * 100)
    site.does = site.give_from_the_start
    assert await get(site.file()) == "verified"


async def test_a_beginning_of_something_else_is_found_out(site: Site, get: Get, tmp_path: Path):
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices/one.bin.part").write_bytes(b"x" * 100)
    with pytest.raises(ModelError, match="another hash than is known of it"):
        await get(site.file())
    assert names(tmp_path) == []
    (tmp_path / "voices/one.bin.part").write_bytes(b"x" * (len(CONTENT) + 1))
    with pytest.raises(ModelError, match="of no use and was deleted"):
        await get(site.file())
    assert await get(site.file()) == "verified"


async def test_a_hash_that_nobody_knows_is_that_of_the_first_fetch(site: Site, get: Get, tmp_path: Path):
    unknown = site.file(0, "")
    assert await get(unknown) == "first"
    assert (tmp_path / "voices/one.bin.sha256").read_text() == f"{SHA}  one.bin\n"
    assert await get(unknown) == "kept"
    (tmp_path / "voices/one.bin").write_bytes(b"damaged")
    assert await get(unknown) == "verified"

    (tmp_path / "voices/one.bin").unlink()
    site.content = b"replaced"
    with pytest.raises(ModelError, match=r"than when it was first fetched.*If you trust the new one, delete"):
        await get(unknown)
    assert names(tmp_path) == ["one.bin.sha256"]


async def test_without_a_hash_nothing_is_pieced_together(site: Site, get: Get, tmp_path: Path):
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices/one.bin.part").write_bytes(b"x" * 100)
    assert await get(site.file(0, "")) == "first"
    assert site.ranges == [None]
    assert (tmp_path / "voices/one.bin").read_bytes() == CONTENT


async def test_a_file_that_somebody_put_there_is_held_to_what_it_is(site: Site, get: Get, tmp_path: Path):
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices/one.bin").write_bytes(b"mine")
    assert await get(site.file(0, "")) == "kept"
    assert names(tmp_path) == ["one.bin", "one.bin.sha256"]
    assert site.ranges == []


async def test_another_file_is_not_taken(site: Site, get: Get, tmp_path: Path):
    site.content = bytes(len(CONTENT))
    with pytest.raises(ModelError, match="another hash than is known of it"):
        await get(site.file())
    site.content = b"<html>Please sign in</html>"
    with pytest.raises(ModelError, match=r"has 27 bytes of voices/one.bin, which should be 1048576"):
        await get(site.file())
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [len(CONTENT), 0])
async def test_what_does_not_end_is_ended(
    site: Site, get: Get, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fetching, "LIMIT", len(CONTENT))
    site.does = site.give_without_end
    with pytest.raises(ModelError, match=r"sends more of voices/one.bin than it should have"):
        await get(site.file(size))
    assert (tmp_path / "voices/one.bin.part").stat().st_size <= len(CONTENT)


async def test_a_file_beyond_all_measure_is_not_begun(site: Site, get: Get, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "LIMIT", HALF)
    with pytest.raises(ModelError, match=f"would have {len(CONTENT)} bytes, and {HALF} are allowed"):
        await get(site.file(0, ""))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not give voices/one.bin to everybody"),
        (404, "has no voices/one.bin. Is the name right?"),
        (429, "takes no more requests for now"),
        (503, "answered with status 503"),
        (204, "answered with status 204"),
    ],
)
async def test_a_refusal_is_told_in_words(site: Site, get: Get, status: int, words: str):
    site.answers(status)
    with pytest.raises(ModelError, match=words):
        await get(site.file())


async def test_redirections_are_followed_within_bounds_and_with_https_alone(site: Site, get: Get):
    async def once(request: web.Request) -> web.StreamResponse:
        return await site.give(request) if request.path == "/cdn" else web.Response(status=302, headers=to)

    site.does, to = once, {"Location": "/cdn"}
    assert await get(site.file()) == "verified"
    to["Location"] = "/again"
    with pytest.raises(ModelError, match="from one address to the next, 5 times"):
        await get(ModelFile("voices/two.bin", f"{site.url}/two"))
    to["Location"] = "http://user:pass@models.example/one.bin?key=secret"
    with pytest.raises(ModelError, match=r"without https \(models.example\)"):
        await get(ModelFile("voices/two.bin", f"{site.url}/two"))


@pytest.mark.parametrize("url", ["http://models.example/a", "ftp://models.example/a", "file:///etc/passwd", "nonsense"])
async def test_only_https_is_asked(get: Get, url: str):
    with pytest.raises(ModelError, match="without https"):
        await get(ModelFile("voices/one.bin", url))


async def test_a_server_that_is_not_there(get: Get, unused_tcp_port: int):
    with pytest.raises(ModelError, match=r"cannot be reached.*Is this machine online"):
        await get(ModelFile("voices/one.bin", f"http://127.0.0.1:{unused_tcp_port}/"))


async def test_a_disk_that_is_full_or_read_only(site: Site, get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def usage(path: Any) -> Any:
        return SimpleNamespace(free=10**6)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", usage)
        with pytest.raises(ModelError, match=r"has 1 MB free, and 68 are needed. Make room"):
            await get(site.file())
    shutil.rmtree(tmp_path / "voices")
    (tmp_path / "voices").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be written"):
        await get(site.file())
