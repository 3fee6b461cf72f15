# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module rollout_wave; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_wave
short_description: Says whether a wave of the rollout may start now
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Between the plan and a wave hours may pass. This module compares the plan with what was observed a moment ago, and
    fails before anything is done where the two differ.
  - It refuses domain controllers that are no wave of the plan, a domain controller that needs something else by now
    or could not be observed, a wave that no longer keeps to the policy since others went down or a role was moved, and
    one whose worst case does not fit into what is left of the maintenance window.
  - It asks no host. What there is to do comes from M(entsso.password_sync.pcns_info), registered as
    C(pcns_observation) on each of O(domain_controllers).
options:
  domain_controllers:
    description:
      - Domain controllers that would be worked on together.
    type: list
    elements: str
    required: true
  rollout:
    description:
      - What M(entsso.password_sync.rollout_plan) returned at the beginning of the run.
    type: dict
    required: true
  directory:
    description:
      - All domain controllers of the forest as Active Directory knows them now, in the form of
        M(entsso.password_sync.domain_controller_info). Its C(available) goes before what the run observed earlier.
      - Without it, those that answered when the run began count as answering.
    type: list
    elements: dict
  inventory:
    description:
      - Writable domain controllers of the inventory, which stand for the forest where O(directory) is not given.
      - The default is O(domain_controllers).
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - entsso.password_sync.attributes
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing anything.
    support: full
    details: The maintenance window is not looked at, since nothing starts.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: full
    details: It changes nothing, so there is never a difference.
  platform:
    description: Platforms that it runs on; this is the control node.
    support: full
    platforms: posix
seealso:
  - module: entsso.password_sync.rollout_plan
  - module: entsso.password_sync.rollout_lock
"""

EXAMPLES = r"""
- name: Start the wave only if it is still as planned
  entsso.password_sync.rollout_wave:
    domain_controllers: "{{ ansible_play_batch }}"
    rollout: "{{ pcns_rollout }}"
    directory: "{{ forest.domain_controllers }}"
  run_once: true
"""

RETURN = r"""
number:
  description: Number of the wave.
  returned: success
  type: int
  sample: 2
problems:
  description: Why it must not start, in the form of RV(entsso.password_sync.rollout_plan#module:problems).
  returned: failure
  type: list
  elements: dict
  contains:
    subject:
      description: The domain controller, or what else it is about.
      type: str
      sample: Wave of dc02.corp.example
    reason:
      description: What is the case.
      type: str
      sample: no writable domain controller of site Paris would be known to answer (rule 4)
    remedy:
      description: The way out.
      type: str
      sample: Bring back what is down and run again, what is done stays done
msg:
  description: That it starts and how long it may take, or why it must not start.
  returned: always
  type: str
  sample: "Wave 2 of 5 starts: dc02.corp.example, dc03.corp.example. It takes at most 3 h 2 min."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.ROLLOUT_WAVE,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("rollout_wave"))


if __name__ == "__main__":
    main()
