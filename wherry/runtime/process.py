"""The last steps of a process before its program: limits, identity, capabilities, exec."""

import errno
import os
import resource
import stat

from wherry.base.files import naming
from wherry.linux import capability, fd, process, seccomp
from wherry.linux.syscall import SyscallError
from wherry.runtime.errors import ExecutableNotFound, ExecutableRefused, StartFailed
from wherry.runtime.operations import ProcessPlan
from wherry.runtime.users import Identity, look_up

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def become(
    plan: ProcessPlan, keep: int, *, make_directory: bool = False
) -> tuple[str, dict[str, str]]:
    """Turns the caller into what the plan says; returns the program's path and environment.

    To be called inside the container's namespaces and root, with the standard streams in place;
    `keep` is the one other descriptor that stays until exec closes it. With `make_directory` the
    working directory is made if it is missing, as for a container's first process. Raises
    StartFailed, ExecutableNotFound, ExecutableRefused, UserNotFound.
    """
    process.reset_signals()
    os.umask(0o022 if plan.umask is None else plan.umask)
    set_limits(plan.rlimits)
    if plan.oom_score_adj is not None and not process.set_oom_score(plan.oom_score_adj):
        # Without CAP_SYS_RESOURCE the score only rises: stay at the daemon's, as Docker does.
        process.set_oom_score(max(plan.oom_score_adj, _oom_score()))
    if plan.new_keyring:
        process.join_session_keyring("_ses.wherry")
    identity = _identity(plan)
    environment = _environment(plan, identity)
    if make_directory:
        _make_directory(plan.cwd)
    _enter_directory(plan.cwd)
    _own_streams(identity)
    _set_label(plan)
    if plan.seccomp and not plan.no_new_privileges:
        # Loading takes CAP_SYS_ADMIN, which goes with the identity.
        _load_seccomp(plan)
    _set_identity(plan, identity)
    path = find_program(plan.args, environment, plan.cwd)
    if plan.no_new_privileges:
        process.set_no_new_privileges()
        if plan.seccomp:
            _load_seccomp(plan)
    fd.set_cloexec_from(3 + plan.preserve_fds)
    os.set_inheritable(keep, False)
    return path, environment


def _oom_score() -> int:
    with open("/proc/self/oom_score_adj") as file:
        return int(file.read())


def set_limits(limits: tuple[tuple[str, int, int], ...]) -> None:
    """Sets resource limits; without CAP_SYS_RESOURCE a hard limit is capped at the present one."""
    for name, soft, hard in limits:
        number = getattr(resource, name, None)
        if number is None:
            raise StartFailed(f"limit {name} does not exist")
        try:
            resource.setrlimit(number, (soft, hard))
        except ValueError as error:
            if "current limit exceeds maximum limit" in str(error):
                raise StartFailed(f"error setting rlimit {name}: {soft} is above {hard}") from error
            _cap_limit(number, name, soft, hard)
        except PermissionError:
            _cap_limit(number, name, soft, hard)


def _cap_limit(number: int, name: str, soft: int, hard: int) -> None:
    _, present = resource.getrlimit(number)

    def capped(value: int) -> int:
        if present == resource.RLIM_INFINITY:
            return value
        return present if value == resource.RLIM_INFINITY else min(value, present)

    try:
        resource.setrlimit(number, (capped(soft), capped(hard)))
    except (OSError, ValueError) as error:
        raise StartFailed(f"error setting rlimit {name}: {error}") from error


def raise_limits(limits: tuple[tuple[str, int, int], ...]) -> None:
    """Raises hard limits as far as wanted, while the caller still may: a user namespace may not."""
    for name, _, hard in limits:
        number = getattr(resource, name, None)
        if number is None:
            continue  # `set_limits` says so
        soft, present = resource.getrlimit(number)
        unlimited = resource.RLIM_INFINITY
        if present != unlimited and (hard == unlimited or hard > present):
            try:
                resource.setrlimit(number, (soft, hard))
            except (PermissionError, ValueError):
                continue  # it stays as it is, without CAP_SYS_RESOURCE or above fs.nr_open


def _identity(plan: ProcessPlan) -> Identity:
    if plan.user or plan.group_add:
        found = look_up(plan.user, plan.group_add)
        # With its own group among them a process cannot shed it to pass a check (CVE-2022-36109).
        return found._replace(groups=tuple(dict.fromkeys((found.gid, *found.groups))))
    home = look_up(str(plan.uid), ()).home
    groups = plan.groups
    if not groups and not plan.user and not plan.gid:
        groups = look_up(str(plan.uid), ()).groups
    return Identity(plan.uid, plan.gid, groups, home)


def _environment(plan: ProcessPlan, identity: Identity) -> dict[str, str]:
    environment: dict[str, str] = {}
    for item in plan.env:
        name, equals, value = item.partition("=")
        if equals:
            environment[name] = value
    environment.setdefault("HOME", identity.home)
    return environment


