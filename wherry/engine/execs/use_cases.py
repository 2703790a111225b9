"""All that can be done with execs, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.execs.create import CreateExec
from wherry.engine.execs.inspect import InspectExec
from wherry.engine.execs.resize import ResizeExec
from wherry.engine.execs.start import StartExec


@dataclass(frozen=True)
class ExecUseCases:
    """The use cases of execs."""

    create: CreateExec
    start: StartExec
    inspect: InspectExec
    resize: ResizeExec
