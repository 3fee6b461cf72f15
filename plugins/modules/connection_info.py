# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module connection_info; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: connection_info
short_description: Finds out how a Windows host is reached, or why not, and what the account may do there
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Looks at everything that the connection of a host rests on, and returns it as data and as RV(report), a text to
    paste into a ticket. It answers why a host can't be reached, which authentication was used, whether messages are
    encrypted, and which rights the account has.
  - A host that can't be reached, an account that is rejected or a connection that can't be used is a result and no
    failure. RV(reachable) is then V(false) and RV(problem) says why; what the control node itself knows is there all
    the same. Put an assertion on RV(reachable) behind it where that should stop a play.
  - The rights are tried one by one, each with the smallest read that needs it. V(ok) means that it worked, V(denied)
    that the host refused it, with what to grant, and V(unknown) that it was not or could not be tried, with the reason.
  - Changes nothing and starts no process on the host. O(probe_shell) and O(probe_share) ask for what leaves more
    traces.
options:
  probe_shell:
    description:
      - Whether to find out if the account may open a WinRM command shell, by opening one and deleting it. No command
        runs in it.
      - With the default V(false) no shell is opened, and the right is V(unknown).
    type: bool
    default: false
  probe_share:
    description:
      - Whether to find out if the account may use the administrative share C(C$), by connecting to it over SMB. This
        logs the account on once more. Where the host rejects it there, nothing more is tried with it in this run.
      - With the default V(false) only the port is looked at, and the right is V(unknown).
    type: bool
    default: false
  smb_port:
    description:
      - TCP port of the host's SMB server.
      - The default is the one that Windows has.
    type: int
    default: 445
  redact:
    description:
      - Whether RV(report) and RV(msg) show names of users, hosts and domains, addresses and paths of the control node
        by their first two characters only. The data keep them whole.
      - The default V(false) shows them. A password is never shown.
    type: bool
    default: false
  deadline:
    description:
      - Seconds to wait for name resolution, and again for the ports to answer. What takes longer is reported as silent.
      - The default is five seconds. Requests to the host itself have the time-outs of the connection.
    type: float
    default: 5.0
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.diagnostic
  - entsso.password_sync.connection
notes:
  - What the data look like is meant for people and may change in any version. Do not build playbooks on more than
    RV(reachable), RV(problem) and the C(status) of the rights.
  - With a rejected account nothing more is tried, here or on any other host of the run.
  - The page C(docs/connections.md) of this collection says what to set for each connection, and which controls can't be
    judged without which right.
seealso:
  - module: entsso.password_sync.pcns_info
"""

EXAMPLES = r"""
- name: Look at the connection of every domain controller
  hosts: domain_controllers
  gather_facts: false
  tasks:
    - name: Find out how it is reached
      entsso.password_sync.connection_info:
        redact: true
      register: reached

    - name: Show the report
      ansible.builtin.debug:
        msg: "{{ reached.report.splitlines() }}"

- name: Stop where the account may not read the Security log
  hosts: domain_controllers
  gather_facts: false
  tasks:
    - name: Find out what the account may do
      entsso.password_sync.connection_info:
        deadline: 2
      register: reached

    - name: Require the right
      ansible.builtin.assert:
        that:
          - reached.reachable
          - "'events_security' in reached.rights | selectattr('status', 'equalto', 'ok') | map(attribute='name')"
        fail_msg: "{{ reached.msg }}"
"""

RETURN = r"""
reachable:
  description: Whether the host let the account in. What it may do there is in RV(rights).
  returned: always
  type: bool
  sample: true
problem:
  description: Why it was not reached or its system could not be read, and what to do; empty when all is well.
  returned: always
  type: str
  sample: ""
report:
  description: Everything below as text for a ticket.
  returned: always
  type: str
  sample: |
    connection_info of entsso.password_sync 0.1.0, 2026-11-20T02:10:31Z
    Host              dc01.corp.example
    Result            dc01.corp.example lets the account in (kerberos, message encryption); denied: events_security.
    Connection        winrm to http://dc01.corp.example:5985/wsman
control_node:
  description: What runs on the control node.
  returned: always
  type: dict
  contains:
    collection:
      description: Version of this collection.
      type: str
      sample: 0.1.0
    python:
      description: Version of the Python that runs Ansible.
      type: str
      sample: 3.12.3
    executable:
      description: Where that Python is.
      type: str
      sample: /opt/ansible/bin/python
    libraries:
      description: Version of each library that a connection may rest on; null for one that is not installed.
      type: dict
      sample:
        pywinrm: 0.5.0
        krb5: null
