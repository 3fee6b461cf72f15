# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the packages of a preflight: on the control node, and whether those on the host are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_media import MediaState
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_package import desired_package
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_reads import ENDS
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._media import Media, describe_media


@dataclass(frozen=True)
class Described:
    """A package with its file.

    Attributes:
        state: What is known of the file.
        package: What is to be installed; None where the file can't be used.
        upgrade_code: That of the package; empty when not known.
        media: The file; None where there is none, or it can't be used.
    """

    state: MediaState
    package: DesiredPackage | None = None
    upgrade_code: str = ""
    media: Media | None = None


def describe(task: Task, arguments: Mapping[str, Any]) -> Described:
    """Looks at one package as far as the control node can."""
    name = str(arguments["name"])
    try:
        media, identity = None, None
        if arguments.get("path"):
            media, identity = describe_media(
                task, str(arguments["path"]), str(arguments["sha256"]), bool(arguments["remote_src"])
            )
        package = desired_package(task.subject, arguments, identity)
    except PlanError as error:
        return Described(MediaState(name, f"{name}: {error.reason} {error.remedy}".strip()))
    except AnsibleError as error:
        return Described(MediaState(name, f"{name}: {error}"))
    if identity is None:
        return Described(MediaState(name), package, "", media)
    state = MediaState(name, hashed=True, signed=identity.signed, signer=identity.signer)
    return Described(state, package, identity.upgrade_code, media)


def look_on_host(host: Host, described: Described) -> MediaState:
    """Looks whether a file that is to be on a drive of the host is there; hashing it would start a program.

    Raises:
        HostError: One after which nothing more is asked.
    """
    media = described.media
    if media is None or not media.remote or media.url or media.path.startswith("\\\\"):
        return described.state
    name = described.state.name
    try:
        found = host.files.stat(media.path)
    except ENDS:
        raise
    except HostError as error:
        return MediaState(name, f"{name}: {error}")
    if found is None:
        return MediaState(name, f"{name}: {media.path} is not on the host. Put it there, or let remote_src be false.")
    return described.state
