# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hundreds of hosts in one process, and what a request costs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from unit.lab.endpoint_kit import CIMV2, TRANSFER, Machine, message, new_address, pywinrm, send, serving

from lab.endpoint import Endpoint, EndpointServer

HOSTS = 200
GET = message(f"{TRANSFER}/Get", f"{CIMV2}Win32_Service", selectors={"Name": "PCNSSVC"})


def test_two_hundred_hosts_answer_at_the_same_time() -> None:
    with EndpointServer() as server:
        endpoints = [server.add(new_address(), Machine(computer_name=f"DC{number}")) for number in range(HOSTS)]

        def ask(endpoint: Endpoint) -> int:
            return len(send(pywinrm(endpoint.address), GET))

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, endpoints)) == HOSTS
        assert {endpoint.statistics.requests for endpoint in endpoints} == {1}


def test_a_get_costs_less_than_three_milliseconds_of_the_server() -> None:
    """Processor time of the whole process without that of this thread, which is the client."""
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        everything, ours = time.process_time(), time.thread_time()
        for _request in range(100):
            client.transport.send_message(GET)
        spent = (time.process_time() - everything) - (time.thread_time() - ours)
    assert spent / 100 < 0.003
