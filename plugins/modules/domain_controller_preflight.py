# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module domain_controller_preflight; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_controller_preflight
short_description: Says whether a rollout may begin on a domain controller, and why not
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Reads what a rollout needs to know of a domain controller before anything is changed on it, and says go or no-go
    with reasons. Nothing is changed, and no process, script or file comes onto the domain controller.
  - Each check has a verdict. V(go) is as it should be. V(warning) is worth knowing and stops nothing. V(no_go) stops
    the rollout on this host. V(unknown) could not be read, with the reason, and stops it too, except for the checks
    V(signature), V(backup) and V(directory_rights), which not every file and not every directory can tell.
  - A host that can't be reached, or that rejects the account, is a no-go and no failure, as is a machine that is no
    domain controller. The task fails only where its own options contradict each other.
  - Where nothing is to be done on a domain controller, what a change would need is a warning only. A wrong inventory,
    a wrong variable and a host that can't be reached are no-go there too.
  - The checks are V(reachable), V(domain_controller), V(directory) (the directory can be read), V(writable) (the
    directory knows it as a writable domain controller), V(rights), V(operating_system) (supported by the packages),
    V(media) (the file has its SHA-256), V(signature), V(free_space), V(lsa_protection), V(notification_packages)
    (recorded for a rollback), V(pending_restart), V(replication), V(site) (another writable domain controller of the
    site is up), V(backup) and V(directory_rights) (what writing to the directory would need). What each reads and what
    its no-go means is in C(docs/preflight.md).
options:
  packages:
    description:
      - The packages that are to be installed. Give the same list to the role C(pcns).
      - The default is an empty list. Media, signature and supported versions of Windows are then not judged.
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
            control node. With V(true) only whether it is there is looked at, since hashing it would start a program.
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
  directory_answer:
    description:
      - What M(entsso.password_sync.domain_controller_info) returned, registered once for all hosts, with
        O(entsso.password_sync.domain_controller_info#module:probe).
      - Without it, the directory counts as not configured, which is a warning, and the checks that need it are not
        made.
    type: dict
  minimum_free_bytes:
    description:
      - Bytes that must be free on the system drive. The default is 1 GiB, a margin of this collection's own; the
        packages need a few MB, their logs and the copy that Windows Installer keeps included.
    type: int
    default: 1073741824
  allow_unsupported_os:
    description:
      - Whether to install on a Windows that the packages do not support. PCNS of MIM 2016 SP3 supports Windows Server
        2019 and 2022, earlier versions of MIM 2016 support 2012 to 2022, and none supports 2025.
      - The default is no.
    type: bool
    default: false
  backup_max_age_days:
    description:
      - How old the last backup of the domain may be, in days, where the directory tells it. The default is V(30).
    type: int
    default: 30
  accept:
    description:
      - Names of checks whose no-go or unknown is accepted, each with the reason, which is shown. The check is then a
        warning. V(reachable) and V(domain_controller) can't be accepted.
      - The default is none.
    type: dict
    default: {}
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.diagnostic
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.ldap.variables
notes:
  - It sends the requests of M(entsso.password_sync.pcns_info), and about ten more to the registry and one to
    C(Win32_LogicalDisk). All are listed in C(docs/requests.md).
  - Whether the account may change the host is found out with C(StdRegProv.CheckAccess), which asks and does nothing.
  - The signature of an MSI is only looked at, on the control node. It is not verified there; Windows Installer and
    the pinned SHA-256 do that.
seealso:
  - module: entsso.password_sync.preflight_report
  - module: entsso.password_sync.connection_info
  - module: entsso.password_sync.pcns_info
"""

EXAMPLES = r"""
- name: Look at the domain controller before the rollout
  entsso.password_sync.domain_controller_preflight:
    packages: "{{ pcns_packages }}"
    accept:
      lsa_protection: Tested on dc09 in audit mode on 2026-11-02, no event 3065 or 3066
  register: pcns_preflight

- name: Stop here unless it is a go
  ansible.builtin.assert:
    that: pcns_preflight.go
    fail_msg: "{{ pcns_preflight.msg }}"
"""

RETURN = r"""
go:
  description: Whether the rollout may begin on this host.
  returned: always
  type: bool
  sample: false
checks:
  description: Every check that was made, in a fixed order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the check, which O(accept) takes.
      type: str
      sample: pending_restart
    verdict:
      description: V(go), V(warning), V(unknown) or V(no_go).
      type: str
      sample: no_go
    msg:
      description: Why, in sentences.
      type: str
      sample: >-
        Windows waits for a restart already: Windows Update has installed updates that wait for it (windows_update).
    remedy:
      description: What to do; empty where there is nothing to do.
      type: str
      sample: Restart it in a maintenance window of its own and see that it serves.
work:
  description:
    - Whether a run would change something on this host; null when it could not be found out.
  returned: always
  type: bool
  sample: true
notification_packages:
  description:
    - What LSA's C(Notification Packages) has now, in its order, for a rollback; null when it could not be read.
  returned: always
  type: list
  elements: str
  sample: [rassfm, scecli]
pending_restart:
  description:
    - Why Windows waits for a restart; empty when it does not, null when it could not be read. The sources have the
      names that C(ansible.windows.win_reboot_info) gives them.
  returned: always
  type: list
  elements: dict
  contains:
    source:
      description: >-
        V(component_based_servicing), V(windows_update), V(pending_file_rename), V(pending_computer_rename),
        V(domain_join) or V(server_manager).
      type: str
      sample: windows_update
    description:
      description: For what.
      type: str
      sample: Windows Update has installed updates that wait for it
statistics:
  description: What went over the wire to the host after authentication.
  returned: always
  type: dict
  contains:
    requests:
      description: HTTP requests, repeated ones included.
      type: int
      sample: 25
    bytes_sent:
      description: Bytes of request XML before encryption.
      type: int
      sample: 29000
msg:
  description: Go or no-go with what stops the rollout, in one line.
  returned: always
  type: str
  sample: "dc01.corp.example: go, 2 warnings."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.DOMAIN_CONTROLLER_PREFLIGHT,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("domain_controller_preflight"))


if __name__ == "__main__":
    main()
