# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration files of a domain: everything in one folder, nothing of the machine's own Samba."""

from __future__ import annotations

FOLDERS = ("etc", "private", "state", "cache", "lock", "run", "log", "ncalrpc", "ntp", "bind-dns", "sysvol", "tls")

SMB_CONF = """\
[global]
    netbios name = DC1
    realm = CORP.EXAMPLE
    workgroup = CORP
    server role = active directory domain controller
    interfaces = {address}/8
    bind interfaces only = yes
    private dir = {folder}/private
    state directory = {folder}/state
    cache directory = {folder}/cache
    lock directory = {folder}/lock
    pid directory = {folder}/run
    ncalrpc dir = {folder}/ncalrpc
    ntp signd socket directory = {folder}/ntp
    binddns dir = {folder}/bind-dns
    log file = {folder}/log/samba.log
    max log size = 0
    log level = 1
    logging = file
    server services = ldap, cldap, kdc, rpc, dns
    dns forwarder =
    load printers = no
    printcap name = /dev/null
    disable spoolss = yes
    ldap server require strong auth = yes
    dsdb:schema update allowed = yes
    tls enabled = yes
    tls keyfile = {folder}/tls/key.pem
    tls certfile = {folder}/tls/cert.pem
    tls cafile = {folder}/tls/ca.pem
[sysvol]
    path = {folder}/sysvol
    read only = no
[netlogon]
    path = {folder}/sysvol/corp.example/scripts
    read only = no
"""
"""The services that samba.md 1 found safe with ``-M single``: with others the DC would wait for itself."""

KRB5_CONF = """\
[libdefaults]
    default_realm = CORP.EXAMPLE
    dns_lookup_realm = false
    dns_lookup_kdc = false
    rdns = false
    dns_canonicalize_hostname = false
    udp_preference_limit = 1
    default_ccache_name = FILE:{folder}/ccache
    default_keytab_name = FILE:{folder}/no.keytab
[realms]
    CORP.EXAMPLE = {{
        kdc = {address}:88
        kpasswd_server = {address}:464
        admin_server = {address}
    }}
[domain_realm]
    .corp.example = CORP.EXAMPLE
    corp.example = CORP.EXAMPLE
"""
