"""One line of comma separated values, as `--mount`, `--network` and `--gpus` take it."""

from __future__ import annotations

from wherry.cli.errors import CliError


def split_csv(text: str) -> list[str]:
    """The fields of one record (RFC 4180); a comma inside quotes does not separate."""
    if '"' not in text:
        return text.split(",")
    fields: list[str] = []
    position = 0
    while True:
        if text[position : position + 1] == '"':
            field, position = _quoted_field(text, position + 1)
        else:
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            field = text[position:end]
            if '"' in field:
                column = position + field.index('"') + 1
                raise CliError(
                    f'parse error on line 1, column {column}: bare " in non-quoted-field'
                )
            position = end
        fields.append(field)
        if position >= len(text):
            return fields
        position += 1


def _quoted_field(text: str, start: int) -> tuple[str, int]:
    field = ""
    position = start
    while True:
        end = text.find('"', position)
        if end < 0:
            raise CliError(
                f'parse error on line 1, column {len(text) + 1}: extraneous or missing " '
                "in quoted-field"
            )
        field += text[position:end]
        if text[end + 1 : end + 2] == '"':
            field += '"'
            position = end + 2
            continue
        if text[end + 1 : end + 2] not in ("", ","):
            raise CliError(
                f'parse error on line 1, column {end + 1}: extraneous or missing " in quoted-field'
            )
        return field, end + 1
