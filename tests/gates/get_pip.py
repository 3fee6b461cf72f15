# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the get-pip script that ansible-test would download, for machines that reach only a package index.

ansible-test runs it inside each of the dozen virtual environments that it makes, to bring the pip that it pins. The
wheel of that pip lies beside this script (gates.sanity puts both there); a wheel of pure Python is installed by
unpacking it, which takes a fraction of the time of ensurepip and an upgrade.
"""

from __future__ import annotations

import sysconfig
import zipfile
from pathlib import Path

script = Path(__file__)
# get_pip_25_2.py belongs to pip-25.2-py3-none-any.whl: a newer ansible-test may share the folder.
version = script.stem.removeprefix("get_pip_").replace("_", ".")
with zipfile.ZipFile(script.with_name(f"pip-{version}-py3-none-any.whl")) as wheel:
    wheel.extractall(sysconfig.get_path("purelib"))
