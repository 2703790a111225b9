"""Tables, help texts, names and keys are docker's."""

import pytest

from wherry.cli.container_fields import ports_text
from wherry.cli.copying import CopyPoint, asserts_directory, prepare, preserve_ending, renamed
from wherry.cli.errors import CliError
from wherry.cli.help import option_lines
from wherry.cli.image_fields import image_rows
from wherry.cli.listing import Listing, ellipsis, truncate_id
from wherry.cli.main import load_command
from wherry.cli.progress import bar
from wherry.cli.reference import parse_reference
from wherry.cli.table import COMMANDS, GROUPS, resolve
from wherry.cli.tabwriter import align
from wherry.cli.terminal import DetachFilter, parse_detach_keys
from wherry.cli.timestamps import api_timestamp

FIELDS = {
    "ID": ("CONTAINER ID", lambda item, trunc: truncate_id(item["Id"]) if trunc else item["Id"]),
    "Names": ("NAMES", lambda item, trunc: item["Names"]),
}
ITEMS = [{"Id": "f" * 64, "Names": "web", "Labels": {"a": "b"}}]


def test_columns_have_a_width_of_ten_and_three_blanks_between():
    assert align("A\tB\nlonger-than-ten\tx") == "A                 B\nlonger-than-ten   x"
    assert align("A\tB") == "A         B"


def test_a_column_ends_where_a_line_lacks_its_cell():
    assert align("aaaaaaaaaaaaaa\tb\nplain\nc\td") == "aaaaaaaaaaaaaa   b\nplain\nc         d"


def test_a_list_is_a_table_unless_told_otherwise():
    listing = Listing(FIELDS, ("ID", "Names"))
    assert listing.render(ITEMS) == "CONTAINER ID   NAMES\nffffffffffff   web\n"


def test_a_list_may_be_quiet_json_or_templated():
    assert Listing(FIELDS, (), quiet="ID").render(ITEMS) == "ffffffffffff\n"
    assert Listing(FIELDS, (), template="json").render(ITEMS) == (
        '{"ID":"ffffffffffff","Names":"web"}\n'
    )
    assert Listing(FIELDS, (), template="{{.Names}}!").render(ITEMS) == "web!\n"
    table = Listing(FIELDS, (), template="table {{.Names}}\\t{{.ID}}").render(ITEMS)
    assert table == "NAMES     CONTAINER ID\nweb       ffffffffffff\n"


def test_functions_change_the_rows_of_a_table_not_its_headings():
    source = "table {{json .Names}}\\t{{lower .Names}}\\t{{truncate .ID 3}}"
    table = Listing(FIELDS, (), template=source).render(ITEMS)
    assert table == 'NAMES     NAMES     CONTAINER ID\n"web"     web       fff\n'


def test_long_text_is_cut_with_an_ellipsis():
    assert ellipsis("abcdef", 4) == "abc…"
    assert ellipsis("abc", 4) == "abc"


def test_help_is_wrapped_behind_the_longest_option():
    options = (
        ("all", "a", "bool", "Show all containers (default shows just running)"),
        ("filter", "f", "filter", "Filter output based on conditions provided"),
        ("hidden", "", "string", ""),
    )
    assert option_lines(options, 60) == (
        "  -a, --all             Show all containers (default\n"
        "                        shows just running)\n"
        "  -f, --filter filter   Filter output based on\n"
        "                        conditions provided\n"
    )


def test_every_command_of_a_group_can_be_found():
    for group, (_, names) in GROUPS.items():
        for name in names:
            assert resolve([group, name]) is not None, f"{group} {name}"
    assert resolve(["container", "ls", "-a"]) == ("container ls", "ps", 2)
    assert resolve(["nope"]) is None


@pytest.mark.parametrize("key", sorted(COMMANDS))
def test_every_command_has_a_module_with_its_table(key):
    module = load_command(key)
    assert callable(module.run)
    names = [option[0] for option in module.OPTIONS]
    letters = [option[1] for option in module.OPTIONS if option[1]]
    assert len(set(names)) == len(names)
    assert len(set(letters)) == len(letters)


@pytest.mark.parametrize(
    ("text", "name", "familiar"),
    [
        ("busybox", "docker.io/library/busybox", "busybox:latest"),
        ("a/b:1", "docker.io/a/b", "a/b:1"),
        ("docker.io/library/x", "docker.io/library/x", "x:latest"),
        ("localhost:5000/x", "localhost:5000/x", "localhost:5000/x:latest"),
        ("ghcr.io/a/b@sha256:" + "0" * 64, "ghcr.io/a/b", "ghcr.io/a/b@sha256:" + "0" * 64),
    ],
)
def test_references_have_a_normal_and_a_familiar_form(text, name, familiar):
    reference = parse_reference(text).tagged()
    assert reference.name == name
    assert reference.familiar == familiar


