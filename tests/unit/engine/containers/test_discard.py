"""Limits that a machine cannot keep."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.discard import DISCARDED, REFUSED, discard_unsupported
from wherry.linux.cgroup.facilities import FACILITIES
from wherry.model.docker.container import HostConfig, Resources, UpdateRequest


def test_what_can_be_kept_stays_as_it_is() -> None:
    host = HostConfig(memory=1 << 26, memory_swappiness=3, pids_limit=9)
    assert discard_unsupported(host, FACILITIES) == (host, [])


def test_a_limit_without_its_facility_is_discarded_with_a_warning() -> None:
    host = HostConfig(memory_swappiness=3, pids_limit=9)
    kept, warnings = discard_unsupported(host, FACILITIES - {"memory.swappiness"})
    assert kept == HostConfig(pids_limit=9)
    assert warnings == [
        "Your kernel does not support memory swappiness capabilities or the cgroup is not "
        "mounted. Memory swappiness discarded."
    ]


def test_without_memory_groups_the_swap_limit_that_follows_goes_silently() -> None:
    kept, warnings = discard_unsupported(HostConfig(memory=1 << 26, memory_swap=1 << 27), set())
    assert kept == HostConfig()
    assert len(warnings) == 1


def test_a_swap_limit_alone_that_is_unlimited_is_nobodys_loss() -> None:
    assert discard_unsupported(HostConfig(memory_swap=-1), set())[1] == []


def test_processor_quotas_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="NanoCPUs can not be set"):
        discard_unsupported(UpdateRequest(nano_cpus=5), set())


def test_the_tables_name_fields_and_facilities_that_exist() -> None:
    fields = set(Resources.__struct_fields__)
    assert {name for names, _, _ in DISCARDED for name in names} <= fields
    assert {name for name, _, _ in REFUSED} <= fields
    named = {facility for _, facility, _ in DISCARDED} | {facility for _, facility, _ in REFUSED}
    assert named - {"windows"} == FACILITIES
