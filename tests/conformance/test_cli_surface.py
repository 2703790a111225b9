"""The table of commands and options, held against `--help` of every command of the docker CLI."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tests.support.needs import needs_newest_docker
from tests.support.wherry_cli import WarmWherry
from wherry.cli.examples import EXAMPLES
from wherry.cli.main import GLOBAL_OPTIONS, load_command
from wherry.cli.options import parse
from wherry.cli.table import GROUPS, resolve

pytestmark = needs_newest_docker

MISSING = {
    "build": "builds are buildx's: the words are passed to its plugin",
    "builder build": "the same",
    "image build": "the same",
    "manifest annotate": "the CLI would speak to registries by itself; skopeo and buildx do",
    "manifest create": "the same",
    "manifest inspect": "the same; `buildx imagetools inspect` shows manifests",
    "manifest push": "the same",
    "manifest rm": "the same",
    "trust inspect": "signatures of Notary 1, gone from docker 29",
    "trust key generate": "the same",
    "trust key load": "the same",
    "trust revoke": "the same",
    "trust sign": "the same",
    "trust signer add": "the same",
    "trust signer remove": "the same",
}
"""Commands of docker that `wherry` lacks, or whose options it does not read, with the reason."""

OUR_OWN: dict[str, str] = {
    "daemon": "docker's is a program of its own, dockerd",
    "volume clone": "a first wish of users that docker never granted",
    "volume export": "the same",
    "volume import": "the same",
}
"""Commands that docker lacks."""

OUR_OWN_OPTIONS: dict[tuple[str, str], str] = {
    ("container logs", "grep"): "searches on the engine instead of carrying everything over",
    ("container update", "log-opt"): "bounds the log of a container that runs",
    ("container update", "mount-add"): "changes a container that exists instead of losing it",
    ("container update", "mount-rm"): "the same",
    ("container update", "publish-add"): "the same",
    ("container update", "publish-rm"): "the same",
}
"""(command, option) that docker lacks, with the reason."""

OTHER_HELP = {
    "run": "docker shows Windows's options to an engine that it cannot reach",
    "create": "the same; and docker's help has a slip",
    "start": "docker shows checkpoints to an engine that it cannot reach",
    "service create": "docker's help has a blank at the end of a line",
    "service update": "the same",
    "logs": "has an option of our own",
    "update": "has options of our own",
}
"""Commands whose help is not docker's word for word, with the reason."""

HIDDEN_COMMANDS = ("completion bash", "completion fish", "completion zsh", "system dial-stdio")
"""Commands that docker's help does not show."""

HIDDEN_OPTIONS = (
    ("run", "dns-opt"),
    ("run", "net"),
    ("run", "net-alias"),
    ("create", "dns-opt"),
    ("create", "net"),
    ("create", "net-alias"),
    ("restart", "time"),
    ("stop", "time"),
)
"""Options that docker takes and its help does not show."""

_OPTION = re.compile(r"^  (?:-(.), |    )--(\S+)(?: (\S+))?(?:  .*)?$")
_COMMAND = re.compile(r"^  (\S+)  ")

Shown = dict[str, tuple[str, str]]


