# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module preflight_report."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_report import PreflightReportAction


class ActionModule(PreflightReportAction):
    """See the module's documentation."""

    argument_spec = _arguments.PREFLIGHT_REPORT
