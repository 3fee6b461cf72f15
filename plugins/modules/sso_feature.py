# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module sso_feature; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sso_feature
short_description: Verifies or installs Password Synchronization on an SSO server
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Verifies that the Password Synchronization feature of Enterprise Single Sign-On (ENTSSO) is on an SSO server, and
    where a setup is given, installs it. The core services of ENTSSO must be there already.
  - The feature counts as installed when C(SSOPSServer.dll) is in the installation directory and ENTSSO said since
    Windows started that password synchronization is available (events 10650 and 10651). The DLL alone proves nothing,
    since Microsoft's support tells people to copy it to silence an error. Where ENTSSO logged an error (10512, 10652)
    or nothing, the state is unknown and the task fails.
  - Microsoft documents no quiet switch, no feature name and no exit code of the setup in C(Platforms\SSO). This
    module therefore brings no arguments of its own. Without O(setup_path) it only verifies, and you install by hand.
options:
  setup_path:
    description:
      - The C(setup.exe) of C(Platforms\SSO), as an absolute path on the SSO server. The setup is a tree of files, so
        the tree must already be there; it is not pushed. A UNC path is a second hop, which an account that logged on
        over the network makes only with delegation; where it fails, the message says what to grant. A URL is refused.
      - Without it, a missing feature fails the task.
    type: str
  setup_sha256:
    description:
      - SHA-256 of the file at O(setup_path), in hexadecimal digits. It is compared on the host before the file is
        executed. It does not cover the other files of the tree.
      - Required together with O(setup_path).
    type: str
  setup_arguments:
    description:
      - Arguments of the setup, one list item each. Find them out on your media, for example with C(setup.exe /HELP).
        That the setup takes the documented switches of BizTalk's own setup (C(/quiet), C(/ADDLOCAL), C(/L)) is likely
        and not certain.
      - The default is an empty list, which starts the setup without any. A setup that waits for a person can't be
        seen over WinRM and only ends at O(deadline).
      - They stand on a command line, so never put a secret here.
    type: list
    elements: str
    default: []
  deadline:
    description:
      - Seconds to wait for the setup. The default is two hours.
      - After that the task fails and the setup goes on; it is never cut short. The next run looks first.
    type: int
    default: 7200
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.resource
  - entsso.password_sync.connection
  - entsso.password_sync.connection.sso_server
  - entsso.password_sync.installation_directory
notes:
  - To observe, nothing is started on the host. To install, C(certutil) hashes the setup and the setup is run through
    the WinRM command shell. Exit codes 0 and 3010 count as success, as in public scripts; whether the feature is
    there is then observed.
  - When the setup has put the feature there and ENTSSO has not said since then that it is available, the service
    ENTSSO is restarted, because it says so only when it starts.
  - Whether this setup works at all without an interactive session is not known from public sources. On Host
    Integration Server the feature comes with the product's own setup instead; install it by hand there, and let this
    module verify.
seealso:
  - module: entsso.password_sync.sso_server
  - module: entsso.password_sync.sso_adapter
  - name: How to Install Password Synchronization
    description: Microsoft on Platforms\SSO of the BizTalk Server media.
    link: https://learn.microsoft.com/en-us/biztalk/core/how-to-install-password-synchronization
  - name: Installing Password Synchronization
    description: Microsoft on Host Integration Server.
    link: https://learn.microsoft.com/en-us/host-integration-server/esso/installing-password-synchronization
"""

EXAMPLES = r"""
- name: Verify that Password Synchronization was installed
  entsso.password_sync.sso_feature:

- name: Install Password Synchronization with the arguments that were found out on the media
  entsso.password_sync.sso_feature:
    setup_path: D:\Platforms\SSO\setup.exe
    setup_sha256: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08
    setup_arguments: "{{ sso_password_sync_setup_arguments }}"
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
    - subject: sso01.corp.example
      resource: sso_feature
      name: Password Synchronization
      operation: install
      old: {}
      new:
        installed: true
      implies: []
observed:
  description:
    - What is there after the task; in check mode what would be there.
    - For each object its C(scope) (a host or a domain), C(resource) and C(name), and what was C(observed), whose
      C(state) is V(present) with the attributes of the object, V(absent), or V(unknown) with the C(reason).
  returned: success
  type: list
  elements: dict
  sample:
    - scope: sso01.corp.example
      resource: sso_feature
      name: password synchronization
      observed:
        state: present
        installed: true
        evidence: event 10651 of 2026-11-20T01:55:02Z
msg:
  description: One sentence on what was done, or why nothing was.
  returned: always
  type: str
  sample: "sso01.corp.example changed: install sso_feature Password Synchronization (installed=true)."
diff:
  description: Each change as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: "sso01.corp.example: sso_feature Password Synchronization"
      after_header: "sso01.corp.example: sso_feature Password Synchronization (install)"
      before: ""
      after: |
        installed: true
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
        - scope: sso01.corp.example
          resource: sso_feature
          name: password synchronization
          values:
            installed: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.SSO_FEATURE,
        supports_check_mode=True,
        required_together=[["setup_path", "setup_sha256"]],
    )
    module.fail_json(msg=started_as_module("sso_feature"))


if __name__ == "__main__":
    main()
