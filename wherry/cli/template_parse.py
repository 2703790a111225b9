"""Reads Go's text/template into a tree, as far as `--format` uses it.

A node is a tuple of its kind, its offset in the source, its own text (both for messages), and what
belongs to the kind. Statements are tuples of their kind and what belongs to it.
"""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.template_functions import FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Node = tuple[Any, ...]
    Token = tuple[str, int, int]
    """Text, and where it begins and ends in the source; texts keep an opening quote as a mark."""

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_BLANKS = " \t\r\n"
LOGIC = ("and", "or")
"""Functions whose operands are evaluated only as far as needed."""


class Reader:
    """Builds the tree of statements of one template and those that it defines."""

    def __init__(self, source: str, name: str = "") -> None:
        self.name = name
        self.defined: dict[str, list[Node]] = {}
        self._source = source
        self._closed = 0  # where the last parenthesis ended
        self._pieces = self._cut()

    def read(self) -> list[Node]:
        """All statements; raises CliError with docker's words."""
        return self._block(inner=False)[0]

    def _error(self, reason: str) -> CliError:
        return CliError(f"template parsing error: template: {self.name}:1: {reason}")

    def _cut(self) -> list[tuple[str, str, int]]:
        """Alternating text and actions, white space trimmed where `{{-` and `-}}` say so."""
        source = self._source
        pieces: list[tuple[str, str, int]] = []
        position = 0
        trim = False
        while True:
            start = source.find("{{", position)
            text = source[position:] if start < 0 else source[position:start]
            if trim:
                text = text.lstrip(_BLANKS)
            if start < 0:
                pieces.append(("text", text, position))
                return pieces
            end = self._action_end(start + 2)
            body, at = source[start + 2 : end], start + 2
            if body[:1] == "-" and body[1:2] and body[1] in _BLANKS:
                text, body, at = text.rstrip(_BLANKS), body[1:], at + 1
            trim = body.endswith("-") and body[-2:-1] != "" and body[-2] in _BLANKS
            pieces.append(("text", text, position))
            if trim:
                body = body[:-1]
            at += len(body) - len(body.lstrip())
            if not body.strip().startswith("/*"):
                pieces.append(("action", body.strip(), at))
            position = end + 2

    def _action_end(self, start: int) -> int:
        source, position, quote = self._source, start, ""
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
        raise self._error("unclosed action")

    def _tokens(self, body: str, offset: int) -> list[Token]:
        found: list[Token] = []
        position = 0
        while position < len(body):
            mark = body[position]
            end = position + 1
            if mark in _BLANKS:
                position = end
                continue
            if mark in '"`':
                text, end = self._quoted(body, position)
                text = '"' + text
            elif mark in "|(),=" or body.startswith(":=", position):
                end += mark == ":"
                text = body[position:end]
            else:
                while end < len(body) and body[end] not in ' \t\n\r|(),="`':
                    if body.startswith(":=", end):
                        break
                    end += 1
                text = body[position:end]
                if body[end : end + 1] == "(":
                    raise self._error('unexpected "(" in operand')
            if text.startswith(".") and len(text) > 1 and body[position - 1 : position] == ")":
                found[-1] = (")" + text, found[-1][1], offset + end)
            else:
                found.append((text, offset + position, offset + end))
            position = end
        return found

    def _quoted(self, body: str, start: int) -> tuple[str, int]:
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
        raise self._error("unterminated quoted string")

    def _block(self, inner: bool) -> tuple[list[Node], str, int]:
        """Statements up to `end` or `else`, which of them it was, and where it stands."""
        nodes: list[Node] = []
        while self._pieces:
            kind, body, at = self._pieces.pop(0)
            if kind == "text":
                if body:
                    nodes.append(("text", body))
                continue
            word = body.partition(" ")[0]
            rest, after = body[len(word) :], at + len(word)
            if word in ("end", "else"):
                if not inner:
                    raise self._error(f"unexpected {{{{{word}}}}}")
                return nodes, body, at
            if word in ("if", "with", "range"):
                nodes.append(self._branch(word, rest, after))
            elif word in ("break", "continue"):
                nodes.append((word,))
            elif word in ("define", "block", "template"):
                nodes += self._named(word, rest, after)
            elif not body:
                raise self._error("missing value for command")
            else:
                nodes.append(("action", self._statement(body, at)))
        if inner:
            raise self._error("unexpected EOF")
        return nodes, "", 0

    def _branch(self, word: str, rest: str, at: int) -> Node:
        statement = self._statement(rest, at, word)
        then, closing, place = self._block(True)
        otherwise: list[Node] = []
        if closing.startswith("else "):
            again = closing[5:].strip().partition(" ")[0]
            start = closing.index(again, 4) + len(again)
            otherwise = [self._branch(again, closing[start:], place + start)]
        elif closing == "else":
            otherwise = self._block(True)[0]
        return (word, statement, then, otherwise)

    def _named(self, word: str, rest: str, at: int) -> list[Node]:
        """`define`, `block` and `template`: templates with names."""
        tokens = self._tokens(rest, at)
        if not tokens or not tokens[0][0].startswith('"'):
            raise self._error(f"unexpected <{word}> without a name")
        name = tokens[0][0][1:]
        pipeline = self._pipeline(tokens[1:]) if len(tokens) > 1 else None
        if word != "template":
            self.defined[name] = self._block(True)[0]
        return [] if word == "define" else [("template", name, pipeline)]

    def _statement(self, body: str, at: int, word: str = "command") -> Node:
        """(variables, `:=` or `=` or empty, pipeline) of an action."""
        tokens = self._tokens(body, at)
        if not tokens:
            raise self._error(f"missing value for {word}")
        words = [token[0] for token in tokens]
        for operator in (":=", "="):
            if operator in words and words[0].startswith("$"):
                end = words.index(operator)
                names = [name for name in words[:end] if name != ","]
                return names, operator, self._pipeline(tokens[end + 1 :])
        return [], "", self._pipeline(tokens)

    def _pipeline(self, tokens: list[Token], nested: bool = False) -> Node:
        start = tokens[0][1] if tokens else 0
        commands: list[list[Node]] = [[]]
        bounds: list[tuple[int, int]] = []
        end = start
        while tokens:
            text, at, end = token = tokens.pop(0)
            if text.startswith(")") and nested:
                self._closed = end
                node = self._commands(commands, bounds, start)
                if len(text) > 1:
                    return ("fields", at + 1, self._source[start:end], node, text[2:].split("."))
                return node
            if text == "|":
                commands.append([])
                continue
            if len(bounds) < len(commands):
                bounds.append((at, end))
            if text == "(":
                operand = self._pipeline(tokens, nested=True)
                end = self._closed
            else:
                operand = self._operand(token)
            bounds[-1] = (bounds[-1][0], end)
            commands[-1].append(operand)
        if nested:
            raise self._error("unclosed left paren")
        return self._commands(commands, bounds, start)

    def _commands(
        self, commands: list[list[Node]], bounds: list[tuple[int, int]], start: int
    ) -> Node:
        if not all(commands):
            raise self._error("missing value for command")
        pieces = [
            ("command", at, self._source[at:end], operands)
            for operands, (at, end) in zip(commands, bounds, strict=True)
        ]
        return ("pipe", start, self._source[start : bounds[-1][1]], pieces)

    def _operand(self, token: Token) -> Node:
        text, at, end = token
        shown = self._source[at:end]
        if text.startswith('"'):
            return ("value", at, shown, text[1:])
        if text == ".":
            return ("dot", at, shown)
        if text[0] in ".$":
            return self._chain(text, at)
        if text in ("true", "false"):
            return ("value", at, shown, text == "true")
        if text == "nil":
            return ("value", at, shown, None)
        if text[0].isdigit() or (text[0] in "+-" and text[1:2].isdigit()):
            try:
                return ("value", at, shown, float(text) if "." in text else int(text, 0))
            except ValueError:
                raise self._error(f'bad number syntax: "{text}"') from None
        if text in FUNCTIONS or text in LOGIC:
            return ("function", at, shown, text)
        if text.replace("_", "").isalnum():
            raise self._error(f'function "{text}" not defined')
        raise self._error(f'unexpected "{text}" in operand')

    def _chain(self, text: str, at: int) -> Node:
        """`.A.B` and `$x.A`: Go names the place of the second part in its messages."""
        head, *names = text.split(".")
        base: Node = ("variable", at, head, head) if head else ("dot", at, ".")
        if not names:
            return base
        second = text.find(".", 1)
        return ("fields", at if second < 0 else at + second, text, base, names)
