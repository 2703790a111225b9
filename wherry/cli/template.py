"""Runs Go's text/template as far as `--format` uses it: fields, pipelines, variables, branches."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.template_functions import FUNCTIONS, TEXTS
from wherry.cli.template_parse import LOGIC, Reader
from wherry.cli.template_values import (
    FunctionError,
    GoRaw,
    GoStruct,
    NilPointer,
    go_text,
    go_type,
    truth,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from wherry.cli.template_parse import Node

    Scope = dict[str, Any]


class _Stop(Exception):
    """`break` or `continue` inside a range."""


class Template:
    """A parsed template."""

    def __init__(
        self, source: str, name: str = "", functions: Mapping[str, Callable[..., Any]] = FUNCTIONS
    ) -> None:
        """Raises CliError for a text that is no template; the name is for messages."""
        reader = Reader(source, name)
        self._nodes = reader.read()
        self._defined = reader.defined
        self._name, self._source, self._functions = name, source, functions

    def execute(self, data: Any) -> str:
        """The text for a value; raises CliError for what Go refuses to evaluate."""
        output: list[str] = []
        self._run(self._nodes, data, {"$": data}, output)
        return "".join(output)

    def _error(self, node: Node, reason: str) -> CliError:
        before = self._source[: node[1]]
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") if line > 1 else 0)
        return CliError(
            f'template: {self._name}:{line}:{column}: executing "{self._name}" at <{node[2]}>: '
            f"{reason}"
        )

    def _run(self, nodes: list[Node], dot: Any, scope: Scope, output: list[str]) -> None:
        for node in nodes:
            match node[0]:
                case "text":
                    output.append(node[1])
                case "action":
                    value = self._assign(node[1], dot, scope)
                    if not node[1][1]:
                        output.append(go_text(value))
                case "if":
                    inner = dict(scope)
                    value = self._assign(node[1], dot, inner)
                    self._run(node[2] if truth(value) else node[3], dot, inner, output)
                case "with":
                    inner = dict(scope)
                    value = self._assign(node[1], dot, inner)
                    if truth(value):
                        self._run(node[2], value, inner, output)
                    else:
                        self._run(node[3], dot, inner, output)
                case "range":
                    self._range(node, dot, scope, output)
                case "template":
                    self._call_template(node, dot, scope, output)
                case word:
                    raise _Stop(word)

    def _call_template(self, node: Node, dot: Any, scope: Scope, output: list[str]) -> None:
        _, name, pipeline = node
        if name not in self._defined:
            raise CliError(f'template: {self._name}: template "{name}" not defined')
        value = self._evaluate(pipeline, dot, scope) if pipeline else None
        self._run(self._defined[name], value, {"$": value}, output)

    def _assign(self, statement: Node, dot: Any, scope: Scope) -> Any:
        names, operator, pipeline = statement
        value = self._evaluate(pipeline, dot, scope)
        if operator:
            scope[names[-1]] = value
        return value

    def _range(self, node: Node, dot: Any, scope: Scope, output: list[str]) -> None:
        names, _, pipeline = node[1]
        value = self._evaluate(pipeline, dot, scope)
        if isinstance(value, GoStruct):
            raise self._error(pipeline, f"range can't iterate over {go_text(value)}")
        if isinstance(value, dict):
            pairs: list[tuple[Any, Any]] = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(number, number) for number in range(value)]
        elif isinstance(value, str | bool | float):
            raise self._error(pipeline, f"range can't iterate over {go_text(value)}")
        else:
            pairs = list(enumerate(value or ()))
        if not pairs:
            self._run(node[3], dot, scope, output)
        for key, item in pairs:
            inner = dict(scope)
            if names:
                inner[names[-1]] = item
                if len(names) > 1:
                    inner[names[0]] = key
            try:
                self._run(node[2], item, inner, output)
            except _Stop as stop:
                if stop.args[0] == "break":
                    return

    def _evaluate(self, node: Node, dot: Any, scope: Scope) -> Any:
        match node[0]:
            case "pipe":
                return self._pipe(node[3], dot, scope)
            case "value":
                return node[3]
            case "dot":
                return dot
            case "variable":
                if node[3] not in scope:
                    raise CliError(
                        f"template parsing error: template: {self._name}:1: undefined variable "
                        f'"{node[3]}"'
                    )
                return scope[node[3]]
            case "fields":
                return self._fields(node, [], dot, scope)
        return self._call(node, node[3], [])

    def _pipe(self, commands: list[Node], dot: Any, scope: Scope) -> Any:
        value: Any = None
        for index, command in enumerate(commands):
            head, *operands = command[3]
            if head[0] == "function" and head[3] in LOGIC:
                value = self._logic(head[3], operands, [value] if index else [], dot, scope)
                continue
            arguments = [self._evaluate(operand, dot, scope) for operand in operands]
            if index:
                arguments.append(value)
            if head[0] == "function":
                self._check_texts(head, operands, arguments)
                value = self._call(command, head[3], arguments)
            elif head[0] == "fields" and arguments:
                value = self._fields(head, arguments, dot, scope)
            elif arguments:
                raise self._error(head, f"can't give argument to non-function {head[2]}")
            else:
                value = self._evaluate(head, dot, scope)
        return value

    def _check_texts(self, head: Node, operands: list[Node], arguments: list[Any]) -> None:
        """Refuses what is no text where a function wants one; what was piped is the function's."""
        for position in TEXTS.get(head[3], ()):
            if position < len(arguments) and not isinstance(arguments[position], str):
                place = operands[position] if position < len(operands) else head
                found = go_type(arguments[position])
                raise self._error(place, f"wrong type for value; expected string; got {found}")

    def _logic(
        self, name: str, operands: list[Node], last: list[Any], dot: Any, scope: Scope
    ) -> Any:
        value: Any = None
        for operand in operands:
            value = self._evaluate(operand, dot, scope)
            if truth(value) == (name == "or"):
                return value
        return last[0] if last else value

    def _call(self, node: Node, name: str, arguments: list[Any]) -> Any:
        try:
            return self._functions[name](*arguments)
        except FunctionError as error:
            raise self._error(node, f"error calling {name}: {error}") from error
        except TypeError as error:
            reason = f"wrong number or type of args for {name}"
            raise self._error(node, f"{reason}: got {len(arguments)}") from error

    def _fields(self, node: Node, arguments: list[Any], dot: Any, scope: Scope) -> Any:
        value = self._evaluate(node[3], dot, scope)
        for index, name in enumerate(node[4]):
            last = arguments if index == len(node[4]) - 1 else []
            value = self._field(node, value, name, last)
        return value

    def _field(self, node: Node, value: Any, name: str, arguments: list[Any]) -> Any:
        member = getattr(value, "template_field", None)
        if member is not None:
            try:
                return member(name, arguments)
            except KeyError:
                reason = f"can't evaluate field {name} in type {value.type_name}"
                raise self._error(node, reason) from None
        if isinstance(value, GoStruct) and name not in value:
            if value.type_name:
                raise self._error(node, f"can't evaluate field {name} in type {value.type_name}")
            try:
                return value.missing(name)
            except KeyError:
                raise self._error(node, f'map has no entry for key "{name}"') from None
        if isinstance(value, GoRaw) and name not in value:
            raise self._error(node, f'map has no entry for key "{name}"')
        if isinstance(value, dict):
            return value.get(name)
        if value is None or isinstance(value, NilPointer):
            raise self._error(node, f"nil pointer evaluating interface {{}}.{name}")
        raise self._error(node, f"can't evaluate field {name} in type {go_type(value)}")
