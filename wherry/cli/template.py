"""Go's text/template as far as `--format` uses it: fields, pipelines, variables, if, with, range.

Definitions and nested templates are not there.
"""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.template_functions import FUNCTIONS, go_text, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Node = tuple[Any, ...]
    Scope = dict[str, Any]

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def _parse_error(reason: str) -> CliError:
    return CliError(f"template parsing error: template: :1: {reason}")


def _cut(source: str) -> list[tuple[str, str]]:
    """Alternating text and actions, white space trimmed where `{{-` and `-}}` say so."""
    pieces: list[tuple[str, str]] = []
    position = 0
    trim = False
    while True:
        start = source.find("{{", position)
        text = source[position:] if start < 0 else source[position:start]
        if trim:
            text = text.lstrip(" \t\r\n")
        if start < 0:
            pieces.append(("text", text))
            return pieces
        end = _action_end(source, start + 2)
        body = source[start + 2 : end]
        if body[:1] == "-" and body[1:2] in (" ", "\t", "\n"):
            text, body = text.rstrip(" \t\r\n"), body[1:]
        trim = body.endswith("-") and body[-2:-1] in (" ", "\t", "\n")
        pieces.append(("text", text))
        body = body[:-1].strip() if trim else body.strip()
        if not body.startswith("/*"):
            pieces.append(("action", body))
        position = end + 2


def _action_end(source: str, start: int) -> int:
    position = start
    quote = ""
    while position < len(source):
        mark = source[position]
        if quote:
            if mark == "\\" and quote == '"':
                position += 1
            elif mark == quote:
                quote = ""
        elif mark in '"`':
            quote = mark
        elif source.startswith("}}", position):
            return position
        position += 1
    raise _parse_error("unclosed action")


def _tokens(body: str) -> list[str]:
    """Words of an action; texts keep an opening quote as their mark."""
    found: list[str] = []
    position = 0
    while position < len(body):
        mark = body[position]
        if mark in " \t\n\r":
            position += 1
        elif mark in '"`':
            text, position = _quoted(body, position)
            found.append('"' + text)
        elif mark in "|(),=" or body.startswith(":=", position):
            size = 2 if mark == ":" else 1
            found.append(body[position : position + size])
            position += size
        else:
            end = position
            while end < len(body) and body[end] not in ' \t\n\r|(),="`':
                if body.startswith(":=", end):
                    break
                end += 1
            found.append(body[position:end])
            position = end
            if body[end : end + 1] == "(":
                raise _parse_error('unexpected "(" in operand')
    return _attach_fields(body, found)


def _attach_fields(body: str, found: list[str]) -> list[str]:
    """Marks the fields of a parenthesis, `(x).Name`, as `).Name` for the parser."""
    if ")." not in body:
        return found
    joined: list[str] = []
    for token in found:
        if joined and joined[-1] == ")" and token.startswith(".") and len(token) > 1:
            joined[-1] = ")" + token
        else:
            joined.append(token)
    return joined


def _quoted(body: str, start: int) -> tuple[str, int]:
    quote, position, text = body[start], start + 1, ""
    while position < len(body):
        mark = body[position]
        if mark == quote:
            return text, position + 1
        if mark == "\\" and quote == '"':
            position += 1
            text += _ESCAPES.get(body[position : position + 1], body[position : position + 1])
        else:
            text += mark
        position += 1
    raise _parse_error("unterminated quoted string")


