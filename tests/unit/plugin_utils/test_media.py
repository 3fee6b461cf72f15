# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where media come from: the stream, the host's own paths, UNC paths, and https URLs that the host fetches itself."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit.lab_host import Lab, local_copy, media, running

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._download import check_url, file_name
from lab.example import MEDIA_FOLDER
from lab.windows.host import SimulatedHost
from lab.windows.tools.curl import Web

PACKAGE = "pcns-all-in-one.msi"
EULA = {"properties": {"ACCEPT_EULA": "1"}}
URL = "https://media.corp.example/pcns/Password%20Change%20Notification%20Service.msi?x=1&y=2"
DATA = (MEDIA_FOLDER / PACKAGE).read_bytes()


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as started:
        yield started


def commands(lab: Lab) -> list[str]:
    """Returns the command lines that dc01 has seen."""
    return lab.simulated("dc01").process_log


def staged(host: SimulatedHost) -> list[str]:
    """Returns our folders with media on a host."""
    return [path for path in host.files.folders if path.startswith(PROTECTED_ROOT + "\\media-")]


def at_url(lab: Lab, **more: Any) -> dict[str, Any]:
    """Returns the arguments of msi_package for a package at a URL, whose identity is then known."""
    new = lab.run("msi_package", "dc01", check=True, name="PCNS", **media(PACKAGE))["changes"][0]["new"]
    lab.forget()
    return {"name": "PCNS", **EULA, **media(PACKAGE, path=URL), **new, **more}


class TestUrl:
    def web(self, lab: Lab) -> Web:
        web = lab.simulated("dc01").web
        web.files[URL] = DATA
        return web

    def test_the_host_fetches_it(self, lab: Lab) -> None:
        web = self.web(lab)
        lab.converge("msi_package", "dc01", **at_url(lab))
        assert web.asked == [URL]
        (line,) = [line for line in commands(lab) if "curl.exe" in line]
        for option in ("-q", "--fail", "--silent", "--show-error", '--proto "=https"', '--proto-redir "=https"'):
            assert option in line
        assert '--noproxy "*"' in line
        assert f"dc01.corp.example: dc01.corp.example fetches {URL}" in lab.said
        (installed,) = [line for line in commands(lab) if "msiexec" in line]
        assert r"\Password Change Notification Service.msi" in installed
        assert [line for line in commands(lab) if "findstr" in line or "-decode" in line] == []
        assert "WinRS stream" not in lab.warned
        assert staged(lab.simulated("dc01")) == []

    def test_a_redirection_is_followed_to_https_only(self, lab: Lab) -> None:
        web = self.web(lab)
        other = "https://cdn.corp.example/1.msi"
        web.moved[URL] = other
        web.files = {other: DATA}
        arguments = at_url(lab)
        assert lab.run("msi_package", "dc01", **arguments)["changed"] is True
        lab.run("msi_package", "dc01", name="PCNS", state="absent", product_code=arguments["product_code"])
        web.moved[URL] = "http://cdn.corp.example/1.msi"
        error = str(lab.refused("msi_package", "dc01", **arguments))
        assert 'curl.exe ended with 1 and said: curl: (1) Protocol "http" disabled' in error
        assert staged(lab.simulated("dc01")) == []

    def test_another_hash_is_never_executed(self, lab: Lab) -> None:
        self.web(lab).files[URL] = DATA[:-1] + b"x"
        error = str(lab.refused("msi_package", "dc01", **at_url(lab)))
        assert "what arrived has SHA-256" in error
        assert "Nothing was executed" in error
        assert [line for line in commands(lab) if "msiexec" in line] == []
        assert staged(lab.simulated("dc01")) == []

    def test_what_curl_says_is_told(self, lab: Lab) -> None:
        self.web(lab).untrusted.add("media.corp.example")
        error = str(lab.refused("msi_package", "dc01", **at_url(lab)))
        assert "curl.exe ended with 60 and said: curl: (60) schannel" in error
        assert "trusts its certificate" in error
        assert "or let the control node push the file" in error
        assert staged(lab.simulated("dc01")) == []

    def test_not_before_server_2019(self, lab: Lab) -> None:
        """Check mode says so as well, and nothing is started on the host."""
        arguments = at_url(lab)
        host = lab.simulated("dc01")
        caption = "Microsoft Windows Server 2016 Standard"
        host.identity = replace(host.identity, version="10.0.14393", caption=caption)
        for check in (True, False):
            error = str(lab.refused("msi_package", "dc01", check=check, **arguments))
            assert "curl.exe, which Windows has from Server 2019 (build 17763) on" in error
            assert "this is Microsoft Windows Server 2016 Standard (10.0.14393)" in error
        assert commands(lab) == []

    def test_its_identity_and_hash_must_be_given(self, lab: Lab) -> None:
        arguments = at_url(lab)
        del arguments["version"]
        assert "Give `product_code` and `version`" in str(lab.refused("msi_package", "dc01", **arguments))
        arguments = {**at_url(lab), "sha256": "abc"}
        assert "`sha256` is not 64 hexadecimal digits" in str(lab.refused("msi_package", "dc01", **arguments))
        del arguments["sha256"]
        assert "required together: path, sha256" in str(lab.refused("msi_package", "dc01", **arguments))

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("http://media.corp.example/x.msi", "over https only"),
            ("ftp://media.corp.example/x.msi", "over https only"),
            ("file:///C:/x.msi", "over https only"),
            ("https://me:hunter2@media.corp.example/x.msi", "user name or password"),
            ("https://me@media.corp.example/x.msi", "user name or password"),
            ("https://media.corp.example/x y.msi", "percent-encoded"),
            ('https://media.corp.example/"&calc&".msi', "percent-encoded"),
            ("https://media.corp.example/x^.msi", "percent-encoded"),
            ("https://media.corp.example/!x!.msi", "percent-encoded"),
            ("https:///x.msi", "no host"),
            ("https://[/x.msi", "over https only"),
        ],
    )
    def test_what_is_not_fetched(self, url: str, told: str) -> None:
        with pytest.raises(PlanError) as caught:
            check_url("dc01", url)
        assert told in str(caught.value)
        assert "hunter2" not in str(caught.value)

    def test_names_on_the_host(self) -> None:
        assert file_name(URL) == "Password Change Notification Service.msi"
        for odd in (
            "https://h/",
            "https://h/a%5Cb.msi",
            "https://h/%2e%2e",
            "https://h/a%22b.msi",
            "https://h/x.",
            "https://h/%25x",
        ):
            assert file_name(odd) == "package.msi"

    def test_a_setup_is_no_single_file(self, lab: Lab) -> None:
        error = str(
            lab.refused(
                "sso_feature",
                "sso01",
                setup_path="https://h/setup.exe",
                setup_sha256="0" * 64,
                setup_arguments=["/quiet"],
            )
        )
        assert "it is a tree of files of which a URL brings only one" in error


