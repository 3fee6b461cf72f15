# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan file: what is written is what is read, and nothing that was not approved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import (
    PlanFileError,
    canonical,
    digest,
    read_plan,
    render_plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import (
    RolloutPlan,
    plan_rollout,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import Policy, Work
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import (
    duration,
    summary_line,
    table_lines,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import (
    FEW,
    Forest,
    changes,
    domain_controller,
    emulator,
    forests,
    idle,
    possible,
)


def example_plan() -> RolloutPlan:
    members = [
        domain_controller("dc01", "Zürich", changes=changes("dc01"), possible=possible("dc01"), global_catalog=True),
        domain_controller("dc02", "Lyon", changes=changes("dc02"), roles=frozenset({Role.RID, Role.SCHEMA})),
        idle("dc03", "Lyon", work=Work.EXEMPT, reason="loop breaker"),
        emulator(),
    ]
    return plan_rollout(members, Policy(canaries=("dc01",), order=("dc02",), window_seconds=600))


TEXT = render_plan(example_plan())
SHA256 = digest(TEXT)


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    """Returns the file after an edit of its content."""
    document = json.loads(TEXT)
    change(document)
    return json.dumps(document)


def test_what_is_written_is_read_again() -> None:
    plan, found = example_plan(), read_plan(TEXT.encode(), SHA256)
    assert found.waves == plan.waves
    assert found.policy == plan.policy
    assert found.sha256 == SHA256


@FEW
@given(forests(healthy=True), st.text(max_size=8))
def test_any_plan_is_read_again(forest: Forest, text: str) -> None:
    everyone = [
        replace(item, site=item.site + text, changes=changes(item.name, text), possible=possible(text))
        for item in forest.domain_controllers
    ]
    plan = plan_rollout(everyone, forest.policy)
    written = render_plan(plan)
    found = read_plan(written.encode("ascii"), digest(written))
    assert [wave.names for wave in found.waves] == [wave.names for wave in plan.waves]
    assert [item.changes for wave in found.waves for item in wave.domain_controllers] == [
        item.changes for wave in plan.waves for item in wave.domain_controllers
    ]
    assert render_plan(replace(plan, waves=found.waves)) == written


def test_the_sum_of_the_file_is_the_one_that_is_approved() -> None:
    """What `sha256sum` says of the file."""
    assert hashlib.sha256(TEXT.encode("ascii")).hexdigest() == SHA256
    assert canonical(json.loads(TEXT)) == TEXT


def test_the_file_says_which_change_happens_to_whom_in_which_wave() -> None:
    document = json.loads(TEXT)
    assert [
        (wave["number"], wave["window"], [item["name"] for item in wave["domain_controllers"]])
        for wave in document["waves"]
    ] == [(1, 1, ["dc01"]), (2, 2, ["dc02"])]
    first = document["waves"][0]["domain_controllers"][0]
    assert [change["operation"] for change in first["changes"]] == ["install", "restart"]
    assert [change["new"] for change in first["possible"]] == [{"state": "running"}]
    assert document["left_out"] == [
        {"name": "dc03", "site": "Lyon", "domain": "corp.example", "reason": "loop breaker"},
        {"name": "pdc", "site": "Headquarters", "domain": "corp.example", "reason": "nothing to do"},
    ]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(json.loads(TEXT)).encode(),
        TEXT.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        json.dumps(dict(reversed(json.loads(TEXT).items())), ensure_ascii=False).encode(),
    ],
    ids=["one line", "line ends of Windows", "byte order mark", "another order"],
)
def test_another_form_of_the_same_content_is_the_same_plan(content: bytes) -> None:
    assert read_plan(content, SHA256.upper() + "\n").sha256 == SHA256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON (line 1: Expecting value)"),
        (TEXT.encode()[:-20], "is no JSON (line "),
        (b"\xff\xfe{}", "is no UTF-8 text"),
        (b"[]", "is no plan of a rollout"),
        (b"{}", "is no plan of a rollout"),
        (b'{"format": "entsso.password_sync rollout plan", "version": 99}', "another version of this collection"),
        (b'{"format": 1, "format": 2}', "a name is there twice"),
        (b'{"version": 1.5}', "1.5 is no whole number"),
        (b'{"version": NaN}', "NaN is no whole number"),
        (b"[" * 100_000, "is no JSON of this collection"),
        (edited(lambda it: it["policy"].update(max_unavailable_total=2)).encode(), "not the plan that was approved"),
        (edited(lambda it: it["waves"].reverse()).encode(), "or was changed since"),
        (edited(lambda it: it["waves"][0]["domain_controllers"][0]["changes"].pop()).encode(), "has the SHA-256 "),
        (edited(lambda it: it["left_out"].clear()).encode(), "has the SHA-256 "),
    ],
)
def test_what_is_not_the_approved_plan_is_refused_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        read_plan(content, SHA256)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "edit",
    [
        lambda it: it.pop("waves"),
        lambda it: it.update(waves={}),
        lambda it: it.update(waves=[1]),
        lambda it: it["waves"][0].pop("window"),
        lambda it: it["waves"][0]["domain_controllers"][0].update(name=1),
        lambda it: it["waves"][0]["domain_controllers"][0].update(roles=["king"]),
        lambda it: it["waves"][0]["domain_controllers"][0]["changes"][0].update(operation="explode"),
        lambda it: it["policy"].pop("order"),
        lambda it: it["policy"].update(lone_domain_controller="maybe"),
        lambda it: it.update(policy=None),
    ],
)
def test_a_file_that_lacks_something_is_refused_even_if_its_sum_is_right(
    edit: Callable[[dict[str, Any]], object],
) -> None:
    text = edited(edit)
    with pytest.raises(PlanFileError, match="lacks something that a plan of a rollout has"):
        read_plan(text.encode(), digest(canonical(json.loads(text))))


def test_the_table_shows_everything_in_the_order_of_the_waves() -> None:
    plan = example_plan()
    both = "install PCNS 5.0.1; restart; if needed update PCNSSVC (state=running)"
    assert table_lines(plan.waves) == [
        "Wave  Window  Domain controller  Site    Roles        At most  Changes",
        "1     1       dc01               Zürich  GC           10 min   " + both,
        "2     2       dc02               Lyon    schema, RID  10 min   install PCNS 5.0.1; restart",
    ]
    assert summary_line(plan.waves, len(plan.left_out)) == (
        "2 domain controllers in 2 waves, 2 restarts, at most 20 min in 2 maintenance windows; "
        "nothing is done on 2 more."
    )
    assert summary_line((), 1) == "Nothing to do on 1 domain controller."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (1, "1 min"), (60, "1 min"), (61, "2 min"), (3600, "1 h"), (10020, "2 h 47 min")],
)
def test_times_are_rounded_up(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_a_name_can_not_break_the_table() -> None:
    plan = plan_rollout([domain_controller("dc\n\x1b[2J01", "a\u202eb"), emulator()], Policy())
    assert len(table_lines(plan.waves)) == 2
    assert all(line.isprintable() for line in table_lines(plan.waves))
