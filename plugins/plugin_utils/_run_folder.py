# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private folder of a run of Ansible, which all its processes share and which is gone with it."""

from __future__ import annotations

from ansible import constants


def run_folder() -> str:
    """Returns its path. ansible-core sets it when it starts, so that no type checker knows the name."""
    return str(vars(constants)["DEFAULT_LOCAL_TMP"])
