"""`exec`: a further process in a running container."""

import os

import msgspec

from wherry.base.errors import WherryError
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.process import set_child_subreaper
from wherry.model.runtime_spec import Process
from wherry.oci_cli.commands.run import wait
from wherry.oci_cli.console import Relay, forward_signals, send_master
from wherry.oci_cli.container import Container, open_container
from wherry.oci_cli.creation import preserved, write_pid
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values
from wherry.runtime.enter import enter
from wherry.runtime.launch import Streams
from wherry.runtime.operations import ProcessPlan
from wherry.runtime.plan import process_plan

FAILED = 255
"""runc's exit code when the process could not be run at all."""


def run(root: str, values: Values, log: Log) -> int:
    """Returns the process's exit code, or 0 at once when detached."""
    try:
        return _run(root, values)
    except (WherryError, OSError) as error:
        reason = error.message if isinstance(error, WherryError) else str(error)
        text = f"exec failed: unable to start container process: {reason}"
        raise RuntimeFailure(text, FAILED) from error
    except RuntimeFailure as error:
        raise RuntimeFailure(f"exec failed: {error.message}", FAILED) from error


def _run(root: str, values: Values) -> int:
    container = open_container(root, values.words[0])
    status = container.status()
    if status == "paused" and not values.flag("ignore-paused"):
        raise RuntimeFailure("cannot exec in a paused container (use --ignore-paused to override)")
    if status == "stopped" or status == "creating":
        raise RuntimeFailure("cannot exec in a stopped container")
    plan = _plan(container, values)
    socket_path = values.text("console-socket")
    if plan.terminal and values.flag("detach") and not socket_path:
        raise RuntimeFailure("cannot allocate tty if wherry-runtime will detach without setting "
                             "console socket")  # fmt: skip
    if socket_path and not plan.terminal:
        raise RuntimeFailure("cannot use console socket if wherry-runtime will not detach or "
                             "allocate tty")  # fmt: skip
    set_child_subreaper()
    record = container.known()
    launched = enter(
        lambda: plan, record.pid, record.cgroup_path, CgroupLayout.detect(), Streams(0, 1, 2)
    )  # fmt: skip
    if socket_path:
        send_master(socket_path, launched.console)
    if values.text("pid-file"):
        write_pid(values.text("pid-file"), launched.pid)
    if values.flag("detach"):
        return 0
    forward_signals(launched.pid)
    if launched.console >= 0 and not socket_path:
        Relay(launched.console).run()
    return wait(launched.pid)


def _plan(container: Container, values: Values) -> ProcessPlan:
    """The container's own process, but for a whole process file, or for what options say."""
    base = msgspec.structs.replace(
        container.plan().process, oom_score_adj=None, preserve_fds=preserved(values)
    )
    if values.text("process"):
        return _from_file(base, values.text("process"))
    command = values.words[1:]
    if not command:
        raise RuntimeFailure("process args cannot be empty")
    changes: dict[str, object] = {
        "args": tuple(command),
        "terminal": values.flag("tty"),
        "env": (*base.env, *values.all("env")),
        "cwd": values.text("cwd", base.cwd),
        "groups": (*base.groups, *_numbers(values.all("additional-gids"))),
        "apparmor_profile": values.text("apparmor", base.apparmor_profile),
        "selinux_label": values.text("process-label", base.selinux_label),
        "no_new_privileges": values.flag("no-new-privs") or base.no_new_privileges,
        "capabilities": _with_capabilities(base.capabilities, values.all("cap")),
    }
    if values.text("user"):
        uid, _, gid = values.text("user").partition(":")
        changes["uid"] = _numbers([uid])[0]
        changes["gid"] = _numbers([gid])[0] if gid else base.gid
    return msgspec.structs.replace(base, **changes)


def _from_file(base: ProcessPlan, path: str) -> ProcessPlan:
    try:
        with open(path, "rb") as file:
            process = msgspec.json.decode(file.read(), type=Process)
    except msgspec.MsgspecError as error:
        raise RuntimeFailure(f"{os.path.basename(path)}: {error}") from None
    if not process.args:
        raise RuntimeFailure("args must not be empty")
    return process_plan(
        process, seccomp=base.seccomp, preserve_fds=base.preserve_fds, new_keyring=base.new_keyring
    )


def _with_capabilities(
    sets: dict[str, tuple[str, ...]], added: list[str]
) -> dict[str, tuple[str, ...]]:
    return {name: tuple(dict.fromkeys((*members, *added))) for name, members in sets.items()}


def _numbers(texts: list[str]) -> list[int]:
    wrong = [text for text in texts if not text.isdecimal()]
    if wrong:
        raise RuntimeFailure(f"parsing {wrong[0]} as a numeric id: invalid syntax")
    return [int(text) for text in texts]
