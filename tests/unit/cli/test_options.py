"""The option parser follows pflag."""

import pytest

from wherry.cli.errors import HelpRequested, UsageError
from wherry.cli.options import parse

TABLE = (
    ("all", "a", "bool", "Everything"),
    ("env", "e", "env", "Set environment variables"),
    ("interactive", "i", "bool", "Keep STDIN open"),
    ("memory", "m", "bytes", "Memory limit"),
    ("name", "", "string", "Assign a name"),
    ("platform", "", "strings", "Platforms"),
    ("sig-proxy", "", "bool", "Proxy signals (default true)", True),
    ("tty", "t", "bool", "Allocate a pseudo-TTY"),
    ("swap", "", "swap", "Swap"),
    ("network", "", "network", "Networks"),
    ("net", "", "network", ""),
)


def test_letters_of_switches_can_be_joined():
    options, operands = parse(TABLE, ["-it", "busybox"])
    assert options.flag("interactive")
    assert options.flag("tty")
    assert operands == ["busybox"]


@pytest.mark.parametrize(
    "words", [["-m", "64m"], ["-m64m"], ["-m=64m"], ["--memory", "64m"], ["--memory=64m"]]
)
def test_a_value_is_taken_in_every_spelling(words):
    options, operands = parse(TABLE, words)
    assert options.number("memory") == 64 << 20
    assert operands == []


def test_a_value_may_follow_a_cluster_of_switches():
    options, _ = parse(TABLE, ["-itm", "1k"])
    assert options.number("memory") == 1024


def test_a_switch_takes_a_value_only_behind_an_equals_sign():
    options, operands = parse(TABLE, ["--sig-proxy=false", "--all", "false"])
    assert not options.flag("sig-proxy")
    assert options.flag("all")
    assert operands == ["false"]


def test_defaults_hold_until_changed():
    options, _ = parse(TABLE, [])
    assert options.flag("sig-proxy")
    assert not options.changed("sig-proxy")
    assert options.text("name") == ""


def test_options_end_at_the_first_operand_of_run():
    options, operands = parse(TABLE, ["-a", "busybox", "ls", "-a"], interspersed=False)
    assert options.flag("all")
    assert operands == ["busybox", "ls", "-a"]


def test_options_go_on_after_operands_elsewhere():
    options, operands = parse(TABLE, ["x", "-a", "y"])
    assert options.flag("all")
    assert operands == ["x", "y"]


def test_two_dashes_end_the_options():
    _, operands = parse(TABLE, ["--", "-a"])
    assert operands == ["-a"]


def test_one_dash_is_an_operand():
    assert parse(TABLE, ["-"])[1] == ["-"]


def test_lists_collect_their_values_and_strings_split_at_commas():
    options, _ = parse(TABLE, ["-e", "A=1,2", "--env", "B=", "--platform", "a,b"])
    assert options.items("env") == ["A=1,2", "B="]
    assert options.items("platform") == ["a", "b"]


def test_an_older_spelling_fills_the_newer_option():
    options, _ = parse(TABLE, ["--net", "host"], aliases={"net": "network"})
    assert options.items("network") == ["host"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--foo"], "unknown flag: --foo"),
        (["-Z"], "unknown shorthand flag: 'Z' in -Z"),
        (["-aZb"], "unknown shorthand flag: 'Z' in -Zb"),
        (["--memory"], "flag needs an argument: --memory"),
        (["-m"], "flag needs an argument: 'm' in -m"),
        (
            ["-m", "abc"],
            'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\'',
        ),
        (
            ["--all=foo"],
            'invalid argument "foo" for "-a, --all" flag: '
            'strconv.ParseBool: parsing "foo": invalid syntax',
        ),
        (
            ["-e", ""],
            'invalid argument "" for "-e, --env" flag: invalid environment variable: ',
        ),
    ],
)
def test_what_is_not_understood_is_told_in_dockers_words(words, message):
    with pytest.raises(UsageError) as failure:
        parse(TABLE, words)
    assert failure.value.message == message
    assert failure.value.code == 125


def test_help_is_asked_for_by_its_name():
    with pytest.raises(HelpRequested):
        parse(TABLE, ["--help"])


def test_a_variable_without_value_takes_the_environments(monkeypatch):
    monkeypatch.setenv("WHERRY_TEST", "here")
    options, _ = parse(TABLE, ["-e", "WHERRY_TEST", "-e", "WHERRY_NOT_SET"])
    assert options.items("env") == ["WHERRY_TEST=here", "WHERRY_NOT_SET"]


def test_swap_may_be_unlimited():
    assert parse(TABLE, ["--swap", "-1"])[0].number("swap") == -1