target:
  description: Where the inventory leads.
  returned: always
  type: dict
  contains:
    connection:
      description: Ansible's connection.
      type: str
      sample: winrm
    endpoint:
      description: URL of the WinRM service; empty for another connection.
      type: str
      sample: http://dc01.corp.example:5985/wsman
    address:
      description: Host name or address in it.
      type: str
      sample: dc01.corp.example
    port:
      description: Its port; null for another connection.
      type: int
      sample: 5985
    account:
      description: Name of the account; empty where the ticket cache, a keytab or a certificate tells.
      type: str
      sample: svc-pcns@CORP.EXAMPLE
    mechanisms:
      description: Ways to authenticate, tried in this order.
      type: list
      elements: str
      sample: [kerberos]
    host_name:
      description: Name of the host that Kerberos uses.
      type: str
      sample: dc01.corp.example
name_resolution:
  description: What the resolver of the control node says of the host's names and addresses.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What was looked up.
      type: str
      sample: dc01.corp.example
    addresses:
      description: Its addresses.
      type: list
      elements: str
      sample: [192.0.2.10]
    reverse:
      description: Each of the first four addresses with the name that it has; empty for one without.
      type: dict
      sample:
        192.0.2.10: dc01.corp.example
    problem:
      description: Why there is no address.
      type: str
      sample: ""
ports:
  description: TCP ports of the host as seen from the control node, past any proxy.
  returned: always
  type: list
  elements: dict
  contains:
    port:
      description: The port.
      type: int
      sample: 5985
    purpose:
      description: What it is for.
      type: str
      sample: WinRM over http
    state:
      description: V(open), or what happened instead.
      type: str
      sample: open
ticket_cache:
  description:
    - The Kerberos ticket cache that the connection uses, or would use. Only caches of type C(FILE) are read.
  returned: always
  type: dict
  contains:
    name:
      description: Its type and place.
      type: str
      sample: FILE:/tmp/krb5cc_1000
    principal:
      description: Whose tickets it holds.
      type: str
      sample: svc-pcns@CORP.EXAMPLE
    expires:
      description: When the ticket expires that others are got with, UTC.
      type: str
      sample: "2026-11-20T12:10:31Z"
    problem:
      description: Why it can't be used or read; empty when it is fine.
      type: str
      sample: ""
authentication:
  description: How the account was let in.
  returned: always
  type: dict
  contains:
    mechanism:
      description: V(kerberos), V(ntlm), V(basic), V(certificate) or V(credssp); empty when it was not.
      type: str
      sample: kerberos
    encrypted:
      description: V(message) when every message is encrypted in itself, V(TLS), or empty for neither.
      type: str
      sample: message
system:
  description: Name and version of the machine that answered; empty when it could not be read.
  returned: always
  type: str
  sample: DC01, Microsoft Windows Server 2022 Standard, 10.0.20348
clock:
  description: The host's clock against the control node's, half of the round trip allowed for.
  returned: always
  type: dict
  contains:
    ahead_seconds:
      description: Seconds that the host is ahead, negative when it is behind; null when not known.
      type: float
      sample: 0.112
    round_trip_seconds:
      description: Seconds that the question took.
      type: float
      sample: 0.021
    within_tolerance:
      description: Whether Kerberos takes it, which allows five minutes; null when not known.
      type: bool
      sample: true
    problem:
      description: Why it is not known.
      type: str
      sample: ""
rights:
  description: What the account may do on the host.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - V(wmi_cimv2), V(wmi_default), V(wmi_microsoftactivedirectory), V(wmi_microsoftdfs), V(registry_methods),
          V(registry_lsa), V(registry_uninstall), V(services), V(events_application), V(events_system),
          V(events_security), V(shell) or V(admin_share).
      type: str
      sample: events_security
    title:
      description: The same for people.
      type: str
      sample: Event log Security
    status:
      description: V(ok), V(denied) or V(unknown).
      type: str
      sample: denied
    detail:
      description: Why it is denied or unknown.
      type: str
      sample: access was denied (Access is denied)
    needed_for:
      description: What this collection needs it for.
      type: str
      sample: event 4614, LSA loaded a package
    grant:
      description: What to grant where it is denied.
      type: str
      sample: Make the account a member of Event Log Readers.
msg:
  description: One sentence.
  returned: always
  type: str
  sample: "dc01.corp.example lets the account in (kerberos, message encryption); denied: events_security."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.CONNECTION_INFO,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("connection_info"))


if __name__ == "__main__":
    main()
