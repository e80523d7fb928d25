#!/bin/sh
# Everything that reads the code without running it. All of it runs; any fault fails.
set -u
cd "$(dirname "$0")/.."
failed=0

check() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        printf '%s\n' "$output"
        failed=1
    fi
}

check "ruff check" .venv/bin/ruff check
check "ruff format" .venv/bin/ruff format --check
check "mypy" .venv/bin/mypy
check "import rules" .venv/bin/lint-imports
exit $failed
