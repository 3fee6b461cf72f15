# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the module domain_controller_health; the action of the same name does its work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_controller_health
short_description: Waits until a domain controller serves, is replicated and captures password changes
version_added: 0.1.0
author:
  - Contributors to the entsso.password_sync project (@entsso)
description:
  - Looks at one domain controller until all its gates have passed, and fails when one can't pass or the time is up. Put
    it after the last change of a domain controller, so that no other one is touched before this one is well.
  - Nothing is changed. No process, script or file comes onto the domain controller.
  - Every gate has one of five verdicts. V(passed) and V(not_checked) let the next domain controller be touched.
    V(waiting) may come by itself and is looked at again until O(deadline). V(failed) does not come by waiting and ends
    the task. V(unknown) could not be read, and never passes unless O(accept_unknown) names the gate.
  - V(booted) - Windows has started later than O(booted_after). Not checked without that option. A start that is
    earlier shows a clock that was set back. It does not pass before the clock is right, and with O(since) it is told
    whether Windows has restarted all the same.
  - V(ntds), V(netlogon), V(kdc), V(dns), V(dfsr) and V(w32time) - the service runs. A domain controller without
    V(dns) or V(dfsr) is none the worse for that. A service that is disabled is failed.
  - V(sysvol_share) and V(netlogon_share) - SYSVOL and NETLOGON are shared.
  - V(filter) - LSA has loaded the capture component, with its grade (proved or inferred) and evidence. Refused by LSA
    is failed.
  - V(pcns) - PCNS runs, starts by itself, and has not logged that its configuration is missing (event 6000).
  - V(events) - no new error is in the event logs. New is what was logged since O(since), or since Windows started if
    that is later, and was not already logged in the day before O(since). See the notes for the events that count.
  - V(ldap) - the domain controller itself answers over LDAP and says that it is this one.
  - V(synchronized) - it says that it has synchronized since it started (C(isSynchronized) of its rootDSE), and, if it
    is a global catalog, that it is ready as one (C(isGlobalCatalogReady)).
  - V(advertised) - it answers the LDAP ping by which clients choose a domain controller, is not paused, and offers
    itself as directory, LDAP and Kerberos server (MS-ADTS 6.3.3). Clients find the name to ping in DNS, which is not
    asked here.
  - V(replication) - for the domain, the configuration and the schema, every partner that it pulls from has been pulled
    from without an error since Windows started. Of a partner that is only pulled from on a schedule, as usual between
    sites, the last attempt must have succeeded. A partner whose last success was more than a day before O(since) was
    lost before; it is named and not waited for, as long as another partner of the same part has succeeded.
options:
  booted_after:
    description:
      - Time of the start of Windows before the restart, for example C(system.boot_time) of
        M(entsso.password_sync.pcns_info).
      - Without it, the gate V(booted) is not checked.
    type: str
  since:
    description:
      - Time from which on error events count as new, on the clock of the domain controller, for example
        C(system.local_time) of M(entsso.password_sync.pcns_info) before the first change.
      - Without it, the time when Windows started. That is also used when it is later, since what happened before a
        restart says nothing of the domain controller after it.
    type: str
  skip:
    description:
      - Gates that are not looked at, for example V(w32time) where another program keeps the time, or V(filter) and
        V(pcns) on a domain controller that captures nothing.
      - The default is none.
    type: list
    elements: str
    choices:
      - booted
      - ntds
      - netlogon
      - kdc
      - dns
      - dfsr
      - w32time
      - sysvol_share
      - netlogon_share
      - filter
      - pcns
      - events
      - ldap
      - synchronized
      - advertised
      - replication
    default: []
  accept_unknown:
    description:
      - Gates that may be V(unknown), for example V(replication) where the account has no right to read it. A warning
        says so each time.
      - The default is none, so what can't be read stops the rollout.
    type: list
    elements: str
    choices:
      - booted
      - ntds
      - netlogon
      - kdc
      - dns
      - dfsr
      - w32time
      - sysvol_share
      - netlogon_share
      - filter
      - pcns
      - events
      - ldap
      - synchronized
      - advertised
      - replication
    default: []
  deadline:
    description:
      - Seconds within which all gates must have passed. The default is a quarter of an hour. V(0) looks once.
      - When nothing is waited for any more but gates that can't be read, it ends after three looks.
      - In check mode it looks once as well, and a gate that has not passed is a warning.
    type: int
    default: 900
  interval:
    description:
      - Seconds between two looks. The default is short, since a look costs the domain controller little.
    type: float
    default: 5.0
extends_documentation_fragment:
  - entsso.password_sync.attributes
  - entsso.password_sync.attributes.gate
  - entsso.password_sync.connection
  - entsso.password_sync.connection.domain_controller
  - entsso.password_sync.ldap.variables
