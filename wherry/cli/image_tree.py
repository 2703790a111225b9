"""`images --tree`: images with the platforms of their indexes (docker/cli `image/tree.go`)."""

from __future__ import annotations

from wherry.cli.listing import ellipsis, truncate_id
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Row = tuple[str, str, str, str, bool]
    """Name, ID, disk usage, content size, whether a container uses it."""

_WARNING = (
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on."
)
_SPACING = 3
_NARROWEST = 12
_OTHER_COLUMNS = (("ID", 12, False), ("DISK USAGE", 10, True), ("CONTENT SIZE", 12, True))
_EXTRA = ("EXTRA", 5, False)
_BOLD, _DIM, _DEFAULT, _BLUE = "\x1b[1m", "\x1b[2m", "\x1b[39m", "\x1b[34m"
_YELLOW, _CYAN, _CHIP, _END = "\x1b[93m", "\x1b[96m", "\x1b[38;5;0m\x1b[48;5;14m", "\x1b[0m"


class ImageTree:
    """Draws for an output of `width` columns; in colour on a terminal alone."""

    def __init__(self, images: list[dict[str, Any]], width: int, colour: bool) -> None:
        self._width, self._colour = width, colour
        newest_first = sorted(images, key=lambda image: -int(image.get("Created") or 0))
        self._images = [(_names(image), *_rows(image)) for image in newest_first]
        self._spaced = any(children for _, _, children in self._images)
        self._columns = self._fitting()

    def _fitting(self) -> list[tuple[str, int, bool]]:
        """The columns that fit, the first as narrow as its longest value lets it be."""
        left = self._width
        kept: list[tuple[str, int, bool]] = []
        for column in (*_OTHER_COLUMNS, _EXTRA):
            if left - column[1] - _SPACING < _NARROWEST:
                break
            left -= column[1] + _SPACING
            kept.append(column)
        widest = len("IMAGE")
        for names, top, children in self._images:
            values = [*names, top[0], *(f"├─ {child[0]}" for child, _ in children)]
            widest = max(widest, *(len(value) for value in values))
        return [("IMAGE", min(left, widest), False), *kept]

    def draw(self) -> str:
        """The whole text."""
        lines = [self._paint(_WARNING, _YELLOW), self._legend(), ""]
        heads = [
            _padded(name, width, right, f"{_DEFAULT}{_BOLD}{name}{_END}")
            for name, width, right in self._columns
        ]
        lines.append((" " * _SPACING).join(heads).rstrip(" "))
        for names, top, children in self._images:
            lines += [self._paint(name, _BLUE + _BOLD) for name in names[:-1]]
            style = _BLUE + _BOLD if names else _DEFAULT + _DIM
            lines.append(self._line(top, style, _DEFAULT))
            for position, (child, available) in enumerate(children):
                branch = "└─ " if position == len(children) - 1 else "├─ "
                style = _DEFAULT if available else _DEFAULT + _DIM
                lines.append(self._line((branch + child[0], *child[1:]), style, style))
            if self._spaced:
                lines.append("")
        return "".join(f"{line}\n" for line in lines)

    def _legend(self) -> str:
        if not self._colour:
            return "Info ->  U In Use ".rjust(self._width)
        shown = (
            f"{_BOLD}\x1b[106m\x1b[30mi{_END}{_END} {_CYAN}Info → {_END}{_END} "
            f"{_CHIP} U {_END} In Use "
        )
        return " " * (self._width - len("i Info →   U  In Use ")) + shown

    def _line(self, row: Row, first: str, others: str) -> str:
        cells = []
        for (_, width, right), value in zip(self._columns, row, strict=False):
            if not isinstance(value, str):
                chip = f"{_CHIP} U {_END}  " if self._colour else "U    "
                cells.append(chip if value else " " * width)
                continue
            text = ellipsis(value, width)
            style = others if cells else first
            cells.append(_padded(text, width, right, self._paint(text, style)))
        return (" " * _SPACING).join(cells)

    def _paint(self, text: str, style: str) -> str:
        return f"{style}{text}{_END}" if self._colour else text


def _padded(text: str, width: int, right: bool, shown: str) -> str:
    fill = " " * (width - len(text))
    return fill + shown if right else shown + fill


def _names(image: dict[str, Any]) -> list[str]:
    """The longest first: the last one stands in the line with the numbers."""
    return sorted(image.get("RepoTags") or (), key=lambda name: -len(name))


def _rows(image: dict[str, Any]) -> tuple[Row, list[tuple[Row, bool]]]:
    """The image's own row, and those of its platforms with whether they are here."""
    children = []
    used = int(image.get("Containers") or 0) > 0
    content = 0
    for manifest in image.get("Manifests") or ():
        if manifest.get("Kind") != "image":
            continue
        data, size = manifest.get("ImageData") or {}, manifest.get("Size") or {}
        platform = data.get("Platform") or {}
        parts = (platform.get(name) for name in ("os", "architecture", "variant"))
        in_use = bool(data.get("Containers"))
        used = used or in_use
        content += int(size.get("Content") or 0)
        row: Row = (
            "/".join(part for part in parts if part),
            truncate_id(manifest["ID"]),
            human_size(size.get("Total") or 0, 3),
            human_size(size.get("Content") or 0, 3),
            in_use,
        )
        children.append((row, bool(manifest.get("Available"))))
    names = _names(image)
    top: Row = (
        names[-1] if names else "<untagged>",
        truncate_id(image["Id"]),
        human_size(image.get("Size") or 0, 3),
        human_size(content, 3),
        used,
    )
    return top, children
