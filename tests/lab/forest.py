# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole estate: one forest with its domain controllers, SSO server, directory and SSO system."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from lab.directory import Directory
from lab.endpoint import Endpoint, EndpointServer, EndpointSettings
from lab.ldap import LdapServices
from lab.scheduler import Scheduler
from lab.schema import Schema
from lab.settings import LabSettings
from lab.sso import SsoSystem
from lab.tracking import Arrival, Outcome, PasswordChange, Tracking
from lab.windows.entsso import SERVICE_ACCOUNT, seed_entsso
from lab.windows.host import SimulatedHost
from lab.windows.identity import HostIdentity, HostRole
from lab.windows.pcns import FILTER, NAME, PcnsService
from lab.windows.seed import unseed_domain_controller

OPERATOR = "CORP\\svc-ansible"
OPERATOR_PASSWORD = "Lab-only-Passw0rd"
"""Opens nothing but the lab."""
GROUPS = (
    "Domain Users",
    "Domain Admins",
    "Enterprise Admins",
    "Schema Admins",
    "SSO Administrators",
    "SSO Affiliate Administrators",
    "SSO Adapter Access",
    "SSO Application Users",
    "SSO Application Administrators",
)
_OF_THE_FOREST = ("Enterprise Admins", "Schema Admins")
"""Groups that only the root domain has."""
USERS: dict[str, tuple[str, ...]] = {
    "alice": ("SSO Application Users",),
    "bob": ("SSO Application Users",),
    "carol": ("SSO Application Users",),
    "dave": ("Domain Admins",),
    "svc-ansible": ("Domain Admins", "Schema Admins", "SSO Administrators"),
    SERVICE_ACCOUNT: ("SSO Administrators",),
}


