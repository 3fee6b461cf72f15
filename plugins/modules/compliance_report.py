# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module compliance_report; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compliance_report
short_description: Writes one report on what all hosts of a run observed
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Collects what M(entsso.password_sync.pcns_info), M(entsso.password_sync.sso_info),
    M(entsso.password_sync.pcns_configuration) and M(entsso.password_sync.pcns_target) returned on the hosts of a run,
    judges the whole, and writes a report as HTML, JSON and JUnit XML on the control node. It asks no host itself.
  - Compares the inventory with what M(entsso.password_sync.domain_controller_info) found in the directory.
  - A host in O(domain_controllers) or O(sso_servers) of which there is no observation is unknown and never left out,
    so a host that could not be reached fails the gate.
  - The observations are read from the host variables that the roles register. These are C(pcns_observation) (of
    C(pcns_info)), C(password_sync_adapters_observation) (of C(sso_info)),
    C(pcns_directory_configuration_observation), C(pcns_directory_targets_observation) and C(pcns_rollout_failure).
    Register under the same names if you write plays of your own.
options:
  domain_controllers:
    description:
      - Domain controllers that the report is about, as the inventory names them.
      - The default is none.
    type: list
    elements: str
    default: []
  inventory:
    description:
      - All domain controllers of the inventory, also those that this run was not about (C(--limit)). They are compared
        with O(directory_answer).
      - The default is O(domain_controllers).
    type: list
    elements: str
    default: []
  directory_answer:
    description:
      - What a task with M(entsso.password_sync.domain_controller_info) registered, whether it succeeded, failed or was
        skipped. A writable domain controller that the directory knows and the inventory does not is then the first
        finding of the report (C(PCNS-001)).
      - Without it, or when the task failed or was skipped, whether the inventory is complete is unknown. Nothing is
        said about it in a report without O(domain_controllers).
    type: dict
  read_only:
    description:
      - Those of O(inventory) that are read-only, as long as O(directory_answer) does not say it. They are exempt, since
        they forward password changes to a writable one. No statement of Microsoft on PCNS and read-only domain
        controllers is known; comparable products treat them the same way.
      - The default is none. A single domain controller is exempted with the host variable C(pcns_exempt), which holds
        the reason.
    type: list
    elements: str
    default: []
  sso_servers:
    description:
      - SSO servers that the report is about, as the inventory names them.
      - The default is none.
    type: list
    elements: str
    default: []
  directory:
    description:
      - Directory on the control node for C(report.html), C(report.json) and C(junit.xml). It is created when it is
        missing, and files of these names are replaced.
    type: path
    required: true
  title:
    description:
      - Title of the report. The default names the subject.
    type: str
    default: Password synchronization
  gate:
    description:
      - Whether the task fails when the report is not compliant. The report is written and shown first in any case.
      - The default V(true) makes a playbook that ends with this task usable as a check.
    type: bool
    default: true
  fail_on_rollout_failure:
    description:
      - Whether the task fails when a rollout has recorded that it stopped at one of O(domain_controllers).
      - The default V(false) only notes it in the report.
    type: bool
    default: false
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.report
  - entsso.password_sync.systems
notes:
  - The site of a domain controller is its host variable C(pcns_site).
  - The report holds names of hosts, accounts and groups and no secret.
seealso:
  - module: entsso.password_sync.domain_controller_info
  - module: entsso.password_sync.pcns_info
  - module: entsso.password_sync.sso_info
"""

EXAMPLES = r"""
- name: Report on the password synchronization of the forest
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ask the directory which domain controllers there are
      entsso.password_sync.domain_controller_info:
        domain: corp.example
      register: directory
      ignore_errors: true

    - name: Write the report and fail when something is not as it should be
      entsso.password_sync.compliance_report:
        domain_controllers: "{{ groups['domain_controllers'] }}"
        read_only: "{{ groups['rodc'] | default([]) }}"
        directory_answer: "{{ directory }}"
        sso_servers: "{{ groups['sso_servers'] }}"
        systems:
          - RACF
          - LDAP
        directory: reports/today
"""

RETURN = r"""
compliant:
  description: Whether every finding passes, and there are any.
  returned: success or failure
  type: bool
  sample: false
findings:
  description:
    - All findings of the report.
    - RV(entsso.password_sync.pcns_info#module:findings) tells what a finding holds.
  returned: success or failure
  type: list
  elements: dict
  sample:
    - control: PCNS-004
      title: Capture component and PCNS are installed
      severity: high
      status: drift
      subject: dc07.corp.example
      site: Lyon
      message: PCNS is absent.
      consequence: >-
        Password changes made on this DC never reach RACF and LDAP; those users must change again.
      evidence: registry
      observed_at: "2026-11-20T02:10:31Z"
      repair: ansible-playbook playbooks/domain_controllers.yml --limit dc07.corp.example
      restarts: 1
report:
  description: Path of the HTML report on the control node; the other files are beside it.
  returned: success or failure
  type: str
  sample: /home/operator/reports/today/report.html
msg:
  description: The line that a person wants to know first.
  returned: always
  type: str
  sample: >-
    NOT COMPLIANT: 5 of 6 writable DCs capture password changes; 1 drift, 0 unknown, 1 RODC exempt.
    Adapters 2/2 enabled. Report: /home/operator/reports/today/report.html
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.COMPLIANCE_REPORT,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("compliance_report"))


if __name__ == "__main__":
    main()
