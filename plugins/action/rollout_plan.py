# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module rollout_plan."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.plugin_utils._rollout_plan import RolloutPlanAction


class ActionModule(RolloutPlanAction):
    """See the module's documentation."""

    argument_spec = _arguments.ROLLOUT_PLAN
    constraints: ClassVar[dict[str, Any]] = {
        "required_together": [["src", "approved_plan"]],
        "mutually_exclusive": [["dest", "approved_plan"]],
    }
