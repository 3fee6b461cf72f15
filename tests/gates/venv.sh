#!/bin/sh
# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Finds a Python and keeps a virtual environment ready for it in build/venv/py3.X.
#   sh tests/gates/venv.sh find            print the Python that would be used
#   sh tests/gates/venv.sh runtime|pytest|test    make ready for the demo, for tests without the linters, or for all gates;
#                                                 print the environment's path
# The variable PYTHON names one Python instead of the best found, CORE one release of ansible-core (2.20) instead of the one
# that requirements/core.txt has for it. Progress goes to stderr; a stamp with the hash of the requirement files makes the
# second run quick.
set -eu

level=$1
asked=$1
cd "$(dirname "$0")/../.."
root=$(pwd)

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# A name counts only when it runs: a shim of pyenv for a version that is not selected exists and fails. Such versions
# are looked for in pyenv's own folder last.
find_python() {
    for name in "$@"; do
        if usable "$name"; then
            command -v "$name"
            return 0
        fi
    done
    for name in "$@"; do
        for candidate in "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions"/*/bin/"$name"; do
            if usable "$candidate"; then
                echo "$candidate"
                return 0
            fi
        done
    done
    return 1
}

missing=""
packages=""
if ! command -v git >/dev/null 2>&1; then
    missing="git"
    packages="git"
fi
if [ -n "${PYTHON:-}" ]; then
    python=$(find_python "$PYTHON") || python=""
    wanted="$PYTHON (Python 3.11 or newer) with venv"
else
    python=$(find_python python3.12 python3.11 python3) || python=""
    wanted="Python 3.11 or newer with venv"
fi
if [ -z "$python" ]; then
    missing="${missing:+$missing, }$wanted"
    packages="${packages:+$packages }python3 python3-venv"
fi
if [ -n "$missing" ]; then
    echo "Missing: $missing. Bring it with: apt-get install -y $packages" >&2
    exit 1
fi
if [ "$level" = find ]; then
    echo "$python"
    exit 0
fi

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
name=py$version${CORE:+-core$CORE}
venv=$root/build/venv/$name
log=$root/build/logs/venv-$name.log
if [ -n "${CORE:-}" ]; then
    core="ansible-core~=$CORE.0"
else
    core="-rrequirements/core.txt"
fi
mkdir -p build/venv build/logs build/collections/ansible_collections/entsso

# Two makes at the same time set up one after the other.
exec 9>"build/venv/.lock-$name"
if command -v flock >/dev/null 2>&1; then
    flock 9
fi

# The collection under its full name, for Python imports and for ansible-playbook. Relative, so that a moved clone still works.
ln -sfn ../../../.. build/collections/ansible_collections/entsso/password_sync

if ! "$venv/bin/python" -c '' >/dev/null 2>&1; then
    rm -rf "$venv"
    echo "Setting up $(basename "$venv") with $python ..." >&2
    "$python" -m venv "$venv"
fi

install() {
    stamp=$venv/.ready-$1
    hash=$(cat requirements/*.txt meta/ee-requirements.txt | sha256sum | cut -d ' ' -f 1)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ]; then
        return 0
    fi
    printf 'Installing requirements/%s.txt into build/venv/%s (once, a minute or so) ' "$1" "$name" >&2
    rm -f "$stamp" "$log.failed"
    { "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$core" -r "requirements/$1.txt" 2>&1 ||
        touch "$log.failed"; } | tee "$log" | while read -r word rest; do
        case $word in
        Collecting | Installing) printf '.' >&2 ;;
        esac
    done
    if [ -e "$log.failed" ]; then
        printf '\n' >&2
        tail -n 15 "$log" >&2
        echo "pip could not install requirements/$1.txt (whole output: $log). Is a Python package index reachable?" >&2
        exit 1
    fi
    printf ' done\n' >&2
    echo "$hash" >"$stamp"
}

# Kerberos has no wheels for Linux. Those that fit every Python are built once into build/wheels, side by side, and quickly
# rather than fast.
install_kerberos() {
    stamp=$venv/.ready-kerberos
    if [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ]; then
        return 0
    fi
    if ! command -v krb5-config >/dev/null 2>&1 || ! command -v cc >/dev/null 2>&1; then
        echo "The tests with Kerberos are left out. They need: apt-get install -y gcc libkrb5-dev" >&2
        return 0
    fi
    printf 'Building what Kerberos needs for build/venv/%s (once, a minute or two) ' "$name" >&2
    mkdir -p build/wheels
    # Set-ups of several Pythons side by side build once.
    if command -v flock >/dev/null 2>&1; then
        exec 8>build/wheels/.lock
        flock 8
    fi
    for package in gssapi krb5; do
        if [ -z "$(find build/wheels -name "$package-*.whl")" ]; then
            CFLAGS="-O0 -g0" "$venv/bin/python" -m pip wheel --disable-pip-version-check --quiet --no-deps \
                --wheel-dir build/wheels "$package" >"$log.$package" 2>&1 &
        fi
    done
    wait
    exec 8>&-
    if CFLAGS="-O0 -g0" "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off \
        --find-links build/wheels "$core" -r "requirements/$level.txt" -r requirements/kerberos.txt >"$log" 2>&1; then
        printf ' done\n' >&2
        echo "$hash" >"$stamp"
    else
        printf '\n' >&2
        tail -n 15 "$log" >&2
        echo "pip could not build what Kerberos needs (whole output: $log); the tests with Kerberos are left out." >&2
    fi
}

# The collection of others that tests/interop needs, out of the bundle that requirements/collections.txt names.
install_collections() {
    stamp=$venv/.ready-collections
    if [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ]; then
        return 0
    fi
    mkdir -p build/bundle
    if "$venv/bin/python" -m pip download --disable-pip-version-check --quiet --no-deps --dest build/bundle \
        -r requirements/collections.txt >"$log.collections" 2>&1 &&
        "$venv/bin/python" - build/bundle >>"$log.collections" 2>&1 <<'PYTHON'; then
import pathlib, sys, sysconfig, zipfile

for bundle in pathlib.Path(sys.argv[1]).glob("ansible-*.whl"):
    with zipfile.ZipFile(bundle) as archive:
        names = [name for name in archive.namelist() if name.startswith("ansible_collections/microsoft/ad/")]
        archive.extractall(sysconfig.get_path("purelib"), names)
PYTHON
        echo "$hash" >"$stamp"
    else
        echo "microsoft.ad could not be had (whole output: $log.collections); the test of its inventory is left out." >&2
    fi
    rm -rf build/bundle
}

case $level in
runtime | pytest | test) ;;
*)
    echo "Usage: sh tests/gates/venv.sh find|runtime|pytest|test" >&2
    exit 2
    ;;
esac
# A larger set, once installed, contains the smaller ones.
for larger in test pytest; do
    if [ "$level" != "$larger" ] && [ -e "$venv/.ready-$larger" ]; then
        level=$larger
    fi
    if [ "$level" = "$larger" ]; then
        break
    fi
done
install "$level"
if [ "$asked" != runtime ]; then
    install_kerberos
fi
if [ "$asked" = test ]; then
    install_collections
fi
echo "$venv"
