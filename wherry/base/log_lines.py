"""How the engine's processes write their own logs: one line for each record, as dockerd's."""

import json
import logging
import time

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_NAMES = {number: name for name, number in LEVELS.items()}


class LogfmtFormatter(logging.Formatter):
    """`time="..." level=info msg="..."`; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        message = record.getMessage().replace("\\", "\\\\").replace('"', '\\"')
        message = message.replace("\n", "\\n")
        level = _NAMES.get(record.levelno, record.levelname.lower())
        line = (
            f'time="{moment}.{int(record.msecs):03d}Z" level={level} '
            f'room={record.name.removeprefix("wherry.")} msg="{message}"'
        )
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object for each record, as dockerd's `--log-format json`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record; a traceback is a field of it."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {
            "level": _NAMES.get(record.levelno, record.levelname.lower()),
            "room": record.name.removeprefix("wherry."),
            "msg": record.getMessage(),
            "time": f"{moment}.{int(record.msecs):03d}Z",
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def formatter(layout: str) -> logging.Formatter:
    """What writes lines in a layout, `text` or `json`."""
    return JsonFormatter() if layout == "json" else LogfmtFormatter()
