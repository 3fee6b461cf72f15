# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module msi_package; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: msi_package
short_description: Installs, upgrades or removes an MSI package on a Windows host
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Brings one Windows Installer package to the wanted state on a Windows host, made for the packages that domain
    controllers need to capture password changes.
  - The control node reads product code, upgrade code and version out of the MSI file itself, so nothing about media
    that only you have is built in. Whether the package is installed is read from the uninstall keys of the registry,
    never from C(Win32_Product), which makes Windows Installer check and repair every product.
  - C(msiexec) is always run with C(/qn /norestart) and a verbose log on the host. The host is never restarted by this
    module; M(entsso.password_sync.domain_controller_restart) does that, from what is observed and never from an exit
    code.
  - Microsoft's public documents name a Windows Password Capture component and PCNS for the domain controllers,
    describe one MSI for PCNS, and do not say what the capture component is as a package. So give every MSI that your
    media hold a task of its own, and say in O(leaves) what it brings.
options:
  name:
    description:
      - Name of the package for people and for plans, for example V(PCNS). It need not be the product name in the MSI.
    type: str
    required: true
  path:
    description:
      - The MSI file. A relative path is looked for as Ansible looks for files, for example in the C(files) folder of
        the playbook. With O(remote_src=true) it is an absolute path on the host, or a UNC path.
      - An C(https) URL is fetched by the host itself with C(curl.exe), which Windows has from Server 2019 on; older
        hosts are refused. No proxy is used, no other scheme is taken, not after a redirection either, and a URL with a
        user name or password is refused. The host must trust the server's certificate. O(product_code) and O(version)
        must be given, as with O(remote_src=true), which is not looked at.
      - Required with O(state=present). Without it, O(product_code) says which package to remove.
    type: str
  sha256:
    description:
      - SHA-256 of the file, in hexadecimal digits. It is compared on the control node, and again on the host before
        anything is executed.
      - Required together with O(path); a file that is not pinned is not installed.
    type: str
  remote_src:
    description:
      - Whether the file is already on the host.
      - The default is V(false). The control node then reads the file, and pushes it only when the plan installs it and
        the host does not hold it already. O(transfer) says how; the copy is removed afterwards.
      - With V(true) the control node can't read the file, so O(product_code) and O(version) must be given. Another
        installed version of the same product is then not recognized before C(msiexec) sees it.
      - A UNC path is a second hop. WinRM logs the account on over the network, and such a logon can't be shown to the
        file server, whatever the account may do there. It takes Kerberos with delegation (the variable
        C(ansible_winrm_kerberos_delegation)), or a file server whose computer account accepts delegation from this host
        (resource-based constrained delegation); neither works for members of Protected Users and for accounts that are
        marked as sensitive.
      - With O(run_as=connection) the file is executed where it is, so nobody but administrators may be able to write
        there. With O(run_as=system_task) the account of the connection copies it, and SYSTEM executes the copy.
    type: bool
    default: false
  product_code:
    description:
      - Product code of the MSI, in braces.
      - Without it, the product code in the file at O(path).
    type: str
  version:
    description:
      - Product version of the MSI, for example V(4.6.673.0).
      - Without it, the version in the file at O(path). It is not needed for O(state=absent).
    type: str
  properties:
    description:
      - Public properties of the MSI for installation and upgrade, such as C(ACCEPT_EULA).
      - The default is to set none. Microsoft documents no property for a silent installation of PCNS; public scripts
        set C(ACCEPT_EULA) to V(1), and whether it is needed is not certain.
      - The values stand on a command line and in the log, so never put a secret here. C(REBOOT) and C(REBOOTPROMPT)
        are refused, since they contradict C(/norestart).
    type: dict
    default: {}
  leaves:
    description:
      - What the package leaves behind on the host. It is declared, since custom actions of an MSI can't be read.
      - Later tasks of a check mode run stand on it, and the result is compared with it after the installation.
      - Without it, the package is taken to leave behind nothing that this collection looks at.
    type: dict
    suboptions:
      notification_packages:
        description:
          - Entries that it adds to LSA's C(Notification Packages), without extension. They make a restart necessary,
            since LSA loads them only when Windows starts.
          - The default is none.
        type: list
        elements: str
        default: []
      services:
        description:
          - Services that it installs and that start automatically.
          - The default is none.
        type: list
        elements: str
        default: []
      tools:
        description:
          - Command line tools that it brings, each name without extension (as V(pcnscfg)) with the full path on the
            host.
          - The default is none.
        type: dict
        default: {}
  state:
    description:
      - The default V(present) installs the package, or upgrades an older version. A newer version fails the task,
        since this collection does not downgrade.
      - V(absent) removes it. What the uninstallation of PCNS leaves behind (entry, queue file, directory objects) is
        not known from public sources; what is found afterwards is compared with O(leaves).
    type: str
    choices: [present, absent]
    default: present
  run_as:
    description:
      - As whom C(msiexec) is run. The default V(connection) is the account of the connection, with the network logon
        that WinRM gives it.
      - V(system_task) is SYSTEM, in a scheduled task that is removed afterwards. It is for packages whose own actions
        fail under a network logon, because they need a user profile, DPAPI, or a service that does not talk to network
        logons.
      - V(system_task) is wrong for a package that writes to Active Directory, as PCNS may do below C(CN=System). SYSTEM
        has the rights of the computer account there, not those of an administrator, so such a package can end with
        error 25011, access is denied. Run it as the account of the connection, which then has to be a member of Domain
        Admins.
      - With V(system_task) the package is copied alone into a folder that only administrators and SYSTEM may write to,
        hashed there, and executed from there, so a package with cabinet files beside it does not find them. The command
        line takes ASCII without C(%) only.
      - A task that runs as SYSTEM is a known way of attackers (ATT&CK T1053.005). Tell those who watch the host.
    type: str
    choices: [connection, system_task]
    default: connection
  deadline:
    description:
      - Seconds to wait for C(msiexec). The default is two hours.
      - After that the task fails and the installer goes on; it is never cut short. The next run looks first and goes
        on from there.
    type: int
    default: 7200
  busy_wait:
    description:
      - Seconds for which to try again while another installation is in progress on the host (exit code 1618). The
        default is a quarter of an hour.
    type: int
    default: 900
  busy_interval:
    description:
      - Seconds between these attempts. The default is a quarter of a minute.
    type: float
    default: 15.0
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.transfer
notes:
  - To observe, nothing is started on the host. To change, C(msiexec), C(mkdir), C(icacls), C(del), C(move), C(rmdir),
    C(findstr), C(certutil) and C(curl) are run through the WinRM command shell, and with O(run_as=system_task) also
    C(schtasks), C(copy) and C(dir).
  - The log of the installation is kept in C(C:\Program Files\entsso.password_sync\logs), which only administrators and
    SYSTEM may read and write. When the installation fails, its telling lines are in the message.
  - A run with O(run_as=system_task) that is killed leaves the task and its folder
    C(C:\Program Files\entsso.password_sync\system-task-<number>). The next such run removes them, and refuses to go on
    while the command still runs.
  - Features and repair are not there yet.