notes:
  - One look takes 14 requests over WinRM, two more where replication is read from WMI, and two more for each service
    that is missing. Where the directory is configured, it takes six questions over LDAP to this domain controller
    alone, and one session serves all looks. RV(statistics) has what was really sent over WinRM.
  - Without a configured directory the gates V(ldap), V(synchronized) and V(advertised) are not checked, and a warning
    says so once. V(replication) is read from the WMI class C(MSAD_ReplNeighbor) then, and wherever LDAP does not tell;
    it needs the rights named below on the namespace C(root/MicrosoftActiveDirectory) as well. No public source says
    whether Windows Server 2022 and 2025 still have that namespace. Where it is missing, the gate is V(not_checked)
    without a directory and V(unknown) with one.
  - Over LDAP, replication is read from C(msDS-NCReplInboundNeighbors) of the domain, the configuration and the schema.
    A directory leaves it out for an account that may not read it (MS-ADTS 3.1.1.4.4). Samba does not have it.
  - LDAP is asked only once NTDS, Netlogon and Kdc run, so that no logon is refused by a domain controller that is still
    starting. A refused logon is not tried again.
  - These error events count. From C(PCNSSVC) in Application, 6001, 6002, 6004, 6025, 6027 and 6032. From
    C(Service Control Manager) in System, 7000, 7023, 7024, 7031 and 7034 where they name a service of these gates. In
    Directory Service, 1113, 1115, 2042, 2095 and 2103. In DFS Replication, 2213 and 4012.
seealso:
  - module: entsso.password_sync.domain_controller_restart
  - module: entsso.password_sync.pcns_info
  - name: How clients choose a domain controller
    description: The LDAP ping in MS-ADTS 6.3.3.
    link: https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-adts/895a7744-aff3-4f64-bcfa-f8c05915d2e9
  - name: MSAD_ReplNeighbor
    description: The WMI class that tells of replication partners.
    link: https://learn.microsoft.com/en-us/windows/win32/ad/msad-replneighbor
"""

EXAMPLES = r"""
- name: Wait until this domain controller is well, before the next one is touched
  entsso.password_sync.domain_controller_health:
    booted_after: "{{ pcns_observation.system.boot_time if pcns_restarted else omit }}"
    since: "{{ pcns_observation.system.local_time }}"
  register: pcns_health

- name: Look once at a domain controller that captures nothing yet
  entsso.password_sync.domain_controller_health:
    skip: [filter, pcns]
    deadline: 0

- name: Go on where nobody may read replication
  entsso.password_sync.domain_controller_health:
    accept_unknown: [replication]
"""

RETURN = r"""
healthy:
  description: Whether every gate has passed, was not checked, or is unknown and accepted as such.
  returned: when it was looked at, on failure too
  type: bool
  sample: true
state:
  description:
    - One word for all gates, the worst there is. V(failed), V(waiting), V(unknown) or V(healthy).
  returned: when it was looked at, on failure too
  type: str
  sample: healthy
gates:
  description: The gates as the last look saw them.
  returned: when it was looked at, on failure too
  type: list
  elements: dict
  contains:
    name:
      description: Which gate.
      type: str
      sample: replication
    verdict:
      description: V(passed), V(waiting), V(failed), V(unknown) or V(not_checked).
      type: str
      sample: passed
    sentence:
      description: What was seen.
      type: str
      sample: it has pulled from all 2 partners since it started
    remedy:
      description: What to do; empty where nothing is to be done.
      type: str
      sample: ""
waiting_for:
  description: The names of the gates that keep it from being healthy.
  returned: when it was looked at, on failure too
  type: list
  elements: str
  sample: []
boot_time:
  description: When Windows started; empty when the domain controller did not answer.
  returned: when it was looked at, on failure too
  type: str
  sample: "2026-11-20T02:10:31Z"
looks:
  description: How many times it was looked at.
  returned: when it was looked at, on failure too
  type: int
  sample: 2
statistics:
  description: What was sent over WinRM, all looks together.
  returned: when it was looked at, on failure too
  type: dict
  contains:
    requests:
      description: Requests.
      type: int
      sample: 28
    bytes_sent:
      description: Bytes of them.
      type: int
      sample: 41233
msg:
  description: One sentence on whether it is healthy; on failure, what is the case and what to do.
  returned: always
  type: str
  sample: dc01.corp.example is healthy.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._stub import started_as_module


def main() -> None:
    """Fails: the action does the work, and this only hands the argument specification to ansible-test."""
    module = AnsibleModule(
        argument_spec=_arguments.DOMAIN_CONTROLLER_HEALTH,
        supports_check_mode=True,
    )
    module.fail_json(msg=started_as_module("domain_controller_health"))


if __name__ == "__main__":
    main()
