# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules reach a directory over LDAP, and who asks."""

from __future__ import annotations


class ModuleDocFragment:
    """Options after the manner of the collection microsoft.ad."""

    DOCUMENTATION = r"""
options:
  domain:
    description:
      - DNS name of the domain.
      - Without it, the domain of O(server).
    type: str
  server:
    description:
      - DNS name of the domain controller to ask.
      - Without it, one is found in DNS with the SRV record C(_ldap._tcp.dc._msdcs) of O(domain), which must be given
        then. Up to five are tried until one answers.
      - Kerberos needs the full name; NTLM takes an address too. With TLS the certificate must be for what is given
        here.
    type: str
  port:
    description:
      - TCP port.
      - The default is V(636) for O(tls_mode=ldaps) and V(389) otherwise.
    type: int
  auth_protocol:
    description:
      - How the account proves who it is.
      - V(kerberos) uses O(username) and O(password), or without them a ticket. V(ntlm) uses O(username) and
        O(password). Both sign and encrypt everything that follows with their own keys, without TLS.
      - V(simple) hands the password to the domain controller, and is refused without O(tls_mode) before anything is
        sent.
      - The default V(negotiate) is V(kerberos), and V(ntlm) only where Kerberos can't be tried at all (no library, no
        KDC, no such account or service), which is known before a password has been checked.
    type: str
    choices: [negotiate, kerberos, ntlm, simple]
  tls_mode:
    description:
      - Where TLS begins. V(ldaps) is from the first byte, V(start_tls) before the logon.
      - The certificate is always validated.
      - Without it there is no TLS, except that O(port=636) and O(port=3269) stand for V(ldaps). Only
        O(auth_protocol=simple) needs TLS, and the others are refused with it, since a domain controller does not let
        them sign and encrypt within TLS.
    type: str
    choices: [ldaps, start_tls]
  username:
    description:
      - The account, as C(name@REALM), or C(DOMAIN\name) with NTLM. Any user of the domain may read.
      - Without it, the owner of the Kerberos ticket.
    type: str
  password:
    description:
      - Its password. It is tried once in a run, on all hosts together, so that no account is locked out.
      - Without it, a Kerberos ticket is used.
    type: str
  ticket_cache:
    description:
      - Kerberos ticket cache to take the ticket from, for example V(FILE:/run/user/1000/krb5cc).
      - Without it, the default cache of the user who runs Ansible, in the environment of Ansible itself.
    type: str
  ca_cert:
    description:
      - PEM file on the control node with the certificates of the authorities that are trusted.
      - Without it, those that the control node trusts.
    type: path
  name_servers:
    description:
      - Addresses of DNS servers that know the domain, for the SRV record and for the names of domain controllers. One
        that listens on another port than 53 is written V(192.0.2.1:5353).
      - The default is none, and the control node's own resolver is asked.
    type: list
    elements: str
  connection_timeout:
    description:
      - Seconds in which a connection, or an answer of DNS, must come. The default is five seconds.
    type: float
  timeout:
    description:
      - Seconds in which the answer to one question must be complete. The default is a minute.
      - How long a KDC is waited for is not decided here, and is up to the Kerberos library and C(krb5.conf).
    type: float
requirements:
  - sansldap on the control node
  - pyspnego on the control node, with its extra C(kerberos) for Kerberos
  - dnspython on the control node, to find domain controllers in DNS
notes:
  - The directory is asked over LDAP from the control node. The host of the play is not connected to, so the task can
    run on C(localhost).
  - A referral is followed once, with the same account. Parts of a search that are on other servers are not.
  - More than 100,000 objects, or a message of more than 16 MiB, are refused.
"""

    VARIABLES = r"""
options: {}
notes:
  - How the directory is reached is said once, by the variables C(password_sync_ldap_domain),
    C(password_sync_ldap_server), C(password_sync_ldap_port), C(password_sync_ldap_auth_protocol),
    C(password_sync_ldap_tls_mode), C(password_sync_ldap_username), C(password_sync_ldap_password),
    C(password_sync_ldap_ticket_cache), C(password_sync_ldap_ca_cert), C(password_sync_ldap_name_servers),
    C(password_sync_ldap_connection_timeout) and C(password_sync_ldap_timeout), which mean what the options of
    M(entsso.password_sync.domain_controller_info) do.
  - Those modules that have these options take them from the variables too where a task does not give them. C(domain),
    C(server) and C(port) belong together, and so do C(auth_protocol), C(username), C(password) and C(ticket_cache).
    Where a task gives one of them, the variables of its neighbours do not count.
  - The directory is asked where C(password_sync_ldap_domain) or C(password_sync_ldap_server) is set.
"""
