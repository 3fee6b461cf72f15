# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module pcns_info; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pcns_info
short_description: Observes everything about password capture on one domain controller
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Observes in one task what a domain controller does with the password changes that are made on it, plans what a run
    would change, and judges it. Nothing is changed, and no process, script or file comes onto the domain controller.
  - The capture state is one word. V(absent) - not installed, or not registered and not loaded. V(restart_pending) -
    installed, and LSA has not loaded it. V(unregistered) - loaded, but its entry is gone, so it is lost at the next
    restart. V(blocked) - LSA refused it. V(loaded) - the filter is in and the service is down. V(working) - the
    filter is in and the service runs. V(unknown) - it could not be read.
  - Installed, running and loaded are different things. That LSA has loaded the capture component is V(proved) or
    V(inferred), with its evidence.
  - What could not be read is unknown, with the reason, and unknown is never compliant.
options:
  packages:
    description:
      - The packages that the domain controller should have. Give the same list to the role C(pcns), so that check and
        rollout agree.
      - The default is an empty list. The packages are then not looked at, and the control PCNS-004 says nothing.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - As O(entsso.password_sync.msi_package#module:name).
        type: str
        required: true
      path:
        description:
          - As O(entsso.password_sync.msi_package#module:path). The file is read on the control node and sent nowhere.
          - Without it, O(packages[].product_code) and O(packages[].version) must be given.
        type: str
      sha256:
        description:
          - As O(entsso.password_sync.msi_package#module:sha256).
          - Required together with O(packages[].path).
        type: str
      remote_src:
        description:
          - As O(entsso.password_sync.msi_package#module:remote_src). The default V(false) reads the file on the
            control node. With V(true) the file is not looked at.
        type: bool
        default: false
      product_code:
        description:
          - As O(entsso.password_sync.msi_package#module:product_code). Without it, the product code in the file.
        type: str
      version:
        description:
          - As O(entsso.password_sync.msi_package#module:version). Without it, the version in the file.
        type: str
      properties:
        description:
          - As O(entsso.password_sync.msi_package#module:properties), accepted so that the same list serves both. The
            default is none.
        type: dict
        default: {}
      leaves:
        description:
          - As O(entsso.password_sync.msi_package#module:leaves). Without it, the package is taken to leave behind
            nothing.
        type: dict
        suboptions:
          notification_packages:
            description:
              - As O(entsso.password_sync.msi_package#module:leaves.notification_packages). The default is none.
            type: list
            elements: str
            default: []
          services:
            description:
              - As O(entsso.password_sync.msi_package#module:leaves.services). The default is none.
            type: list
            elements: str
            default: []
          tools:
            description:
              - As O(entsso.password_sync.msi_package#module:leaves.tools). The default is none.
            type: dict
            default: {}
  event_log_level:
    description:
      - The wanted event log level, as O(entsso.password_sync.pcns_service#module:event_log_level).
      - Without it, any level is as wanted.
    type: int
    choices: [0, 1, 2, 3]
  site:
    description:
      - Active Directory site of the domain controller, for the findings.
      - Without it, the findings name no site; it is not looked up.
    type: str
  state:
    description:
      - What RV(planned) is to lead to. The default V(present) plans an installation, and judges.
      - V(absent) plans the removal of everything, in its order, and judges nothing.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.info
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.systems
notes:
  - These requests are sent after authentication. Get C(Win32_OperatingSystem) for boot time, clock and system
    directory, and C(Win32_ComputerSystem) for the name, the domain and whether it is a domain controller (two
    requests).
  - One subscription to the event log for the events since the last start of Windows that tell whether LSA loaded the
    capture component (4614 of Security, 16953 of System, 2201 of C(PCNSSVC)). This is a Subscribe, a Pull for each
    page and one that finds no more, and an Unsubscribe. Where a channel can't be read, each of the three is asked for
    on its own.
  - For each package C(DisplayVersion) of its uninstall key through C(StdRegProv). This is one request when it is
    installed and two when it is not, and then the products of its upgrade code, when the MSI was read.
  - The registry value C(Notification Packages); the DLL with its age and version through C(CIM_DataFile); and when
    the entry is there, our own remark on when it was put back.
  - The service C(PCNSSVC) through C(Win32_Service), its key in the registry when WMI does not show it, and
    C(EventLogLevel).
  - With O(state=absent) also our own remarks in the registry, and the folders of this collection through
    C(Win32_Directory).
  - How many requests and bytes it was is in RV(statistics).
seealso:
  - module: entsso.password_sync.sso_info
  - module: entsso.password_sync.compliance_report
  - module: entsso.password_sync.notification_package
"""

EXAMPLES = r"""
- name: Observe the domain controller
  entsso.password_sync.pcns_info:
    packages: "{{ pcns_packages }}"
    site: "{{ pcns_site | default(omit) }}"
    systems:
      - RACF
      - LDAP
  register: password_sync_observation

- name: See what a removal would do
  entsso.password_sync.pcns_info:
    packages: "{{ pcns_packages }}"
    state: absent

- name: Observe a domain controller without the media at hand
  entsso.password_sync.pcns_info:
    packages:
      - name: PCNS
        product_code: "{11111111-2222-3333-4444-555555555555}"
        version: 1.0.0.0
"""

RETURN = r"""
capture_state:
  description: What the domain controller does with password changes, one word as described above.
  returned: success
  type: str
  sample: working
planned_capture_state:
  description:
    - In check mode the capture state after the changes that earlier tasks of this run would have made; otherwise the
      same as RV(capture_state).
  returned: success
  type: str
  sample: working
grade:
  description: How sure the capture state is, V(proved) or V(inferred); empty when it is not known.
  returned: success
  type: str
  sample: proved
evidence:
  description: What the grade rests on, or why the state is not known.
  returned: success
  type: str
  sample: event 4614 of 2026-11-20T02:10:31Z
planned:
  description:
    - The changes that a run would make on this domain controller, in this order; empty when everything is as wanted.
    - Each has the form of RV(entsso.password_sync.msi_package#module:changes).
  returned: success
  type: list
  elements: dict
  sample:
    - subject: dc01.corp.example
      resource: pcns_service
      name: PCNSSVC
      operation: update
      old:
        state: stopped
      new:
        state: running
      implies: []
possible:
  description:
    - Changes that may be needed besides RV(planned), since Windows decides it meanwhile. After an installation that is
      the state of the service.
    - Whoever approves a plan approves these too.
  returned: success
  type: list
  elements: dict
  sample: []
problems:
  description: For each resource that a run could not plan, the sentence why.
  returned: success
  type: dict
  sample:
    msi_package: PCNS 2.0.0.0 is installed on dc01.corp.example, which is newer than 1.0.0.0.
findings:
  description:
    - The controls PCNS-002 to PCNS-005, judged on this domain controller.
    - C(control), C(title) and C(severity) say which it is. C(status) is V(compliant), V(drift) (a run would repair
      it), V(manual) (only a person can), V(unknown), V(waived), V(exempt) or V(not_applicable). C(subject) and
      C(site) say where, C(message) what is the case, C(consequence) what users lose, C(evidence) and C(observed_at)
      what it rests on, C(repair) the command that repairs it, and C(restarts) how many restarts that needs.
  returned: success
  type: list
  elements: dict
  sample:
    - control: PCNS-005
      title: PCNS service exists, starts automatically and runs
      severity: high
      status: drift
      subject: dc01.corp.example
      site: Paris
      message: "The PCNS service is not as wanted: state is stopped instead of running."
      consequence: >-
        While the service does not run, password changes made on this DC do not reach RACF and LDAP and may be lost.
      evidence: service control manager
      observed_at: "2026-11-20T02:10:31Z"
      repair: ansible-playbook playbooks/domain_controllers.yml --limit dc01.corp.example
      restarts: 0
observed:
  description: What is there, in the form of RV(entsso.password_sync.msi_package#module:observed).
  returned: success
  type: list
  elements: dict
  sample:
    - scope: dc01.corp.example
      resource: pcns_service
      name: pcnssvc
      observed:
        state: running
        start_mode: auto
        event_log_level: null
        account: LocalSystem
restart_needed:
  description: Whether one of the changes in RV(planned) makes a restart necessary.
  returned: success
  type: bool
  sample: false
restart_refused:
  description: The sentences with which a rollout stops where a restart is needed and not allowed.
  returned: success
  type: str
  sample: >-
    dc01.corp.example must restart so that LSA loads PCNSFLT, and pcns_restart_allowed is false. Nothing was done on it.
    Set pcns_restart_allowed to true for the domain controllers that may restart (they restart one at a time), then run
    again.
unreadable_channels:
  description: Event log channels that could not be read, each with the reason.
  returned: success
  type: dict
  sample: {}
system:
  description: The machine that answered.
  returned: success
  type: dict
  contains:
    name:
      description: Fully qualified name in lower case.
      type: str
      sample: dc01.corp.example
    domain:
      description: DNS name of its domain.
      type: str
      sample: corp.example
    version:
      description: Version of Windows.
      type: str
      sample: 10.0.20348
    caption:
      description: Product name of Windows.
      type: str
      sample: Microsoft Windows Server 2022 Standard
    boot_time:
      description: When Windows started, UTC.
      type: str
      sample: "2026-11-19T22:01:44Z"
    local_time:
      description: What its clock said when it was read, UTC.
      type: str
      sample: "2026-11-20T02:00:00Z"
versions:
  description: Version of each package of O(packages) that is installed.
  returned: success
  type: dict
  sample:
    PCNS: 1.0.0.0
statistics:
  description: What went over the wire after authentication.
  returned: success
  type: dict
  contains:
    requests:
      description: HTTP requests, repeated ones included.
      type: int
      sample: 13
    bytes_sent:
      description: Bytes of request XML before encryption.
      type: int
      sample: 17400
msg:
  description: The capture state and its evidence in one line.
  returned: always
  type: str
  sample: "dc01.corp.example: working (proved: event 4614 of 2026-11-20T02:10:31Z)"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.PCNS_INFO,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("pcns_info"))


if __name__ == "__main__":
    main()