seealso:
  - module: entsso.password_sync.notification_package
  - module: entsso.password_sync.domain_controller_restart
  - module: entsso.password_sync.pcns_service
  - name: Deploying PCNS on a domain controller
    description: Microsoft on the PCNS package of Microsoft Identity Manager.
    link: https://learn.microsoft.com/en-us/microsoft-identity-manager/deploying-mim-password-change-notification-service-on-domain-controller
  - name: How to Install Password Synchronization
    description: Microsoft on what domain controllers need for ENTSSO.
    link: https://learn.microsoft.com/en-us/biztalk/core/how-to-install-password-synchronization
"""

EXAMPLES = r"""
- name: Install a package over SMB, and fail where that is not possible
  entsso.password_sync.msi_package:
    name: PCNS
    path: Password Change Notification Service.msi
    sha256: 4A7C1F0F6B4C6E0F2B6D1B1C7D7A8C95E6E4F1D2A3B4C5D6E7F8091A2B3C4D5E
    transfer: smb
    leaves:
      services:
        - PCNSSVC

- name: Install a package that the host fetches itself
  entsso.password_sync.msi_package:
    name: PCNS
    path: https://media.corp.example/pcns.msi
    sha256: 4A7C1F0F6B4C6E0F2B6D1B1C7D7A8C95E6E4F1D2A3B4C5D6E7F8091A2B3C4D5E
    product_code: "{65801058-F13B-4066-BAA0-63FF944043AB}"
    version: 4.6.673.0
    leaves:
      services:
        - PCNSSVC

