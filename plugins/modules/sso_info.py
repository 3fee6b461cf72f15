# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module sso_info; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sso_info
short_description: Observes everything about password synchronization on one SSO server
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Observes in one task whether an SSO server passes password changes on, plans what a run would change, and judges
    it. Nothing is changed.
  - What could not be read is unknown, with the reason, and unknown is never compliant. That holds for a switch too
    that this collection has set and that nothing has proved yet; see M(entsso.password_sync.sso_server).
options:
  applications:
    description:
      - The affiliate applications that the SSO system should have. Give the same list to the role
        C(password_sync_adapters).
      - The default is an empty list; no application is then looked at.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - As O(entsso.password_sync.sso_application#module:name). Only the name is compared.
        type: str
        required: true
      description:
        description:
          - As O(entsso.password_sync.sso_application#module:description). Without it, empty.
        type: str
      contact:
        description:
          - As O(entsso.password_sync.sso_application#module:contact). Without it, empty.
        type: str
      user_account:
        description:
          - As O(entsso.password_sync.sso_application#module:user_account). Without it, a run could not create the
            application.
        type: str
      admin_account:
        description:
          - As O(entsso.password_sync.sso_application#module:admin_account). Without it, a run could not create the
            application.
        type: str
      fields:
        description:
          - As O(entsso.password_sync.sso_application#module:fields). Without them, a run could not create the
            application.
        type: list
        elements: dict
        suboptions:
          label:
            description:
              - As O(entsso.password_sync.sso_application#module:fields[].label).
            type: str
            required: true
          masked:
            description:
              - As O(entsso.password_sync.sso_application#module:fields[].masked).
            type: bool
            required: true
      flags:
        description:
          - As O(entsso.password_sync.sso_application#module:flags). What is not given is left to ENTSSO.
        type: dict
        suboptions:
          groupApp:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.groupApp). Without it, ENTSSO decides.
            type: bool
          configStoreApp:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.configStoreApp). Without it, ENTSSO decides.
            type: bool
          allowTickets:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.allowTickets). Without it, ENTSSO decides.
            type: bool
          validateTickets:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.validateTickets). Without it, ENTSSO decides.
            type: bool
          allowLocalAccounts:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.allowLocalAccounts). Without it, ENTSSO decides.
            type: bool
          timeoutTickets:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.timeoutTickets). Without it, ENTSSO decides.
            type: bool
          adminAccountSame:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.adminAccountSame). Without it, ENTSSO decides.
            type: bool
          enableApp:
            description:
              - As O(entsso.password_sync.sso_application#module:flags.enableApp). Without it, ENTSSO decides.
            type: bool
  adapters:
    description:
      - The adapters that the SSO system should have. Give the same list to the role C(password_sync_adapters).
      - The default is an empty list; no adapter is then looked at.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - As O(entsso.password_sync.sso_adapter#module:name).
        type: str
        required: true
      definition:
        description:
          - As O(entsso.password_sync.sso_adapter#module:definition). Only its SHA-256 is compared with the one that
            was last given to C(ssops) by this collection; it is not sent.
          - Without it, any definition is as wanted.
        type: str
      enabled:
        description:
          - As O(entsso.password_sync.sso_adapter#module:enabled). Without it, the control SSO-007 says nothing.
        type: bool
      applications:
        description:
          - As O(entsso.password_sync.sso_adapter#module:applications). The default is none, and the control SSO-008
            then says nothing.
        type: list
        elements: str
        default: []
  allow_pcns:
    description:
      - As O(entsso.password_sync.sso_server#module:allow_pcns). Without it, the control SSO-003 says nothing.
    type: bool
  password_sync_age:
    description:
      - As O(entsso.password_sync.sso_server#module:password_sync_age), in hours. Without it, the control SSO-004 says
        nothing.
    type: int
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.info
  - entsso.password_sync.connection
  - entsso.password_sync.connection.sso_server
  - entsso.password_sync.installation_directory
notes:
  - Service, files, events and our own markers are read through WMI and WS-Eventing. What ENTSSO holds in its database
    only its own tools tell. These are run through the WinRM command shell and change nothing. C(ssomanage -listapps
    all) is run with O(applications), C(ssomanage -displayapp) for each that the list does not name, C(ssops -list)
    with O(adapters), C(ssops -display) for each adapter with applications or not in the list, and
    C(ssoconfig -syncage) with O(password_sync_age).
seealso:
  - module: entsso.password_sync.pcns_info
  - module: entsso.password_sync.compliance_report
  - module: entsso.password_sync.sso_adapter
"""

EXAMPLES = r"""
- name: Observe the SSO server
  entsso.password_sync.sso_info:
    allow_pcns: true
    password_sync_age: 72
    applications:
      - name: RACF
    adapters:
      - name: RACF Adapter
        enabled: true
        applications:
          - RACF
  register: password_sync_observation
"""

RETURN = r"""
adapters:
  description: The adapters of O(adapters) as they are.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the adapter.
      type: str
      sample: RACF Adapter
    enabled:
      description: Whether it is there and enabled; C(null) when that could not be read.
      type: bool
      sample: true
    applications:
      description: Those of the wanted applications that it serves.
      type: list
      elements: str
      sample:
        - RACF
planned:
  description:
    - The changes that a run would make on this SSO server, in this order; empty when everything is as wanted. What
      can't be planned is left out and is among the findings.
    - Each has the form of RV(entsso.password_sync.msi_package#module:changes).
  returned: success
  type: list
  elements: dict
  sample:
    - subject: sso01.corp.example
      resource: sso_adapter
      name: RACF Adapter
      operation: update
      old:
        enabled: false
      new:
        enabled: true
      implies: []
service_account:
  description: What the service ENTSSO runs as, as Windows names it; empty where there is no such service.
  returned: success
  type: str
  sample: CORP\svc-entsso
system:
  description: The machine that answered.
  returned: success
  type: dict
  contains:
    name:
      description: Fully qualified DNS name in lower case.
      type: str
      sample: sso01.corp.example
    domain:
      description: DNS name of its domain in lower case.
      type: str
      sample: corp.example
findings:
  description:
    - The controls SSO-001 to SSO-008, judged on this SSO server, as far as options above ask for them.
    - RV(entsso.password_sync.pcns_info#module:findings) tells what a finding holds.
  returned: success
  type: list
  elements: dict
  sample:
    - control: SSO-007
      title: Adapter is enabled
      severity: high
      status: drift
      subject: sso01.corp.example
      site: ""
      message: Adapter RACF Adapter is disabled.
      consequence: >-
        While the adapter is disabled password changes do not reach RACF; users keep their old password there.
      evidence: ssops -list
      observed_at: "2026-11-20T02:10:31Z"
      repair: ansible-playbook playbooks/adapters.yml --limit sso01.corp.example
      restarts: 0
observed:
  description: What is there, in the form of RV(entsso.password_sync.msi_package#module:observed).
  returned: success
  type: list
  elements: dict
  sample:
    - scope: sso01.corp.example
      resource: sso_application
      name: racf
      observed:
        state: present
        exists: true
statistics:
  description: What went over the wire after authentication.
  returned: success
  type: dict
  contains:
    requests:
      description: HTTP requests, repeated ones included.
      type: int
      sample: 31
    bytes_sent:
      description: Bytes of request XML before encryption.
      type: int
      sample: 42800
msg:
  description: How many of the wanted adapters are enabled.
  returned: always
  type: str
  sample: "sso01.corp.example: 1 of 2 adapters enabled"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.SSO_INFO,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("sso_info"))


if __name__ == "__main__":
    main()
