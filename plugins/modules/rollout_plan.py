# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module rollout_plan; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_plan
short_description: Plans which domain controller is changed and restarted in which wave
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Puts the domain controllers on which there is something to do into waves, so that a policy says who may be down at
    the same time. Shows the plan, and saves it in a file that can be approved by its SHA-256.
  - With O(approved_plan) it holds a run to a plan that was approved. Less than was approved is fine, since an earlier
    run may have done a part of it. Any other domain controller, change or value is refused, and so is a wave that no
    longer keeps to the policy because a role was moved or a domain controller is down.
  - It asks no host. What there is to do comes from M(entsso.password_sync.pcns_info), which must have been registered
    as C(pcns_observation) on each of O(domain_controllers) in the same run. Sites and roles come from O(directory).
  - A domain controller that is exempt (C(pcns_exempt)), read-only, or as wanted is in no wave. What can't be planned
    fails the task, each with the reason and a way out; nothing is left out silently.
  - A domain controller that M(entsso.password_sync.domain_controller_preflight) says no to, registered as
    C(pcns_preflight), can't be planned. Neither can a job slice of AWX, of which each would see a part of the inventory
    as if it were all.
  - Holders of operations master roles are alone in their waves and come after all domain controllers without a role;
    PDC emulators come last. Of a domain or a site with more than one writable domain controller, one stays up.