@pytest.mark.parametrize(
    "text", ["BAD", "a:b:c", "a//b", "-x", "a@sha256:12", "", "x:" + "t" * 129]
)
def test_other_references_are_refused(text):
    with pytest.raises(CliError, match="invalid reference format"):
        parse_reference(text)


def test_an_image_has_a_row_for_every_name():
    image = {"Id": "sha256:1", "RepoTags": ["a:1", "b:2"], "RepoDigests": ["a@sha256:d"]}
    assert [(row["name"], row["tag"]) for row in image_rows([image], False)] == [
        ("a", "1"),
        ("b", "2"),
    ]
    assert image_rows([image], True)[0]["digest"] == "sha256:d"
    assert image_rows([{"Id": "x"}], False)[0]["name"] == "<none>"


def test_ports_are_drawn_together():
    def port(private, public=None, address=None, kind="tcp"):
        return {"PrivatePort": private, "PublicPort": public, "IP": address, "Type": kind}

    assert ports_text([port(80, 8080, "0.0.0.0"), port(90)]) == "90/tcp, 0.0.0.0:8080->80/tcp"
    assert ports_text([port(n, n, "0.0.0.0") for n in (80, 81, 82)]) == ("0.0.0.0:80-82->80-82/tcp")
    assert ports_text([port(80, 1, "::")]) == "[::]:1->80/tcp"


def test_detach_keys_are_control_characters_or_letters():
    assert parse_detach_keys("ctrl-p,ctrl-q") == b"\x10\x11"
    assert parse_detach_keys("a,ctrl-[") == b"a\x1b"
    with pytest.raises(CliError, match="Unknown character"):
        parse_detach_keys("foo")


def test_detach_keys_are_held_back_until_they_are_told_from_input():
    keys = DetachFilter(b"\x10\x11")
    assert keys.feed(b"ab\x10") == (b"ab", False)
    assert keys.feed(b"c") == (b"\x10c", False)
    assert keys.feed(b"\x10\x10\x11") == (b"\x10", True)


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        (CopyPoint("/a/f", True), CopyPoint("/d", True, True), ("/d", "f", "f")),
        (CopyPoint("/a/f", True), CopyPoint("/d/g"), ("/d", "f", "g")),
        (CopyPoint("/a/f", True), CopyPoint("/d/g", True), ("/d", "f", "g")),
        (CopyPoint("/a/x", True, True), CopyPoint("/d/y"), ("/d", "x", "y")),
        (CopyPoint("/a/x/.", True, True), CopyPoint("/d", True, True), ("/d", ".", ".")),
        (CopyPoint("/a/x/.", True, True), CopyPoint("/d/y"), ("/d", ".", "y")),
    ],
)
def test_a_copy_lands_where_cp_would_put_it(source, destination, result):
    assert prepare(source, destination) == result


def test_a_copy_that_cp_refuses_is_refused():
    with pytest.raises(CliError, match="cannot copy directory"):
        prepare(CopyPoint("/a", True, True), CopyPoint("/f", True))
    with pytest.raises(CliError, match="no such directory"):
        prepare(CopyPoint("/a", True), CopyPoint("/d/new/"))


def test_members_are_renamed_at_their_first_part():
    assert renamed("x/y/z", "x", "n") == "n/y/z"
    assert renamed("x", "x", "n") == "n"
    assert renamed("./y", ".", "n") == "n/y"
    assert asserts_directory("a/.")
    assert preserve_ending("/a", "a/") == "/a/"


def test_progress_has_a_bar_where_there_is_room():
    detail = {"current": 500_000, "total": 1_000_000}
    assert bar(detail, 80) == "   500kB/1MB"
    assert bar(detail, 120) == f"[{'=' * 25}>{' ' * 25}]    500kB/1MB"
    assert bar({}, 80) == ""


def test_times_are_unix_times_durations_or_dates():
    assert api_timestamp("1700000000") == "1700000000"
    assert api_timestamp("2023-11-14T22:13:20Z") == "1700000000.000000000"
    with pytest.raises(CliError, match='failed to parse value as time or duration: "x"'):
        api_timestamp("x")
