# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module preflight_report; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_report
short_description: Shows go or no-go of every host, and stops a run that has a no-go
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Shows a table of all hosts of a run with go or no-go and the reasons, and fails when one of them is a no-go.
  - It asks no host. What it shows is what M(entsso.password_sync.domain_controller_preflight) returned on each of
    O(domain_controllers), registered as C(pcns_preflight), and M(entsso.password_sync.connection_info) on each of
    O(sso_servers), registered as C(sso_preflight), in the same run.
  - A host that was not looked at is a no-go, except a domain controller that is exempt (C(pcns_exempt)), which is
    shown with its reason.
options:
  domain_controllers:
    description:
      - Domain controllers of the run, as the inventory names them. The default is none.
    type: list
    elements: str
    default: []
  sso_servers:
    description:
      - SSO servers of the run, as the inventory names them. The default is none.
    type: list
    elements: str
    default: []
  gate:
    description:
      - Whether a no-go fails the task. The default is yes. With V(false) it is only shown.
    type: bool
    default: true
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.directory
seealso:
  - module: entsso.password_sync.domain_controller_preflight
  - module: entsso.password_sync.connection_info
"""

EXAMPLES = r"""
- name: Say go or no-go for all hosts
  entsso.password_sync.preflight_report:
    domain_controllers: "{{ groups['domain_controllers'] }}"
    sso_servers: "{{ groups['sso_servers'] }}"
  run_once: true
"""

RETURN = r"""
hosts:
  description: Every host with what was found.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: Name in the inventory.
      type: str
      sample: dc01.corp.example
    verdict:
      description: V(go), V(no_go) or V(exempt).
      type: str
      sample: no_go
    reasons:
      description: What stops the rollout on it, each with what to do; for an exempt host why it is exempt.
      type: list
      elements: str
      sample:
        - "free_space: C: has 0.2 GiB free, and at least 1.0 GiB is wanted. Make room on it."
    warnings:
      description: What is worth knowing, each beginning with the name of the check.
      type: list
      elements: str
      sample:
        - "backup: The directory tells of no backup of the domain."
table:
  description: What is shown, line by line.
  returned: success
  type: list
  elements: str
  sample:
    - "host               go/no-go  reason"
    - "dc01.corp.example  NO-GO     free_space: C: has 0.2 GiB free, and at least 1.0 GiB is wanted."
msg:
  description: How many hosts are a no-go, and which.
  returned: always
  type: str
  sample: "Go for all 7 hosts."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.PREFLIGHT_REPORT,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("preflight_report"))


if __name__ == "__main__":
    main()
