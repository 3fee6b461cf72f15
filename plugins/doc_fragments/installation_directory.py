# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option that says where ENTSSO is installed."""

from __future__ import annotations


class ModuleDocFragment:
    """One option."""

    DOCUMENTATION = r"""
options:
  installation_directory:
    description:
      - Directory in which ENTSSO and its command line tools are installed on the SSO server.
      - The default is the directory that Microsoft's setup proposes.
    type: str
    default: C:\Program Files\Common Files\Enterprise Single Sign-On
"""
