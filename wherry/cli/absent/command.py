"""A command that the engine refuses: its words, its options, and the question it fails on."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.option_texts import FORMAT_HELP, FORMAT_LIST_HELP
from wherry.client.errors import ClientError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

_TEXTS = {"{format}": FORMAT_HELP, "{list}": FORMAT_LIST_HELP}

_PREFIXES = {
    "plugin upgrade": "error reading plugin data: ",
    "swarm unlock-key": "could not fetch unlock key: ",
}
"""What docker writes before the engine's refusal."""

_NOT_IN_A_SWARM = {
    "stack config": "wherry reads no stacks: use 'wherry compose config'",
    "stack deploy": 'this node is not a swarm manager. Use "docker swarm init" or '
    '"docker swarm join" to connect this node to swarm and try again',
    "swarm init": "wherry makes no swarms: use docker with an engine that has them",
    "swarm join": "wherry joins no swarms: use docker with an engine that has them",
    "swarm leave": "Error response from daemon: This node is not part of a swarm",
    "swarm unlock": "Error: This node is not part of a swarm",
}
"""What the commands say that find out by `info`, where no request is refused."""


class Absent:
    """One row of a table; `options` has a line `letter name kind text` for each option."""

    def __init__(
        self,
        syntax: str,
        arguments: tuple[int, int],
        question: str,
        options: str,
        aliases: tuple[str, ...] = (),
    ) -> None:
        """`question` is a path to GET; with `{}` it is asked for every argument, and
        empty where docker itself refuses."""
        self.syntax, self.arguments, self.question = syntax, arguments, question
        self.options, self.aliases = options, aliases


class AbsentCommand:
    """Has what a command's module has."""

    def __init__(self, path: str, row: Absent) -> None:
        self._path, self._row = path, row
        self.SYNTAX, self.ALIASES, self.ARGUMENTS = row.syntax, row.aliases, row.arguments
        if not row.question:
            self.ARGUMENTS = (0, -1)
        self.OPTIONS = option_table(row.options)
        self.INTERSPERSED = path != "service create"

    def run(self, session: Session, options: Options, operands: list[str]) -> int:
        """Asks the engine, and passes on why it will not."""
        if not self._row.question:
            raise CliError(
                f"wherry {self._path} is only supported on a Docker daemon with experimental "
                "features enabled"
            )
        if self._path == "stack deploy" and not options.items("compose-file"):
            raise CliError("Specify a Compose file (with --compose-file)")
        if self._path.endswith(" inspect"):
            session.out("[]\n")
        question = self._row.question
        targets = operands if "{}" in question else [""]
        failures = []
        for target in targets:
            try:
                answer = session.client.get(question.replace("{}", escape_path(_name(target))))
            except ClientError as error:
                failures.append(_PREFIXES.get(self._path, "") + error.message)
                continue
            state = ((answer or {}).get("Swarm") or {}).get("LocalNodeState", "active")
            if self._path in _NOT_IN_A_SWARM and state == "inactive":
                raise CliError(_NOT_IN_A_SWARM[self._path])
            raise CliError(f"wherry does not have '{self._path}': use docker with this engine")
        return session.tell_failures(failures)


def _name(target: str) -> str:
    """`web` of `web=3`, as `service scale` takes it; plugins without a tag are as they are."""
    return target.partition("=")[0]


def option_table(block: str) -> tuple[Option, ...]:
    """Options from their lines; a line that begins with blanks goes on with the text above."""
    rows: list[list[str]] = []
    for line in block.strip("\n").splitlines():
        if line.startswith(" "):
            rows[-1][3] += " " + line.strip()
        elif line:
            letter, name, kind, text = line.split(" ", 3)
            rows.append([name, letter.strip("-"), kind, text])
    return tuple((name, letter, kind, _TEXTS.get(text, text)) for name, letter, kind, text in rows)
