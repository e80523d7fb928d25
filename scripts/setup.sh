#!/bin/sh
# Makes .venv with the locked versions: `setup.sh` for running Vivavoce, `setup.sh dev` for working on it too.
# A stamp in .venv says what was installed, so that the second time takes a few milliseconds.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-run}
case $kind in
    run) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;; # holds everything of requirements.lock at the same versions
    *) echo "setup.sh: '$kind' is neither run nor dev" >&2; exit 2 ;;
esac
python=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }

give_up() {
    say "" "$@"
    exit 1
}

state() { cat pyproject.toml requirements-setup.lock requirements-turn.lock "$1" scripts/setup.sh | cksum; }

installed() { [ "$(cat ".venv/vivavoce-$1" 2>/dev/null)" = "$(state "$2")" ]; }

# Inside requires-python of pyproject.toml, and really there: a version manager's placeholder fails here.
fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

can_make_venv() { "$1" -c 'import ensurepip, ssl, venv' 2>/dev/null; }

find_python() {
    fitting=
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        fits "$candidate" || continue
        if can_make_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        fitting=${fitting:-$candidate}
    done
    if [ -n "$fitting" ]; then
        version=$("$fitting" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        give_up "Python $version is here, but without what makes a virtual environment (venv, ensurepip, ssl)." \
            "On Debian or Ubuntu: sudo apt install python$version-venv"
    fi
    give_up "Vivavoce needs Python 3.11, 3.12 or 3.13, and none was found${PYTHON:+ as $PYTHON}." \
        "Install one (https://www.python.org/downloads/), or name it: make setup PYTHON=/path/to/python3.12"
}

make_venv() {
    found=$(find_python)
    say "Making .venv with $("$found" --version)."
    "$found" -m venv --clear .venv
    pwd -P >.venv/vivavoce-place
}

# One that was moved or copied has the old place in its programs.
is_venv() { [ "$(cat .venv/vivavoce-place 2>/dev/null)" = "$(pwd -P)" ] && fits "$python"; }

pip() { "$python" -m pip --quiet --disable-pip-version-check --no-input "$@"; }

install() {
    if [ -x .venv/bin/uv ] && .venv/bin/uv pip install --quiet --python "$python" "$@"; then
        return
    fi
    pip install "$@"
}

if ! is_venv; then
    make_venv
elif installed "$kind" "$lock" || { [ "$kind" = run ] && installed dev requirements-dev.lock; }; then
    exit 0
fi
say "Installing the packages of $lock; the first time takes a minute or two."
pip install --require-hashes -r requirements-setup.lock \
    || give_up "The packages could not be installed: see above. Is there a way to https://pypi.org from here?"
install --require-hashes -r "$lock" || give_up "The packages of $lock could not be installed: see above."
if [ "$kind" = dev ]; then
    install --no-deps --require-hashes -r requirements-turn.lock || give_up "Smart Turn could not be installed: see above."
fi
install --no-deps --no-build-isolation --editable . || give_up "Vivavoce itself could not be installed: see above."
state "$lock" >".venv/vivavoce-$kind"
say "Ready."