class Forest:
    """The estate. Without `start` nothing listens and the clock stands still; with it every host is a WinRM
    endpoint."""

    def __init__(self, settings: LabSettings | None = None, *, populate: bool = True) -> None:
        """Makes a forest.

        Args:
            settings: What the lab assumes; its defaults when not given.
            populate: Whether the standard estate is in it: sso01, dc01 to dc05, and dc06 read-only.
        """
        self.settings = settings or LabSettings()
        self.scheduler = Scheduler()
        self.operator = OPERATOR
        self.operator_password = OPERATOR_PASSWORD
        self.more_accounts: dict[str, str] = {}
        self.sso = SsoSystem(windows_sync=True)
        self.hosts: dict[str, SimulatedHost] = {}
        """By full name in lower case, which is the name in the inventory."""
        self.endpoints: dict[str, Endpoint] = {}
        """As `hosts`; empty unless the forest is started."""
        self.promoted: dict[str, datetime] = {}
        """When each domain controller became one."""
        self.schema_master_name = ""
        """Who has the role of schema master; empty for the first domain controller."""
        self._schema = Schema()
        self._directories: dict[str, Directory] = {}
        self._server: EndpointServer | None = None
        self._ldap = LdapServices(self)
        self._endpoint_settings: EndpointSettings | None = None
        self._keytabs: Mapping[str, Path] = {}
        self._port = 5985
        self._block = ""
        self._next_address = 10
        self._changes = 0
        self.directory = self.add_domain("corp.example", "CORP")
        """The domain corp.example."""
        self.directory.register_spn(SERVICE_ACCOUNT, "ENTSSO/sso01")
        self.directory.register_spn(SERVICE_ACCOUNT, "ENTSSO/sso01.corp.example")
        if populate:
            self._populate()

    def __enter__(self) -> Forest:
        """Starts the forest."""
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        """Stops it."""
        self.stop()

    def start(
        self,
        *,
        port: int = 5985,
        settings: EndpointSettings | None = None,
        keytabs: Mapping[str, Path] | None = None,
    ) -> Forest:
        """Brings up an endpoint for each host, LDAP on the domain controllers, and lets the clock go.

        Args:
            port: Port of every host; each has its own address.
            settings: How WinRM is configured on every host.
            keytabs: Keys by full name of the host in lower case; a host without has no Kerberos.
        """
        self._block = f"127.{random.randint(16, 250)}.{random.randint(0, 250)}"
        self._port, self._endpoint_settings, self._keytabs = port, settings, keytabs or {}
        self._server = EndpointServer()
        self._ldap.start()
        self.scheduler.start()
        for name, host in self.hosts.items():
            self._listen(name, host)
        return self

    def stop(self) -> None:
        """Takes all endpoints down; the estate itself stays as it is."""
        server, self._server = self._server, None
        self.scheduler.stop()
        for host in self.hosts.values():
            host.power.when_changed = None
        if server is not None:
            server.stop()
        self.endpoints.clear()
        errors = self._ldap.stop()
        if errors:
            raise ExceptionGroup("the lab's LDAP services failed", errors)

    def add_domain(self, dns_name: str, netbios_name: str) -> Directory:
        """Adds a domain with the usual groups and users."""
        directory = Directory(dns_name, netbios_name, self._schema)
        for group in GROUPS:
            if not self._directories or group not in _OF_THE_FOREST:
                directory.add_group(group)
        for user, groups in USERS.items():
            directory.add_user(user, groups)
        directory.watchers.append(lambda name: self._refresh(dns_name, name))
        self._directories[dns_name.lower()] = directory
        return directory

    def add_domain_controller(
        self, name: str, site: str, *, read_only: bool = False, domain: str = "corp.example"
    ) -> SimulatedHost:
        """Promotes a new DC without PCNS; it listens at once when the forest does.

        Args:
            name: Computer name.
            site: Its site.
            read_only: Whether it is an RODC.
            domain: Its domain, which must be there.
        """
        role = HostRole.READ_ONLY_DC if read_only else HostRole.WRITABLE_DC
        first = not any(item.identity.role.is_dc and item.identity.domain == domain for item in self.hosts.values())
        return self._add(name, site, role, domain, is_pdc_emulator=first)

    def demote(self, name: str, *, at_once: bool = False) -> None:
        """Makes a DC a member server of its domain, as its administrators do; it restarts.

        Args:
            name: Its name.
            at_once: Whether it is up again without a time in which it can't be reached.
        """
        host = self.host(name)
        with self.scheduler.lock:
            host.identity = replace(host.identity, role=HostRole.MEMBER_SERVER, is_pdc_emulator=False)
            unseed_domain_controller(host)
            del self.promoted[host.identity.fqdn]
            if at_once:
                host.power.off()
                host.power.up()
            else:
                host.power.restart()
        self._ldap.remove(host.identity.fqdn)

    def add_sso_server(self, name: str, site: str, *, domain: str = "corp.example") -> SimulatedHost:
        """Adds a server with ENTSSO and without Password Synchronization."""
        host = self._add(name, site, HostRole.MEMBER_SERVER, domain)
        with self.scheduler.lock:
            seed_entsso(host)
        return host

    def host(self, name: str) -> SimulatedHost:
        """Returns a host by short or full name.

        Raises:
            KeyError: There is none.
        """
        found = self.find_host(name)
        if found is None:
            raise KeyError(name)
        return found

    def find_host(self, name: str) -> SimulatedHost | None:
        """Returns a host by short or full name, None when the name resolves to nothing."""
        wanted = name.lower()
        if "." in wanted:
            return self.hosts.get(wanted)
        return next((item for item in self.hosts.values() if item.identity.name.lower() == wanted), None)

    def address(self, name: str) -> str:
        """Returns the loopback address of a host of a started forest.

        Raises:
            KeyError: There is no such host, or the forest is not started.
        """
        return self.endpoints[self.host(name).identity.fqdn].address

    def directory_of(self, domain: str) -> Directory:
        """Returns a domain by its DNS name.

        Raises:
            KeyError: There is none.
        """
        return self._directories[domain.lower()]

    @property
    def name_server(self) -> str:
        """The DNS server of the started forest, as the option `name_servers` takes it; empty unless started."""
        return self._ldap.name_server

    def schema_master(self) -> SimulatedHost | None:
        """Returns the domain controller that has the role: the first of the forest, unless a test gave it to another.
        None when there is none."""
        first = next((item for item in self.hosts.values() if item.identity.role.is_dc), None)
        return self.find_host(self.schema_master_name) if self.schema_master_name else first

    def groups_of(self, account: str) -> frozenset[str]:
        """Returns the names of the groups of an account, `DOMAIN\\name`, in lower case; SYSTEM has none."""
        domain, _unused, name = account.lower().rpartition("\\")
        found = next((item for item in self.domains if item.netbios_name.lower() == domain), None)
        user = found.users.get(name) if found else None
        return user.groups if user else frozenset()

    @property
    def domains(self) -> list[Directory]:
        """All domains, that of the forest's root first."""
        return list(self._directories.values())

    @property
    def domain_controllers(self) -> list[str]:
        """Full names of all DCs, read-only ones too."""
        return [name for name, host in self.hosts.items() if host.identity.role.is_dc]

    def change_password(
        self, domain_controller: str, user: str, password: str | None = None, *, age: timedelta = timedelta()
    ) -> Tracking:
        """Changes a user's password on a DC, and follows it.

        Args:
            domain_controller: Where it is changed, by short or full name.
            user: Name of the user, with or without domain.
            password: The new one; a new one each time when not given. The lab keeps only its hash.
            age: How long ago it happened, for a change that waited.

        Raises:
            KeyError: There is no such DC or user.
            ConnectionError: The DC is down.
        """
        host = self.host(domain_controller)
        directory = self.directory_of(host.identity.domain)
        account = directory.users[user.rpartition("\\")[2].lower()]
        if not host.power.on:
            raise ConnectionError(f"{host.identity.fqdn} is down")
        with self.scheduler.lock:
            self._changes += 1
            secret = f"new password {self._changes}" if password is None else password
            change = PasswordChange(
                tracking_id=str(UUID(int=self._changes << 64 | 0x4000800000000000, version=4)).upper(),
                domain=directory.netbios_name,
                user=account.name,
                user_guid=account.guid,
                sha256=hashlib.sha256(secret.encode()).hexdigest(),
                length=len(secret),
                occurred_at=host.now() - age,
            )
            tracking = Tracking(change, host.identity.name)
            if host.identity.role is HostRole.READ_ONLY_DC:
                tracking.reason = "a read-only DC does not process password changes"
            elif not host.lsa.is_loaded(FILTER):
                tracking.reason = "LSA has not loaded the password filter"
            else:
                service = host.services.behaviour(NAME)
                if isinstance(service, PcnsService):
                    service.notify(tracking, account)
                else:
                    tracking.outcome, tracking.reason = Outcome.NOT_SENT, f"{NAME} does not run"
            return tracking

    def arrived(self, adapter: str) -> list[Arrival]:
        """Returns what reached an adapter, oldest first."""
        return [item for item in self.sso.arrivals if item.adapter.lower() == adapter.lower()]

    def disable_adapter(self, name: str) -> None:
        """Disables an adapter as somebody does by hand.

        Raises:
            SsoError: There is none.
        """
        with self.scheduler.lock:
            self.sso.adapter(name).enabled = False

    def advance(self, seconds: float) -> None:
        """Lets time pass: the lab's own clock, or the wall clock when the forest is started."""
        self.scheduler.wait(seconds)

    def snapshot(self) -> dict[str, object]:
        """Returns the complete state of every host, domain and the SSO system in a form for JSON.

        Reading, logging on, tools that only read, and time do not change it.
        """
        with self.scheduler.lock:
            return {
                "hosts": {name: host.snapshot() for name, host in sorted(self.hosts.items())},
                "domains": {name: item.dump() for name, item in sorted(self._directories.items())},
                "sso": self.sso.dump(),
            }

    def _populate(self) -> None:
        self.add_domain_controller("DC01", "Paris")
        self.add_domain_controller("DC02", "Paris")
        self.add_domain_controller("DC03", "Paris")
        self.add_domain_controller("DC04", "Lyon")
        self.add_domain_controller("DC05", "Lyon")
        self.add_domain_controller("DC06", "Lyon", read_only=True)
        self.add_sso_server("SSO01", "Paris")

    def _add(
        self, name: str, site: str, role: HostRole, domain: str, *, is_pdc_emulator: bool = False
    ) -> SimulatedHost:
        directory = self.directory_of(domain)
        identity = HostIdentity(
            name=name.upper(),
            domain=directory.dns_name,
            netbios_domain=directory.netbios_name,
            role=role,
            site=site,
            is_pdc_emulator=is_pdc_emulator,
        )
        with self.scheduler.lock:
            host = SimulatedHost(identity, self)
            self.hosts[identity.fqdn] = host
            self.promoted[identity.fqdn] = self.scheduler.now()
        if self._server is not None:
            self._listen(identity.fqdn, host)
        return host

    def _listen(self, name: str, host: SimulatedHost) -> None:
        if self._server is None:
            return
        address = f"{self._block}.{self._next_address}"
        self._next_address += 1
        endpoint = self._server.add(
            address, host, self._port, settings=self._endpoint_settings, keytab=self._keytabs.get(name)
        )
        self.endpoints[name] = endpoint
        self._ldap.add(host, address)

        def follow(on: bool) -> None:
            if on:
                endpoint.up()
            else:
                endpoint.down()
            self._ldap.power(name, on=on)

        host.power.when_changed = follow
        if host.power.on:
            self._ldap.power(name, on=True)
        else:
            follow(False)

    def _refresh(self, domain: str, domain_controller: str) -> None:
        """Tells running PCNS services that the directory changed; an empty name means every DC."""
        for host in self.hosts.values():
            same_domain = host.identity.domain.lower() == domain.lower()
            if same_domain and domain_controller.lower() in ("", host.identity.name.lower()):
                service = host.services.behaviour(NAME)
                if isinstance(service, PcnsService):
                    service.refresh()