class TestUncPath:
    PATH = r"\\files.corp.example\media\pcns.msi"

    def test_a_second_hop_is_explained(self, lab: Lab) -> None:
        arguments = {**at_url(lab), "path": self.PATH, "remote_src": True}
        lab.simulated("dc01").faults.tool_exit_code["certutil"] = 0x80070005
        error = str(lab.refused("msi_package", "dc01", **arguments))
        assert rf"{self.PATH} can't be read by the account of this run on dc01.corp.example" in error
        assert "exit code 2147942405 (0x80070005)" in error
        assert "A UNC path is a second hop." in error
        assert "resource-based constrained delegation" in error
        assert [line for line in commands(lab) if "msiexec" in line] == []

    def test_it_is_hashed_and_executed_where_it_is(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        # A share of another machine, seen as the host sees it when the hop is allowed.
        host.files.make_folder(self.PATH.rpartition("\\")[0])
        host.files.write(self.PATH, DATA, host.now())
        lab.converge("msi_package", "dc01", **{**at_url(lab), "path": self.PATH, "remote_src": True})
        assert [line for line in commands(lab) if f'certutil -hashfile "{self.PATH}" SHA256' in line]
        assert [line for line in commands(lab) if "msiexec" in line and self.PATH in line]


class TestStream:
    def test_it_is_warned_about(self, lab: Lab) -> None:
        lab.run("msi_package", "dc01", name="PCNS", transfer="stream", **EULA, **media(PACKAGE))
        line = lab.spoken.warned[0]
        assert "WinRS stream" in line
        assert "certutil" in line
        assert "endpoint protection may report" in line

    def test_it_is_quick_enough(self, lab: Lab, tmp_path: Path) -> None:
        """At least 3 MB a second, the lab's side included; in time of the processor, since other tests run beside."""
        size = 6_000_000
        source = local_copy(tmp_path, "source", random.Random(1).randbytes(size))
        with lab.open("dc01") as host:
            before = time.process_time()
            host.files.push(source["path"], r"C:\Windows\Temp\file", source["sha256"])
            took = time.process_time() - before
        file = lab.simulated("dc01").files.get(r"C:\Windows\Temp\file")
        assert file is not None
        assert file.sha256 == source["sha256"]
        assert size / 1e6 / took >= 3

    def test_auto_takes_it_where_nothing_speaks_smb_and_says_why(self, lab: Lab) -> None:
        """As on the lab without a file server: one line, at once."""
        lab.run("msi_package", "dc01", name="PCNS", smb_port=9, **EULA, **media(PACKAGE))
        line = lab.spoken.warned[0]
        assert "It was chosen since nothing speaks SMB on 127." in line
        assert "(Connection refused)" in line