def helped(path: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "DOCKER_HOST": "unix:///nonexistent.sock",
    }
    return subprocess.run(
        ["docker", *path.split(), "--help"], env=environment, capture_output=True, check=True,
        text=True, timeout=60,
    ).stdout  # fmt: skip


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(title, line) of every line below a title."""
    title = ""
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][A-Za-z ]*:", line):
            title = line[:-1]
        elif line and not line.startswith(" "):
            title = ""
        elif title and line:
            yield title, line


def commands_below(text: str) -> list[str]:
    return [
        found[1].rstrip("*")
        for title, line in sections(text)
        if title.endswith("ommands") and (found := _COMMAND.match(line))
    ]


def options_of(text: str) -> Shown:
    """Letter and kind of every option."""
    return {
        found[2]: (found[1] or "", found[3] or "")
        for title, line in sections(text)
        if title.endswith("Options") and (found := _OPTION.match(line))
    }


@cache
def dockers_commands() -> dict[str, str]:
    """The help of every command that has no commands below it, by its words."""
    found: dict[str, str] = {}
    level = [""]
    with ThreadPoolExecutor(4) as pool:
        while level:
            texts = list(pool.map(helped, level))
            below: list[str] = []
            for path, text in zip(level, texts, strict=True):
                names = commands_below(text)
                below += [f"{path} {name}".strip() for name in names]
                if not names:
                    found[path] = text
            level = below
    return found


def test_every_command_of_docker_is_there_or_its_absence_has_a_reason() -> None:
    missing = [
        path
        for path in dockers_commands()
        if (found := resolve(path.split())) is None or found[2] < len(path.split())
    ]
    without_options = [path for path in missing if path not in MISSING]
    assert without_options == []


def test_what_is_listed_as_missing_is_missing() -> None:
    """A reason that no longer holds is removed from the list."""
    for path in MISSING:
        assert path in dockers_commands(), f"docker has no {path}"
        found = resolve(path.split())
        assert found is None or not load_command(found[1]).OPTIONS, f"{path} is there"


def test_every_option_of_docker_is_there_with_its_letter_and_kind() -> None:
    wrong = []
    for path, text in dockers_commands().items():
        if path in MISSING:
            continue
        found = resolve(path.split())
        assert found
        ours = {option[0]: option for option in load_command(found[1]).OPTIONS}
        for name, (letter, kind) in options_of(text).items():
            if name == "help":
                continue
            if name not in ours:
                wrong.append(f"{path} --{name} is missing")
            elif ours[name][1] != letter:
                wrong.append(f"{path} -{letter} for --{name}")
            elif (ours[name][2] == "bool") != (kind == ""):
                wrong.append(f"{path} --{name} {kind}")
    assert wrong == []


def test_no_option_is_shown_that_docker_lacks_but_those_listed() -> None:
    extra = set()
    for path, text in dockers_commands().items():
        found = resolve(path.split())
        if path not in MISSING and found:
            theirs = options_of(text)
            extra |= {
                (path, option[0])
                for option in load_command(found[1]).OPTIONS
                if option[3] and option[0] not in theirs
            }
    shortened = {(path.removeprefix("container "), name) for path, name in OUR_OWN_OPTIONS}
    assert extra == set(OUR_OWN_OPTIONS) | shortened


def test_help_is_dockers_word_for_word_and_has_examples_below(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    different = set()
    with WarmWherry() as wherry:
        for path, theirs in dockers_commands().items():
            if path in MISSING:
                continue
            _, out, _ = wherry.run([*path.split(), "--help"], environment, tmp_path)
            if out.partition("\nExamples:\n")[0].replace("wherry", "docker") != theirs:
                different.add(path.removeprefix("container "))
    assert different == set(OTHER_HELP)


def test_every_example_is_understood() -> None:
    for key, rows in EXAMPLES.items():
        for _, line in rows:
            words = shlex.split(line)
            found = resolve(words)
            assert found, line
            assert found[1] == key, line
            command = load_command(key)
            _, operands = parse(
                command.OPTIONS,
                words[found[2] :],
                interspersed=getattr(command, "INTERSPERSED", True),
            )
            least, most = command.ARGUMENTS
            assert least <= len(operands) and (most < 0 or len(operands) <= most), line


def test_the_global_options_are_dockers() -> None:
    theirs = options_of(helped(""))
    ours = {
        option[0]: (option[1], "" if option[2] == "bool" else option[2])
        for option in GLOBAL_OPTIONS
    }
    assert ours == theirs


def test_hidden_commands_and_options_are_taken_by_both() -> None:
    for path in HIDDEN_COMMANDS:
        found = resolve(path.split())
        assert found
        assert found[2] == len(path.split())
        assert f"Usage:  docker {path}" in helped(path)
    for path, name in HIDDEN_OPTIONS:
        found = resolve([path])
        assert found
        assert name in {option[0] for option in load_command(found[1]).OPTIONS}
        answer = subprocess.run(
            ["docker", path, f"--{name}"], capture_output=True, text=True, check=False, timeout=60
        )
        assert answer.stderr.startswith(f"flag needs an argument: --{name}")


def test_the_groups_are_dockers_with_the_same_commands_shown() -> None:
    for name, (_, ours) in GROUPS.items():
        theirs = set(commands_below(helped(name))) - {"powershell"}
        theirs |= {path.split()[1] for path in OUR_OWN if path.startswith(f"{name} ")}
        theirs -= {path.split()[1] for path in MISSING if path.startswith(f"{name} ")} - set(ours)
        assert set(ours) == theirs, name


def test_commands_of_our_own_are_those_listed() -> None:
    from wherry.cli.table import COMMANDS

    known = {*dockers_commands(), *HIDDEN_COMMANDS}
    aliases = {found[1] for path in known if (found := resolve(path.split()))}
    assert set(COMMANDS) - aliases == set(OUR_OWN)
