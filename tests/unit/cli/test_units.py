"""Sizes and durations are go-units'."""

import pytest

from wherry.cli.errors import CliError
from wherry.cli.units import (
    bytes_size,
    human_duration,
    human_size,
    parse_cpus,
    parse_duration,
    ram_in_bytes,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("32", 32),
        ("32b", 32),
        ("32B", 32),
        ("32k", 32 << 10),
        ("32KiB", 32 << 10),
        ("32kb", 32 << 10),
        ("32 mb", 32 << 20),
        ("32.5kB", 33280),
        ("1g", 1 << 30),
        ("2T", 2 << 40),
        ("0.3 K", 307),
    ],
)
def test_sizes_are_read(text, size):
    assert ram_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "hello", "-32", " 32 ", "32m b", "32bm", "1_0", "32jb"])
def test_other_sizes_are_refused(text):
    with pytest.raises(CliError, match="invalid"):
        ram_in_bytes(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (1048576, "1.049MB"), (5.5e9, "5.5GB")],
)
def test_sizes_are_shown_in_powers_of_a_thousand(size, text):
    assert human_size(size) == text


def test_sizes_are_shown_in_powers_of_1024():
    assert bytes_size(1 << 20) == "1MiB"
    assert bytes_size(25_275_203_584) == "23.54GiB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (180, "3 minutes"),
        (3600, "About an hour"),
        (3 * 3600, "3 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (3 * 365 * 86400, "3 years"),
    ],
)
def test_durations_are_shown_roughly(seconds, text):
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1m30s", 90_000_000_000),
        ("1.5h", 5_400_000_000_000),
        ("250ms", 250_000_000),
        ("0", 0),
        ("-2s", -2_000_000_000),
    ],
)
def test_durations_are_read(text, nanoseconds):
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5", 'time: missing unit in duration "5"'),
        ("", 'time: invalid duration ""'),
        ("x", 'time: invalid duration "x"'),
        ("5y", 'time: unknown unit "y" in duration "5y"'),
    ],
)
def test_other_durations_are_refused(text, reason):
    with pytest.raises(CliError) as failure:
        parse_duration(text)
    assert failure.value.message == reason


def test_cpus_are_fractions():
    assert parse_cpus("1.5") == 1_500_000_000
    assert parse_cpus("1/2") == 500_000_000
    with pytest.raises(CliError, match="failed to parse x as a rational number"):
        parse_cpus("x")
    with pytest.raises(CliError, match="value is too precise"):
        parse_cpus("0.0000000001")