class _Expression:
    """Reads one pipeline from its tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def pipeline(self, nested: bool = False) -> Node:
        commands: list[list[Node]] = [[]]
        while self.tokens:
            token = self.tokens.pop(0)
            if token.startswith(")") and nested:
                if not commands[-1]:
                    raise _parse_error("missing value for parenthesized pipeline")
                node: Node = ("pipe", commands)
                return ("fields", node, token[2:].split(".")) if len(token) > 1 else node
            if token == "|":
                commands.append([])
            elif token == "(":
                commands[-1].append(self.pipeline(nested=True))
            else:
                commands[-1].append(_operand(token))
        if nested:
            raise _parse_error("unclosed left paren")
        if not all(commands):
            raise _parse_error("missing value for command")
        return ("pipe", commands)


def _operand(token: str) -> Node:
    if token.startswith('"'):
        return ("value", token[1:])
    if token == ".":
        return ("dot",)
    if token.startswith("."):
        return ("fields", ("dot",), token[1:].split("."))
    if token.startswith("$"):
        name, _, rest = token.partition(".")
        return ("fields", ("variable", name), rest.split(".")) if rest else ("variable", name)
    if token in ("true", "false"):
        return ("value", token == "true")
    if token == "nil":
        return ("value", None)
    if token[0].isdigit() or (token[0] in "+-" and token[1:2].isdigit()):
        try:
            return ("value", float(token) if "." in token else int(token, 0))
        except ValueError:
            raise _parse_error(f'bad number syntax: "{token}"') from None
    if token in FUNCTIONS or token in ("and", "or"):
        return ("function", token)
    if token.replace("_", "").isalnum():
        raise _parse_error(f'function "{token}" not defined')
    raise _parse_error(f'unexpected "{token}" in operand')


def _statement(body: str) -> tuple[list[str], str, Node]:
    """(variables, `:=` or `=` or empty, pipeline) of an action."""
    tokens = _tokens(body)
    for operator in (":=", "="):
        if operator in tokens and tokens[0].startswith("$"):
            at = tokens.index(operator)
            names = [token for token in tokens[:at] if token != ","]
            return names, operator, _Expression(tokens[at + 1 :]).pipeline()
    return [], "", _Expression(tokens).pipeline()


class _Reader:
    """Builds the tree of statements."""

    def __init__(self, source: str) -> None:
        self.pieces = _cut(source)

    def block(self, inner: bool) -> tuple[list[Node], str]:
        """Statements up to `end` or `else`, and which of them it was."""
        nodes: list[Node] = []
        while self.pieces:
            kind, body = self.pieces.pop(0)
            if kind == "text":
                if body:
                    nodes.append(("text", body))
                continue
            word, _, rest = body.partition(" ")
            if word in ("end", "else"):
                if not inner:
                    raise _parse_error(f"unexpected {{{{{word}}}}}")
                return nodes, body
            if word in ("if", "with", "range"):
                nodes.append(self.branch(word, rest))
            elif word in ("break", "continue"):
                nodes.append((word,))
            elif not body:
                raise _parse_error("missing value for command")
            else:
                nodes.append(("action", *_statement(body)))
        if inner:
            raise _parse_error("unexpected EOF")
        return nodes, ""

    def branch(self, word: str, rest: str) -> Node:
        statement = _statement(rest)
        then, closing = self.block(True)
        otherwise: list[Node] = []
        if closing.startswith("else "):
            again, _, condition = closing[5:].strip().partition(" ")
            otherwise = [self.branch(again, condition)]
        elif closing == "else":
            otherwise, _ = self.block(True)
        return (word, statement, then, otherwise)


class _Stop(Exception):
    """`break` or `continue` inside a range."""


class Template:
    """A parsed template."""

    def __init__(self, source: str, functions: dict[str, Callable[..., Any]] | None = None) -> None:
        self._functions = {**FUNCTIONS, **(functions or {})}
        self._nodes, _ = _Reader(source).block(False)
        self._strict = False

    def execute(self, data: Any, strict: bool = False) -> str:
        """The text for a value; strict refuses keys that a map lacks (`missingkey=error`)."""
        self._strict = strict
        output: list[str] = []
        self._run(self._nodes, data, {"$": data}, output)
        return "".join(output)

    def _run(self, nodes: list[Node], dot: Any, scope: Scope, output: list[str]) -> None:
        for node in nodes:
            match node[0]:
                case "text":
                    output.append(node[1])
                case "action":
                    value = self._assign(node[1:], dot, scope)
                    if not node[1]:
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
                case word:
                    raise _Stop(word)

    def _assign(self, statement: Node, dot: Any, scope: Scope) -> Any:
        names, operator, pipeline = statement
        value = self._evaluate(pipeline, dot, scope)
        if operator:
            scope[names[-1]] = value
        return value

    def _range(self, node: Node, dot: Any, scope: Scope, output: list[str]) -> None:
        names, _, pipeline = node[1]
        value = self._evaluate(pipeline, dot, scope)
        if isinstance(value, dict):
            pairs: list[tuple[Any, Any]] = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(number, number) for number in range(value)]
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
                return self._pipe(node[1], dot, scope)
            case "value":
                return node[1]
            case "dot":
                return dot
            case "variable":
                if node[1] not in scope:
                    raise _parse_error(f'undefined variable "{node[1]}"')
                return scope[node[1]]
            case "fields":
                return self._fields(self._evaluate(node[1], dot, scope), node[2], [])
        return self._call(node[1], [], dot, scope)

    def _pipe(self, commands: list[list[Node]], dot: Any, scope: Scope) -> Any:
        value: Any = None
        for index, command in enumerate(commands):
            head, operands = command[0], command[1:]
            if head[0] == "function" and head[1] in ("and", "or"):
                value = self._logic(head[1], operands, [value] if index else [], dot, scope)
                continue
            arguments = [self._evaluate(operand, dot, scope) for operand in operands]
            if index:
                arguments.append(value)
            if head[0] == "function":
                value = self._call(head[1], arguments, dot, scope)
            elif head[0] == "fields" and arguments:
                value = self._fields(self._evaluate(head[1], dot, scope), head[2], arguments)
            elif arguments:
                raise CliError("can't give argument to non-function")
            else:
                value = self._evaluate(head, dot, scope)
        return value

    def _logic(
        self, name: str, operands: list[Node], last: list[Any], dot: Any, scope: Scope
    ) -> Any:
        value: Any = None
        for operand in operands:
            value = self._evaluate(operand, dot, scope)
            if truth(value) == (name == "or"):
                return value
        return last[0] if last else value

    def _call(self, name: str, arguments: list[Any], dot: Any, scope: Scope) -> Any:
        try:
            return self._functions[name](*arguments)
        except TypeError as error:
            raise CliError(
                f'template: :1:2: executing "" at <{name}>: error calling {name}: {error}'
            ) from error

    def _fields(self, value: Any, names: list[str], arguments: list[Any]) -> Any:
        for index, name in enumerate(names):
            last = arguments if index == len(names) - 1 else []
            value = self._field(value, name, last)
        return value

    def _field(self, value: Any, name: str, arguments: list[Any]) -> Any:
        member = getattr(value, "template_field", None)
        if member is not None:
            try:
                return member(name, arguments)
            except KeyError:
                raise CliError(
                    f'template: :1:2: executing "" at <.{name}>: can\'t evaluate field {name} '
                    f"in type {value.type_name}"
                ) from None
        if isinstance(value, dict):
            if name not in value and self._strict:
                raise CliError(
                    f'template: :1:2: executing "" at <.{name}>: map has no entry for key "{name}"'
                )
            return value.get(name)
        if value is None:
            if self._strict:
                raise CliError(
                    f'template: :1:2: executing "" at <.{name}>: nil pointer evaluating '
                    f"interface {{}}.{name}"
                )
            return None
        raise CliError(
            f'template: :1:2: executing "" at <.{name}>: can\'t evaluate field {name} in type '
            f"{type(value).__name__}"
        )
