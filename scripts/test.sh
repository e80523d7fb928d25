#!/bin/sh
# `make test`: the checks, then the tests, on every core at once, whose summary comes last. Arguments go to pytest: with
# `-n 0` one runs after the other, with their names.
set -u
cd "$(dirname "$0")/.."
.venv/bin/python scripts/tools.py || exit 1
sh scripts/check.sh
checked=$?
.venv/bin/pytest -n auto --maxprocesses 4 --dist worksteal "$@"
tested=$?
if [ $checked -ne 0 ]; then
    echo "The checks failed: see FAILED above." >&2
fi
exit $((checked != 0 ? checked : tested))
