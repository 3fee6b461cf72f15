# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module says when it is run as one. The modules hold documentation; the work is done by the actions."""

from __future__ import annotations


def started_as_module(name: str) -> str:
    """Returns the sentence with which a module fails that was copied to a host and started there."""
    return (
        f"entsso.password_sync.{name} runs on the control node as an action plugin and was started as a module: "
        "call it from a task of a play by its full name."
    )