- name: Install the capture component and PCNS from one MSI
  entsso.password_sync.msi_package:
    name: PCNS
    path: Password Change Notification Service.msi
    sha256: 4A7C1F0F6B4C6E0F2B6D1B1C7D7A8C95E6E4F1D2A3B4C5D6E7F8091A2B3C4D5E
    properties:
      ACCEPT_EULA: "1"
    leaves:
      notification_packages:
        - PCNSFLT
      services:
        - PCNSSVC
      tools:
        pcnscfg: C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe

- name: Install a package that is already on the domain controller
  entsso.password_sync.msi_package:
    name: capture component
    path: D:\media\capture-component.msi
    sha256: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08
    remote_src: true
    product_code: "{11111111-2222-3333-4444-555555555555}"
    version: 1.0.0.0
    leaves:
      notification_packages:
        - PCNSFLT

- name: Remove a package by its product code
  entsso.password_sync.msi_package:
    name: PCNS
    state: absent
    product_code: "{11111111-2222-3333-4444-555555555555}"
    leaves:
      notification_packages:
        - PCNSFLT
      services:
        - PCNSSVC
"""

RETURN = r"""
changes:
  description:
    - The changes that were made, or in check mode would be made, in this order; empty when everything is as wanted.
    - Each says to which C(subject) and C(resource) it is done, the C(name) of the object, the C(operation), the
      attributes before (C(old)) and written (C(new)), and what it makes necessary (C(implies), V(service restart) or
      V(host restart)).
  returned: success
  type: list
  elements: dict
  sample:
    - subject: dc01.corp.example
      resource: msi_package
      name: PCNS
      operation: install
      old: {}
      new:
        product_code: "{11111111-2222-3333-4444-555555555555}"
        version: 1.0.0.0
      implies:
        - host restart
observed:
  description:
    - What is there after the task; in check mode what would be there.
    - For each object its C(scope) (a host or a domain), C(resource) and C(name), and what was C(observed), whose
      C(state) is V(present) with the attributes of the object, V(absent), or V(unknown) with the C(reason).
  returned: success
  type: list
  elements: dict
  sample:
    - scope: dc01.corp.example
      resource: msi_package
      name: pcns
      observed:
        state: present
        product_code: "{11111111-2222-3333-4444-555555555555}"
        version: 1.0.0.0
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "dc01.corp.example is as wanted."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "dc01.corp.example: msi_package PCNS"
      after_header: "dc01.corp.example: msi_package PCNS (install)"
      before: ""
      after: |
        product_code: "{11111111-2222-3333-4444-555555555555}"
        version: "1.0.0.0"
        # implies: host restart
ansible_facts:
  description: Host facts for later tasks of the same run.
  returned: in check mode
  type: dict
  contains:
    entsso_password_sync_planned:
      description:
        - What the changes of this run in check mode would leave behind on this host so far, those of this task
          included.
        - Later tasks and M(entsso.password_sync.pcns_info) plan on it; it is of no use to anything else.
      type: list
      elements: dict
      sample:
        - scope: dc01.corp.example
          resource: notification_package
          name: pcnsflt
          values:
            registered: true
            installed: true
            loaded: "no"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.MSI_PACKAGE,
        supports_check_mode=True,
        required_together=_arguments.PACKAGE_REQUIRED_TOGETHER,
        required_if=[["state", "present", ["path", "sha256"]]],
    )
    module.fail_json(msg=started_as_module("msi_package"))


if __name__ == "__main__":
    main()