def _make_directory(path: str) -> None:
    if not os.path.isdir(path):
        try:
            os.makedirs(path, mode=0o755, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise StartFailed(f'chdir to cwd ("{path}") set in config.json failed: '
                              "not a directory") from error  # fmt: skip
        except OSError as error:
            if error.errno != errno.EROFS:
                raise


def _enter_directory(path: str) -> None:
    """Enters the working directory, and makes sure that it lies inside the root."""
    try:
        os.chdir(path)
    except OSError as error:
        raise StartFailed(
            f'chdir to cwd ("{path}") set in config.json failed: {_reason(error)}'
        ) from error
    try:
        inside = os.getcwd().startswith("/")
    except OSError:
        inside = False
    if not inside:
        raise StartFailed("current working directory is outside of container mount namespace root")


def _own_streams(identity: Identity) -> None:
    """Standard streams belong to the user, so that it can open /dev/stdout again."""
    for stream in (0, 1, 2):
        found = os.fstat(stream)
        if found.st_uid == identity.uid or (stat.S_ISCHR(found.st_mode) and not os.isatty(stream)):
            continue
        try:
            os.fchown(stream, identity.uid, found.st_gid)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EPERM, errno.EROFS):
                raise


def _set_label(plan: ProcessPlan) -> None:
    for value, path in (
        (plan.apparmor_profile and f"exec {plan.apparmor_profile}", "apparmor/exec"),
        (plan.selinux_label, "exec"),
    ):
        if not value:
            continue
        for candidate in (f"/proc/self/attr/{path}", "/proc/self/attr/exec"):
            if os.path.exists(candidate):
                with naming(f"{candidate}: {value}"), open(candidate, "w") as file:
                    file.write(value)
                break


def _set_identity(plan: ProcessPlan, identity: Identity) -> None:
    masks = {
        name: capability.mask(plan.capabilities.get(name, ()))
        for name in ("bounding", "effective", "permitted", "inheritable", "ambient")
    }
    _, held, _ = capability.capget()
    bounded = masks["bounding"]
    capability.set_bounding(bounded)
    process.set_keep_capabilities(True)
    try:
        os.setgroups(identity.groups)
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)
    except OSError as error:
        raise StartFailed(f"cannot become uid {identity.uid} gid {identity.gid}: "
                          f"{_reason(error)}") from error  # fmt: skip
    process.set_keep_capabilities(False)
    permitted = masks["permitted"] & held
    effective = masks["effective"] & held
    if identity.uid != 0:
        # The kernel empties these sets at exec of a plain program; the filter still needs some.
        permitted &= masks["ambient"] | capability.mask(("CAP_SYS_ADMIN",)) & permitted
    capability.capset(effective & permitted, permitted, masks["inheritable"] & permitted)
    capability.set_ambient(masks["ambient"] & permitted & masks["inheritable"])


def _load_seccomp(plan: ProcessPlan) -> None:
    try:
        seccomp.load_filter(plan.seccomp)
    except SyscallError as error:
        if error.errno != errno.EACCES:
            raise StartFailed(f"cannot load the seccomp filter: {error}") from error
        process.set_no_new_privileges()
        seccomp.load_filter(plan.seccomp)


def find_program(args: tuple[str, ...], environment: dict[str, str], cwd: str) -> str:
    """The path of a program, searched as execvp(3) does, with runc's words for what is wrong."""
    if not args or not args[0]:
        raise ExecutableNotFound('exec: "": executable file not found in $PATH')
    name = args[0]
    if "/" in name:
        _check_executable(name, name)
        return name
    refused = False
    for directory in environment.get("PATH", _DEFAULT_PATH).split(":"):
        candidate = f"{directory or '.'}/{name}"
        try:
            found = os.stat(candidate)
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode):
            continue
        if os.access(candidate, os.X_OK, effective_ids=True):
            return candidate
        refused = True
    if refused:
        raise ExecutableRefused(f'exec: "{name}": permission denied')
    raise ExecutableNotFound(f'exec: "{name}": executable file not found in $PATH')


def _check_executable(name: str, path: str) -> None:
    try:
        found = os.stat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise ExecutableNotFound(f'exec: "{name}": stat {name}: {_reason(error)}') from error
        raise ExecutableRefused(f'exec: "{name}": {_reason(error)}') from error
    if stat.S_ISDIR(found.st_mode):
        raise ExecutableRefused(f'exec: "{name}": is a directory')
    if not os.access(path, os.X_OK, effective_ids=True):
        raise ExecutableRefused(f'exec: "{name}": permission denied')


def execute(path: str, args: tuple[str, ...], environment: dict[str, str]) -> None:
    """execve(2); raises ExecutableNotFound or ExecutableRefused in runc's words."""
    try:
        os.execve(path, list(args), environment)
    except OSError as error:
        message = f"exec {path}: {_reason(error)}"
        if error.errno == errno.ENOENT:
            raise ExecutableNotFound(message) from error
        raise ExecutableRefused(message) from error


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown error").lower()
