# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module says of check mode, diff mode and where it runs."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; each module adds the variant of its kind."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Runs as an action plugin on the control node, so nothing of it is copied to the host.
    support: full
  action_group:
    description: Use C(group/entsso.password_sync.password_sync) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - entsso.password_sync.password_sync
  async:
    description: Supports being used with the C(async) keyword.
    support: none
"""

    RESOURCE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details:
      - The plan stands on what is observed and on the changes that earlier tasks of the same run would have made.
        These are kept in the host fact RV(ansible_facts.entsso_password_sync_planned), so that a whole deployment can
        be checked on hosts that have nothing installed yet.
      - A task that would fail in a run because something is missing fails in check mode too.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: full
  facts:
    description: Returns an C(ansible_facts) dictionary that updates existing host facts.
    support: full
    details: Only in check mode.
  platform:
    description: Platforms of the hosts that can be managed.
    support: full
    platforms: windows
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details: This module changes nothing in any mode.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: N/A
    details: What a run would change is in RV(planned).
  platform:
    description: Platforms of the hosts that can be observed.
    support: full
    platforms: windows
"""

    GATE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details: This module changes nothing in any mode. In check mode it looks once and does not wait.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: N/A
  platform:
    description: Platforms of the hosts that can be observed.
    support: full
    platforms: windows
"""

    DIAGNOSTIC = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details: This module changes nothing in any mode.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: N/A
  platform:
    description: Platforms of the hosts whose connection can be looked at.
    support: full
    platforms: windows
"""

    REPORT = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details: The report files are written on the control node in check mode as well; no host is touched in any mode.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: N/A
  platform:
    description: Platforms on which the report can be written; this is the control node.
    support: full
    platforms: posix
"""

    DIRECTORY = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the host.
    support: full
    details: This module changes nothing in any mode.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: N/A
  platform:
    description: Platforms whose directory can be read.
    support: full
    platforms: windows
"""

    DIRECTORY_RESOURCE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing the directory.
    support: full
    details:
      - The plan stands on what is observed and on the changes that earlier tasks of the same run would have made.
        These are kept in the host fact RV(ansible_facts.entsso_password_sync_planned).
      - Whether the account has the right to write is not found out in check mode.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: full
  facts:
    description: Returns an C(ansible_facts) dictionary that updates existing host facts.
    support: full
    details: Only in check mode.
  platform:
    description: Platforms whose directory can be managed.
    support: full
    platforms: windows
"""
