# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that names the connected systems in findings."""

from __future__ import annotations


class ModuleDocFragment:
    """One option."""

    DOCUMENTATION = r"""
options:
  systems:
    description:
      - Names of the systems that password changes go to, for example V(RACF), for the sentences of the findings.
      - The default is an empty list; the sentences then speak of the connected systems.
    type: list
    elements: str
    default: []
"""
