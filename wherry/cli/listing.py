"""Lists of objects: tables with docker's columns, templates, JSON lines, bare names.

A view is a literal table from a field's name to its heading and the function that shows it.
"""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.tabwriter import align

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Field = tuple[str, Callable[[Any, bool], Any]]
    Fields = Mapping[str, Field]

ELLIPSIS = "…"


_NIL = ("Platform",)
"""Fields that docker shows as a nil pointer where they are empty."""


def truncate_id(identity: str) -> str:
    """The first twelve digits, without the algorithm."""
    return identity.partition(":")[2][:12] if ":" in identity else identity[:12]


def ellipsis(text: str, limit: int) -> str:
    """Text cut to `limit` columns, the cut shown."""
    if len(text) <= limit:
        return text
    return text[: limit - 1] + ELLIPSIS if limit > 1 else text[:limit]


def own_labels(item: Any) -> Mapping[str, str]:
    """The labels of most objects."""
    return item.get("Labels") or {}


class Row:
    """One object as a template sees it: its fields are the view's."""

    escapes_html = True

    def __init__(
        self,
        fields: Fields,
        item: Any,
        trunc: bool,
        type_name: str,
        labels: Callable[[Any], Mapping[str, str]] | None = None,
    ) -> None:
        self.fields, self.item, self.trunc, self.type_name = fields, item, trunc, type_name
        self._labels = labels or own_labels

    def __str__(self) -> str:
        """For `{{.}}`: the fields' texts, as Go prints a struct."""
        return f"{{{' '.join(str(value) for value in self.as_json().values())}}}"

    def template_field(self, name: str, arguments: Sequence[Any]) -> Any:
        """The field as text; KeyError if the view has none of that name."""
        if name == "Label" and "Labels" in self.fields:
            return str(self._labels(self.item).get(arguments[0], ""))
        value = self.fields[name][1](self.item, self.trunc)
        if value == "" and name in _NIL:
            from wherry.cli.template_values import NilPointer

            return NilPointer()
        return value

    def as_json(self) -> dict[str, Any]:
        """All fields with a capital, sorted, for `json`; the others are for columns alone."""
        found: dict[str, Any] = {}
        for name in sorted(self.fields):
            if name[0].isupper():
                value = self.fields[name][1](self.item, self.trunc)
                as_json = getattr(value, "as_json", None)
                found[name] = as_json() if as_json else value
                if value == "" and name in _NIL:
                    found[name] = None
        return found


class Headings:
    """The row above a table that a template made."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.type_name = "formatter.SubHeaderContext"

    def template_field(self, name: str, arguments: Sequence[Any]) -> str:
        """The heading; `Label` shows its argument's last part."""
        if name == "Label" and arguments:
            return _label_heading(str(arguments[0]))
        return self.fields[name][0] if name in self.fields else name.upper()


def _label_heading(label: str) -> str:
    last = label.split(".")[-1]
    return last.replace("-", " ").replace("_", " ")


def cell(value: Any) -> str:
    """A field's text in a table."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def check_template(source: str, fields: Fields, blank: Any, type_name: str) -> bool:
    """Tries a template on an object that is nobody's, so that a mistake shows at once.

    True where it asks for the size, which the engine tells only if it is asked to.
    """
    from wherry.cli.template import Template

    sized = []

    def size(item: Any, trunc: bool) -> str:
        sized.append(item)
        return ""

    trial = {**fields, "Size": (fields["Size"][0], size)} if "Size" in fields else fields
    try:
        template = Template(source)
    except CliError as error:
        reason = error.message.removeprefix("template parsing error: ")
        raise CliError(f"failed to parse template: {reason}") from error
    try:
        template.execute(Row(trial, blank, True, type_name))
    except CliError as error:
        raise CliError(f"failed to execute template: {error.message}") from error
    return bool(sized)


class Listing:
    """How a list is to be printed: its view and the user's `--format`, `-q`, `--no-trunc`."""

    def __init__(
        self,
        fields: Fields,
        columns: Sequence[str],
        *,
        template: str = "",
        quiet: str = "",
        trunc: bool = True,
        type_name: str = "",
        labels: Callable[[Any], Mapping[str, str]] = own_labels,
        raw: Sequence[str] = (),
    ) -> None:
        """`raw` are the lines of docker's old format of that name, each `label: Field`."""
        self.fields, self.columns, self.quiet = fields, columns, quiet
        self.template, self.trunc, self.type_name = template, trunc, type_name
        self.labels, self.raw = labels, raw

    def render(self, items: Iterable[Any]) -> str:
        """The whole output."""
        if self.template == "json":
            return self._json(items)
        if self.quiet and self.template in ("", "table"):
            show = self.fields[self.quiet][1]
            return "".join(f"{cell(show(item, self.trunc))}\n" for item in items)
        if self.template == "raw" and self.raw:
            return self._raw(items)
        if self.template in ("", "table"):
            rows = ["\t".join(self.fields[name][0] for name in self.columns)]
            rows += [
                "\t".join(cell(self.fields[name][1](item, self.trunc)) for name in self.columns)
                for item in items
            ]
            return align("\n".join(rows)) + "\n"
        return self._templated(items)

    def _json(self, items: Iterable[Any]) -> str:
        from wherry.client.json_text import dumps, escape_html

        rows = (Row(self.fields, item, self.trunc, "").as_json() for item in items)
        return "".join(f"{escape_html(dumps(row))}\n" for row in rows)

    def _raw(self, items: Iterable[Any]) -> str:
        lines = [line.partition(": ")[::2] for line in self.raw]
        if self.quiet:
            lines, end = [line for line in lines if line[1] == self.quiet], ""
        else:
            end = "\n"
        blocks = []
        for item in items:
            shown = [(label, cell(self.fields[name][1](item, self.trunc))) for label, name in lines]
            blocks += [f"{label}:{f' {text}' if text else ''}\n" for label, text in shown]
            blocks.append(end)
        return "".join(blocks)

    def _templated(self, items: Iterable[Any]) -> str:
        from wherry.cli.template import Template
        from wherry.cli.template_functions import HEADING_FUNCTIONS

        source = self.template
        table = source.startswith("table")
        if table:
            source = source[len("table") :].lstrip(" ")
        source = source.replace("\\t", "\t").replace("\\n", "\n")
        template = Template(source)
        try:
            rows = [
                template.execute(Row(self.fields, item, self.trunc, self.type_name, self.labels))
                for item in items
            ]
        except CliError as error:
            raise CliError(f"template parsing error: {error.message}") from error
        if not table:
            return "".join(f"{row}\n" for row in rows)
        heading = Template(source, functions=HEADING_FUNCTIONS)
        headings = heading.execute(Headings(self.fields))
        return align("\n".join([headings, *rows])) + "\n"
