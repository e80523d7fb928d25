"""The committed files, without Node: nothing forgotten, nothing tampered with, nothing grown too big."""

import gzip
import hashlib
import json
import re
from typing import Any

import pytest

from vivavoce.server.options import STATIC

MANIFEST: dict[str, Any] = json.loads((STATIC / "MANIFEST.json").read_text())

ORB_BUDGET = 30 * 1024
"""Bytes, gzipped, that a page pays for the orb."""


def test_the_manifest_names_every_file_and_no_other():
    assert {path.name for path in STATIC.iterdir()} == {*MANIFEST["files"], "MANIFEST.json"}


@pytest.mark.parametrize("name", sorted(MANIFEST["files"]))
def test_a_file_is_what_the_manifest_says(name: str):
    said = MANIFEST["files"][name]
    content = (STATIC / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == said["sha256"]
    assert len(content) == said["bytes"]


@pytest.mark.parametrize("name", ["orb.js", "orb.mjs"])
def test_the_orb_keeps_to_its_budget(name: str):
    assert len(gzip.compress((STATIC / name).read_bytes(), 9)) <= ORB_BUDGET


def test_every_bundled_package_has_its_licence():
    notices = (STATIC / "THIRD_PARTY_LICENSES.txt").read_text()
    assert MANIFEST["bundled"]
    for name, version in MANIFEST["bundled"].items():
        assert f"\n{name} {version} (" in notices


def test_the_page_asks_for_nothing_inline_or_from_elsewhere():
    """So that ``default-src 'self'`` is all it needs."""
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
