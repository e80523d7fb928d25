#!/bin/sh
# Writes the lock files anew from pyproject.toml, for all systems and Python versions at once, with hashes.
# Versions stay as they are where they still fit; `make lock ARGS=--upgrade` takes the newest.
set -eu
cd "$(dirname "$0")/.."

compile() {
    target=$1
    shift
    echo "Locking $target"
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
        --custom-compile-command "make lock" --output-file "$target" "$@" >/dev/null
}

# Every extra but smart-turn, whose 21 packages would hold back versions of ours; its model alone is locked below.
compile requirements-dev.lock pyproject.toml --extra talk --extra postgres --extra kokoro --extra piper --extra redis \
    --group dev ${ARGS:-}
# What runs is what was tested: the same versions, also where a test's client holds one back.
compile requirements.lock pyproject.toml --extra talk --constraint requirements-dev.lock ${ARGS:-}
compile requirements-setup.lock --group setup --constraint requirements-dev.lock ${ARGS:-}
compile requirements-turn.lock --group turn --no-deps ${ARGS:-}
compile requirements-node.lock --group node ${ARGS:-}
