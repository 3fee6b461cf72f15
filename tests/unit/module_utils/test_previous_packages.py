# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `Notification Packages` was, and what a removal makes of it: whatever an installer or others did meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._previous_packages import (
    PreviousPackages,
    after_installation,
    restoration,
    to_record,
    without,
)

NAME = "PCNSFLT"
entries = st.sampled_from(["rassfm", "scecli", "SCECLI", "ThirdFlt", "pcnsflt2", r"C:\Other\Filter.dll"])
values = st.lists(entries, max_size=6).map(tuple)
spelled = st.sampled_from(["PCNSFLT", "pcnsflt", "PcnsFlt"])


@given(values, st.data())
def test_whatever_the_installer_did_the_value_from_before_comes_back(
    before: tuple[str, ...], data: st.DataObject
) -> None:
    """It may put its entry anywhere, sort, change the case, or drop entries of others."""
    record = to_record(before, NAME, None)
    assert record == PreviousPackages(before)
    installed = [*data.draw(st.one_of(st.permutations(before), values)), data.draw(spelled)]
    after = tuple(data.draw(st.permutations(installed)))
    found = restoration(after, NAME, after_installation(before, after, record))
    assert (found.entries, found.kept) == (before, "")


@given(values)
def test_a_run_that_was_killed_before_it_recorded_the_outcome(before: tuple[str, ...]) -> None:
    """An installer that only adds its entry needs no second look."""
    found = restoration((*before, NAME), NAME, to_record(before, NAME, None))
    assert (found.entries, found.kept) == (before, "")


@given(values, values)
def test_what_others_did_since_stays_and_is_told(before: tuple[str, ...], now: tuple[str, ...]) -> None:
    record = PreviousPackages(before, (*before, NAME))
    found = restoration((*now, NAME), NAME, record)
    same = [entry.lower() for entry in now] == [entry.lower() for entry in before]
    assert found.entries == (before if same else now)
    assert bool(found.kept) is not same


@given(values)
def test_without_a_record_only_the_entry_goes(now: tuple[str, ...]) -> None:
    found = restoration((NAME.lower(), *now), NAME, None)
    assert found.entries == now
    assert "is not recorded" in found.kept


@given(values, values, values)
def test_a_removal_that_is_done_is_done(before: tuple[str, ...], after: tuple[str, ...], now: tuple[str, ...]) -> None:
    record = PreviousPackages(before, after)
    restored = restoration(now, NAME, record).entries
    assert restored == without(restored, NAME)
    assert restoration(restored, NAME, record).entries in (restored, before)


@given(st.one_of(st.none(), st.builds(PreviousPackages, values, values)), values)
def test_an_entry_that_is_there_already_is_recorded_by_nobody(
    recorded: PreviousPackages | None, before: tuple[str, ...]
) -> None:
    assert to_record((NAME.lower(), *before), NAME, recorded) is None


def test_a_second_installation_keeps_what_the_first_recorded() -> None:
    first = PreviousPackages(("rassfm", "scecli"), ("rassfm", "scecli", NAME))
    assert to_record(("rassfm", "scecli"), NAME, first) is None
    assert to_record(("rassfm", "scecli", "New"), NAME, first) == PreviousPackages(("rassfm", "scecli", "New"))


def test_an_upgrade_is_an_installation_of_ours_too() -> None:
    first = PreviousPackages(("rassfm", "scecli"), ("rassfm", "scecli", NAME))
    upgraded = (NAME, "scecli", "rassfm")
    assert after_installation(first.after, upgraded, first) == PreviousPackages(first.before, upgraded)
    # Others had changed it before the upgrade: that must stay visible.
    assert after_installation((*first.after, "New"), (NAME, "New"), first) is None
    assert after_installation((), upgraded, None) is None


def test_the_sentences_name_who_came_and_who_went() -> None:
    record = PreviousPackages(("rassfm", "scecli"), ("rassfm", "scecli", NAME))
    assert "others changed it since (New came; rassfm went)" in restoration(("scecli", "New", NAME), NAME, record).kept
    assert "(another order)" in restoration(("scecli", "rassfm", NAME), NAME, record).kept


@given(st.builds(PreviousPackages, values, values))
def test_the_text_form_reads_back(record: PreviousPackages) -> None:
    assert PreviousPackages.from_text(record.to_text()) == record


@given(
    st.sampled_from(["", "[]", "{}", '{"before": []}', '{"before": "a", "after": []}', '{"before": [1], "after": []}'])
)
def test_what_is_not_ours_is_no_record(text: str) -> None:
    assert PreviousPackages.from_text(text) is None