options:
  domain_controllers:
    description:
      - Domain controllers of this run, as the inventory names them.
    type: list
    elements: str
    required: true
  directory:
    description:
      - All domain controllers of the forest as Active Directory knows them, also those that are not part of this run,
        since they may have to stay up.
      - RV(entsso.password_sync.domain_controller_info#module:domain_controllers) has the form that is wanted.
      - Each has C(dns_name), C(site), C(domain), and where they apply C(roles) (list of V(schema_master),
        V(domain_naming_master), V(rid_master), V(infrastructure_master), V(pdc_emulator)), C(global_catalog) and
        C(read_only). C(available) says whether it is known to answer; the observation of this run goes before it.
        Anything else in it is ignored.
      - Without it, O(inventory) stands for the forest. Sites are then what the host variable C(pcns_site) says, and
        operations masters and global catalogs are not known, which the plan says and the module warns of.
    type: list
    elements: dict
  inventory:
    description:
      - Writable domain controllers of the inventory, also those that are not part of this run. Without O(directory)
        they stand for the forest; RV(lock_host) is one of them.
      - The default is O(domain_controllers).
    type: list
    elements: str
    default: []
  policy:
    description:
      - Who may be down together, and who comes first. What is not given has its default, which is the most careful one.
      - With O(approved_plan) the plan's own policy holds; one that is given too must be the same.
    type: dict
    suboptions:
      max_unavailable_total:
        description:
          - How many domain controllers of the forest may be down at the same time. Those that do not answer anyway
            count.
          - The default V(1) is one after the other.
        type: int
        default: 1
      max_unavailable_per_site:
        description:
          - The same for each site. The default is V(1).
        type: int
        default: 1
      lone_domain_controller:
        description:
          - What becomes of the only writable domain controller of a site. Clients there use another site meanwhile.
          - The default V(allow) treats it like any other. V(refuse) plans nothing for it and says so.
        type: str
        choices:
          - allow
          - refuse
        default: allow
      keep_global_catalog:
        description:
          - Whether one global catalog of each site that has more than one stays up, and one of the forest, unless the
            forest has a single writable domain controller. Read-only ones do not count.
          - The default is V(true).
        type: bool
        default: true
      canaries:
        description:
          - Domain controllers that come first, one after the other in this order, each alone. They may hold no
            operations master role.
          - The default is none.
        type: list
        elements: str
        default: []
      order:
        description:
          - A manual order. None of these is in an earlier wave than the one before it, and those not named come after
            them. It can't put holders of roles before others.
          - The default is none, so one site follows the other, and within a site names decide.
        type: list
        elements: str
        default: []
      window_seconds:
        description:
          - Length of a maintenance window. A domain controller whose worst case is longer can't be planned. Waves that
            do not fit into the first window when each takes its worst case are put into a second one, and so on.
          - Without it there is no limit.
        type: int
      assume_available:
        description:
          - Whether domain controllers that nobody looked at count as answering, so that others may be taken down beside
            them.
          - The default is V(false), and V(true) without O(directory), since then nobody can tell. Where the directory
            says who answers (O(entsso.password_sync.domain_controller_info#module:probe)), a run with C(--limit) needs
            nothing else.
        type: bool
  worst_case_seconds:
    description:
      - Seconds that a domain controller may take from its first change until it serves again. The host variable
        C(pcns_worst_case_seconds) goes before it.
      - The default V(10920) is the sum of the default deadlines for one package. These are 7200 for the installation,
        900 for another one that must end first, 1800 for the restart, 120 for the service and 900 for the health gates.
    type: int
    default: 10920
  window_ends:
    description:
      - When the maintenance window of this run ends, ISO 8601 in UTC. M(entsso.password_sync.rollout_wave) starts no
        domain controller whose worst case does not end before.
      - Without it, and with O(policy.window_seconds), the window begins with the run. Else there is no limit.
    type: str
  require_permission:
    description:
      - Whether a domain controller that must restart, and whose host variable C(pcns_restart_allowed) is not true,
        stops the whole rollout before it begins. In check mode it does not.
      - The default V(false) is for a plan that is only shown.
    type: bool
    default: false
  dest:
    description:
      - File on the control node that the plan is written to. Its folder is created when it is missing. In check mode
        nothing is written.
      - Without it the plan is only shown.
    type: path
  src:
    description:
      - File on the control node with the plan that was approved. Required together with O(approved_plan).
    type: path
  approved_plan:
    description:
      - SHA-256 of the plan that was approved, as this module showed it, or C(sha256sum) of the file.
      - Without it a new plan is computed.
    type: str
extends_documentation_fragment:
  - entsso.password_sync.attributes
attributes:
  check_mode:
    description: Can run in check mode and return what would change without changing anything.
    support: full
    details: The plan is computed and shown as otherwise; the file is not written.
  diff_mode:
    description: Returns what has changed, or in check mode would change, when in diff mode.
    support: full
    details: Shows the content of O(dest) before and after.
  platform:
    description: Platforms on which the plan can be computed; this is the control node.
    support: full
    platforms: posix
notes:
  - A wave may take its worst case only if its domain controllers are worked on at the same time, so run with at least
    as many forks as the largest wave has domain controllers. The module warns otherwise.
  - The number of waves is at most one more than RV(lower_bound).
  - The plan file holds no time and no secret. The same domain controllers with the same policy give the same SHA-256.
seealso:
  - module: entsso.password_sync.domain_controller_info
  - module: entsso.password_sync.pcns_info
"""

EXAMPLES = r"""
- name: Plan the rollout, for approval
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Compute, show and save the plan
      entsso.password_sync.rollout_plan:
        domain_controllers: "{{ groups['domain_controllers'] }}"
        directory: "{{ forest.domain_controllers }}"
        policy:
          max_unavailable_total: 4
          canaries:
            - dc07.corp.example
          window_seconds: 14400
        worst_case_seconds: 3600
        dest: plans/rollout.json

- name: Hold a run to the approved plan
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Refuse what is not in the approved plan
      entsso.password_sync.rollout_plan:
        domain_controllers: "{{ groups['domain_controllers'] }}"
        directory: "{{ forest.domain_controllers }}"
        src: plans/rollout.json
        approved_plan: 4a7c1f0f6b4c6e0f2b6d1b1c7d7a8c95e6e4f1d2a3b4c5d6e7f8091a2b3c4d5e
      register: rollout
"""

RETURN = r"""
waves:
  description: The waves, one after the other. With O(approved_plan) those on which there is still something to do.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: From 1.
      type: int
      sample: 1
    window:
      description: Maintenance window that the wave falls into when every wave takes its worst case; from 1.
      type: int
      sample: 1
    worst_case_seconds:
      description: How long the wave may take.
      type: int
      sample: 3600
    domain_controllers:
      description: Names in this wave.
      type: list
      elements: str
      sample:
        - dc01.corp.example
        - dc04.corp.example
plan:
  description: Text of the plan file in its canonical form; with O(approved_plan) the approved one.
  returned: success
  type: str
  sample: "{}"
domain_writers:
  description: The first domain controller of each domain, which writes the settings of the domain.
  returned: success
  type: list
  elements: str
  sample:
    - dc02.corp.example
window_ends:
  description: When the maintenance window ends, ISO 8601 in UTC; empty when there is none.
  returned: success
  type: str
  sample: "2026-11-22T04:00:00Z"
lock_host:
  description:
    - The first domain controller of O(inventory) that is not exempt. Every run with the same inventory names the same,
      whatever C(--limit) says, so M(entsso.password_sync.rollout_lock) may use it.
  returned: success
  type: str
  sample: dc01.corp.example
lock_minutes:
  description: How long M(entsso.password_sync.rollout_lock) must last to cover the longest wave.
  returned: success
  type: int
  sample: 197
sha256:
  description: SHA-256 of the plan in its canonical form, which is what O(dest) holds.
  returned: success
  type: str
  sample: 4a7c1f0f6b4c6e0f2b6d1b1c7d7a8c95e6e4f1d2a3b4c5d6e7f8091a2b3c4d5e
table:
  description: The plan as lines for people.
  returned: success
  type: list
  elements: str
  sample:
    - Wave  Window  Domain controller  Site   Roles  At most  Changes
    - 1     1       dc07.corp.example  Paris  GC     1 h      install PCNS 5.0.1; restart
lower_bound:
  description: Number of waves below which no plan with this policy can be.
  returned: when a plan is computed
  type: int
  sample: 12
dest:
  description: Path of the plan file.
  returned: when O(dest) is given
  type: str
  sample: /home/operator/plans/rollout.json
problems:
  description: What can't be planned, or is not in the approved plan.
  returned: failure
  type: list
  elements: dict
  contains:
    subject:
      description: The domain controller, or what else it is about.
      type: str
      sample: dc03.corp.example
    reason:
      description: What is the case.
      type: str
      sample: it does not answer
    remedy:
      description: The way out.
      type: str
      sample: Bring it to answer and plan again, or exempt it with a reason
msg:
  description: The plan in one line.
  returned: always
  type: str
  sample: 12 domain controllers in 9 waves, 12 restarts, at most 9 h; nothing is done on 3 more.
diff:
  description: Content of O(dest) before and after.
  returned: in diff mode, when O(dest) is given
  type: list
  elements: dict
  sample:
    - before_header: /home/operator/plans/rollout.json
      after_header: /home/operator/plans/rollout.json
      before: ""
      after: "{}"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.ROLLOUT_PLAN,
        supports_check_mode=True,
        required_together=[["src", "approved_plan"]],
        mutually_exclusive=[["dest", "approved_plan"]],
    )
    module.fail_json(msg=started_as_module("rollout_plan"))


if __name__ == "__main__":
    main()
