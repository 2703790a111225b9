"""The same request for many containers, all under way at once, answers told in order."""

from __future__ import annotations

from wherry.client.errors import ApiError, ClientError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wherry.cli.options import Options
    from wherry.cli.session import Session
    from wherry.client.engine import PendingAnswer

_AT_ONCE = 50


def begin_each(
    session: Session, method: str, paths: Sequence[str], query: Mapping[str, str]
) -> Iterator[PendingAnswer]:
    """Sends the requests, fifty at most before the first answer is awaited."""
    client = session.client
    under_way = [client.begin(method, path, query) for path in paths[:_AT_ONCE]]
    for position in range(len(paths)):
        yield under_way[position]
        if len(under_way) < len(paths):
            under_way.append(client.begin(method, paths[len(under_way)], query))


def finish_each(
    session: Session,
    names: Sequence[str],
    pending: Iterator[PendingAnswer],
    missing_is_fine: bool = False,
) -> int:
    """Prints the name of each that succeeded, then the failures; the exit code."""
    failures = []
    for name, answer in zip(names, pending, strict=True):
        try:
            answer.value()
        except ApiError as error:
            if not (missing_is_fine and error.status == 404):
                failures.append(error.message)
            elif missing_is_fine:
                session.warn(error.message)
        except ClientError as error:
            failures.append(error.message)
        else:
            session.line(name)
    return session.tell_failures(failures)


def post_each(session: Session, names: Sequence[str], verb: str, query: Mapping[str, str]) -> int:
    """POST /containers/NAME/VERB for every name."""
    paths = [f"/containers/{escape_path(name)}/{verb}" for name in names]
    return finish_each(session, names, begin_each(session, "POST", paths, query))


def stop_query(options: Options) -> dict[str, str]:
    """The query of stop and restart."""
    query = {}
    if options.text("signal"):
        query["signal"] = options.text("signal")
    if options.changed("timeout"):
        query["t"] = str(options.number("timeout"))
    return query
