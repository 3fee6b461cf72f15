# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arbitrary reports for property-based tests: any text that a host could send, markup and control characters first."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Implication, Operation
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import (
    CaptureState,
    Finding,
    Severity,
    Status,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
)

RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine must not make a test fail."""

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>",
    "&amp;&lt;",
    "-->",
    "\x00\x1b[2J\x07",
    "\r\nContent-Type: text/html",
    "\ud800",
    "\ufffe\uffff",
    "\u202egnp.exe",
    "</style><b>",
    "line one\nline two\u2028line three",
    "{{ lookup('pipe', 'id') }}",
    "\x85\x9f",
)
"""What a report must survive; it goes wherever text goes."""

texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=20), st.text(alphabet="<>&\"'/= \x00\x08\x1b\n\r\t\udc80é", max_size=12)
)
times = st.one_of(st.just("2026-11-22T02:10:31Z"), st.just("2026-11-22T02:10:31.123456Z"), texts)
hosts = st.one_of(st.sampled_from(("dc01", "dc02.corp.example", "DC01")), texts)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-10, 10), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)

findings = st.builds(
    Finding,
    control=st.one_of(st.sampled_from(("PCNS-001", "PCNS-004", "SSO-007")), texts),
    title=texts,
    severity=st.sampled_from(Severity),
    status=st.sampled_from(Status),
    subject=hosts,
    site=texts,
    message=texts,
    consequence=texts,
    evidence=texts,
    observed_at=times,
    repair=texts,
    restarts=st.integers(-1, 12),
)
domain_controllers = st.builds(
    DomainControllerRow,
    name=hosts,
    site=texts,
    capture_state=st.sampled_from(CaptureState),
    grade=st.sampled_from(("proved", "inferred", "", "<b>")),
    evidence=texts,
    version=texts,
    read_only=st.booleans(),
    exempt_reason=st.one_of(st.just(""), texts),
    until_next_restart=st.booleans(),
)
adapters = st.builds(
    AdapterRow,
    name=texts,
    enabled=st.sampled_from((True, False, None)),
    applications=st.lists(texts, max_size=2).map(tuple),
)
changes = st.builds(
    Change,
    subject=hosts,
    resource=texts,
    name=texts,
    operation=st.sampled_from(Operation),
    old=st.dictionaries(texts, values, max_size=2),
    new=st.dictionaries(texts, values, max_size=2),
    implies=st.frozensets(st.sampled_from(Implication)),
)
reports = st.builds(
    Report,
    title=texts,
    generated_at=times,
    findings=st.lists(findings, max_size=4).map(tuple),
    domain_controllers=st.lists(domain_controllers, max_size=3).map(tuple),
    adapters=st.lists(adapters, max_size=2).map(tuple),
    changes=st.one_of(st.none(), st.lists(changes, max_size=2).map(tuple)),
    notes=st.lists(texts, max_size=2).map(tuple),
)
