# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the rollout lock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Estate,
    Observation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._rollout_lock import (
    DesiredLock,
    LockState,
    key,
    plan,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOST = "sso01"


def stamp(minutes: float) -> str:
    return f"{NOW + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def planned(observed: Observation, **desired: object) -> tuple[Change, ...]:
    wanted = DesiredLock(**{"held": True, "owner": "us", **desired})  # type: ignore[arg-type]
    return plan(HOST, wanted, NOW, Estate({key(HOST): observed}, {"rollout_lock": LockState}))


OBSERVED = st.one_of(
    st.just(Absent()),
    st.builds(
        lambda number, owner, minutes, ended: Present(LockState(number, owner, stamp(minutes), ended)),
        st.integers(1, 50),
        st.sampled_from(["us", "them"]),
        st.integers(-300, 300),
        st.booleans(),
    ),
)


@given(observed=OBSERVED, held=st.booleans(), force=st.booleans())
def test_a_second_plan_is_empty_and_nobody_else_loses_a_lock_that_holds(
    observed: Observation, held: bool, force: bool
) -> None:
    estate = Estate({key(HOST): observed}, {"rollout_lock": LockState})
    wanted = DesiredLock(held, "us", force=force)
    theirs = isinstance(observed, Present) and observed.state.owner == "them"
    holds = isinstance(observed, Present) and not observed.state.ended and observed.state.expires > stamp(0)
    try:
        changes = plan(HOST, wanted, NOW, estate)
    except PlanError:
        assert all((theirs, holds, held, not force))
        return
    for change in changes:
        estate = change.project(estate)
    after = estate.get(key(HOST))
    assert plan(HOST, wanted, NOW, estate) == ()
    if held:
        assert isinstance(after, Present)
        assert after.state.owner == "us"
        assert after.state.expires > stamp(0) or after.state.expires == KNOWN_AFTER_APPLY
    elif theirs and not force:
        assert after == observed
    else:
        assert after == Absent()
    if changes and theirs and held:
        assert isinstance(observed, Present)
        assert changes[0].new["number"] == observed.state.number + 1


def test_prolonged_in_the_second_half() -> None:
    assert planned(Present(LockState(3, "us", stamp(61)))) == ()
    (change,) = planned(Present(LockState(3, "us", stamp(59))))
    assert (change.operation, change.new) == ("update", {"expires": KNOWN_AFTER_APPLY})


def test_a_lock_that_expired_while_it_was_ours_is_prolonged() -> None:
    (change,) = planned(Present(LockState(3, "us", stamp(-1))))
    assert change.new == {"expires": KNOWN_AFTER_APPLY}


def test_held_by_another_run() -> None:
    with pytest.raises(PlanError, match=r"Another rollout .* them holds it until 2026-11-22T12:30:00Z\. Wait"):
        planned(Present(LockState(1, "them", stamp(30))))


def test_a_holder_that_has_not_written_who_it_is() -> None:
    with pytest.raises(PlanError, match="its holder has not written who it is"):
        planned(Present(LockState(1)))
    assert planned(Present(LockState(1)), force=True)[0].new["number"] == 2


def test_what_could_not_be_read() -> None:
    with pytest.raises(PlanError, match="could not be read: access is denied"):
        planned(Unknown("access is denied"))
