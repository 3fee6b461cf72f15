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
  - A host in O(domain_controllers) or O(sso_servers) of which there is no observation is unknown and never left out,
    so a host that could not be reached fails the gate.
  - The observations are read from the host variables that the role C(password_sync_compliance) registers. These are
    C(password_sync_observation) (of C(pcns_info) and C(sso_info)), C(password_sync_configuration),
    C(password_sync_targets) and C(password_sync_rollout_failure). Register under the same names if you write plays of
    your own.
options:
  domain_controllers:
    description:
      - Domain controllers that the report is about, as the inventory names them.
      - The default is none.
    type: list
    elements: str
    default: []
  read_only:
    description:
      - Those of O(domain_controllers) that are read-only. They are exempt, since they forward password changes to a
        writable one. No statement of Microsoft on PCNS and read-only domain controllers is known; comparable products
        treat them the same way.
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
  - module: entsso.password_sync.pcns_info
  - module: entsso.password_sync.sso_info
"""

EXAMPLES = r"""
- name: Report on the password synchronization of the forest
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Write the report and fail when something is not as it should be
      entsso.password_sync.compliance_report:
        domain_controllers: "{{ groups['domain_controllers'] }}"
        read_only: "{{ groups['rodc'] | default([]) }}"
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
