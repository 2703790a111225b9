"""Options of run become the create request that docker sends."""

import pytest

from wherry.cli.commands.run import OPTION_ALIASES, OPTIONS
from wherry.cli.creation.body import create_body
from wherry.cli.creation.devices import parse_device, parse_gpus
from wherry.cli.creation.mounts import parse_mount, split_volumes
from wherry.cli.creation.networks import check_mac, parse_network
from wherry.cli.creation.ports import parse_publish, port_settings
from wherry.cli.errors import CliError
from wherry.cli.options import parse


def body_of(*words):
    options, operands = parse(OPTIONS, words, interspersed=False, aliases=OPTION_ALIASES)
    return create_body(options, operands[0], operands[1:])


def test_a_plain_run_attaches_the_outputs_only():
    body = body_of("busybox", "true")
    assert (body["AttachStdin"], body["AttachStdout"], body["AttachStderr"]) == (False, True, True)
    assert body["Cmd"] == ["true"]
    assert body["HostConfig"]["NetworkMode"] == "default"
    assert body["HostConfig"]["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}


def test_an_interactive_run_closes_stdin_with_its_client():
    body = body_of("-it", "busybox")
    assert body["StdinOnce"]
    assert body["OpenStdin"]
    assert body["Tty"]
    assert body["Cmd"] is None


def test_limits_are_counted_in_bytes_and_billionths():
    host = body_of("-m", "64m", "--cpus", "1.5", "--shm-size", "1g", "busybox")["HostConfig"]
    assert host["Memory"] == 64 << 20
    assert host["NanoCpus"] == 1_500_000_000
    assert host["ShmSize"] == 1 << 30


def test_user_namespaces_may_be_automatic():
    assert body_of("--userns", "auto", "busybox")["HostConfig"]["UsernsMode"] == "auto"


def test_an_emptied_entrypoint_is_told_from_none():
    assert body_of("--entrypoint", "", "busybox")["Entrypoint"] == [""]
    assert body_of("busybox")["Entrypoint"] is None


def test_health_settings_make_a_shell_check():
    health = body_of("--health-cmd", "x", "--health-interval", "2s", "busybox")["Healthcheck"]
    assert health == {"Test": ["CMD-SHELL", "x"], "Interval": 2_000_000_000}
    assert body_of("--no-healthcheck", "busybox")["Healthcheck"] == {"Test": ["NONE"]}


def test_system_paths_can_be_left_open():
    host = body_of("--security-opt", "systempaths=unconfined", "busybox")["HostConfig"]
    assert host["MaskedPaths"] == []
    assert host["SecurityOpt"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--rm", "--restart", "always"),
            "conflicting options: cannot specify both --restart and --rm",
        ),
        (
            ("--no-healthcheck", "--health-cmd", "x"),
            "--no-healthcheck conflicts with --health-* options",
        ),
        (("--health-interval", "-1s"), "--health-interval cannot be negative"),
        (("--userns", "foo"), "--userns: invalid USER mode"),
        (("--pid", "foo"), "--pid: invalid PID mode"),
        (
            ("--memory-swappiness", "101"),
            "invalid value: 101. Valid memory swappiness range is 0-100",
        ),
        (("--mac-address", "xx"), "xx is not a valid mac address"),
        (("--log-driver", "none", "--log-opt", "a=b"), "invalid logging opts for driver none"),
        (("--storage-opt", "foo"), "invalid storage option"),
        (
            ("--network-alias", "x"),
            "network-scoped aliases are only supported for user-defined networks",
        ),
        (("--env-file", "/nope"), "open /nope: no such file or directory"),
        (
            ("--restart", "on-failure:x"),
            "invalid restart policy format: maximum retry count must be an integer",
        ),
    ],
)
def test_contradictions_are_told_in_dockers_words(words, message):
    with pytest.raises(CliError) as failure:
        body_of(*words, "busybox")
    assert failure.value.message == message


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("type=volume,src=v,dst=/d", {"Type": "volume", "Source": "v", "Target": "/d"}),
        (
            "type=bind,source=/s,target=/d,ro",
            {"Type": "bind", "Source": "/s", "Target": "/d", "ReadOnly": True},
        ),
        ("dst=/d", {"Type": "volume", "Target": "/d"}),
        (
            "type=tmpfs,dst=/d,tmpfs-size=1m,tmpfs-mode=1770",
            {
                "Type": "tmpfs",
                "Target": "/d",
                "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o1770},
            },
        ),
        (
            'type=volume,dst=/d,"volume-opt=o=a,b",volume-driver=x',
            {
                "Type": "volume",
                "Target": "/d",
                "VolumeOptions": {"DriverConfig": {"Options": {"o": "a,b"}, "Name": "x"}},
            },
        ),
        (
            "type=bind,src=/s,dst=/d,bind-recursive=disabled",
            {"Type": "bind", "Source": "/s", "Target": "/d", "BindOptions": {"NonRecursive": True}},
        ),
    ],
)
def test_mounts_are_read_from_comma_separated_fields(text, mount):
    assert parse_mount(text) == mount


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("type=foo,bar", "invalid field 'bar' must be a key=value pair"),
        ("type=bind,x=y", "unknown option 'x' in 'x=y'"),
        ("type=bind,dst=/x,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"),
        ("type=tmpfs", "target is required"),
        ("type=tmpfs,tmpfs-size=1q", "invalid value for tmpfs-size: 1q"),
        ("type=bind,src=", "invalid value for 'src': value is empty"),
        ('type="bind', 'parse error on line 1, column 6: bare " in non-quoted-field'),
    ],
)
def test_other_mounts_are_refused(text, reason):
    with pytest.raises(CliError) as failure:
        parse_mount(text)
    assert failure.value.message == reason


def test_volumes_without_a_source_are_anonymous():
    assert split_volumes(["/data", "v:/x:ro"]) == (["v:/x:ro"], {"/data": {}})


def test_relative_sources_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert split_volumes(["./a:/x"])[0] == [f"{tmp_path}/a:/x"]


@pytest.mark.parametrize(
    ("text", "mappings"),
    [
        ("80", [("80/tcp", "", "")]),
        ("8080:80", [("80/tcp", "", "8080")]),
        ("127.0.0.1::80/udp", [("80/udp", "127.0.0.1", "")]),
        ("[::1]:8080:80", [("80/tcp", "::1", "8080")]),
        ("8000-8001:80-81", [("80/tcp", "", "8000"), ("81/tcp", "", "8001")]),
        ("8000-8009:80", [("80/tcp", "", "8000-8009")]),
        ("published=8080,target=80,protocol=udp", [("80/udp", "", "8080")]),
    ],
)
def test_published_ports_are_read_in_every_spelling(text, mappings):
    assert parse_publish(text) == mappings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("99999:80", "invalid hostPort: 99999"),
        ("80:foo", "invalid containerPort: foo"),
        ("80:8000-9000", "invalid ranges specified for container and host Ports: 8000-9000 and 80"),
        ("1:2:3:4", "invalid IP address: 1:2"),
        ("80/foo", "invalid proto: foo"),
    ],
)
def test_other_ports_are_refused(text, reason):
    with pytest.raises(CliError) as failure:
        parse_publish(text)
    assert failure.value.message == reason


def test_exposed_ranges_are_counted_out():
    assert list(port_settings([], ["80-82/udp"])[1]) == ["80/udp", "81/udp", "82/udp"]


def test_a_network_may_be_given_with_its_settings():
    attachment = parse_network('name=n,alias=a,alias=b,ip=10.0.0.2,"driver-opt=k=v",gw-priority=5')
    assert attachment.target == "n"
    assert attachment.settings() == {
        "Aliases": ["a", "b"],
        "DriverOpts": {"k": "v"},
        "GwPriority": 5,
        "IPAMConfig": {"IPv4Address": "10.0.0.2"},
    }


def test_a_network_needs_a_name():
    with pytest.raises(CliError, match="network name/id is not specified"):
        parse_network("name=,alias=x")
    assert parse_network("container:web").target == "container:web"


@pytest.mark.parametrize("text", ["92:d0:c6:0a:29:33", "92-d0-c6-0a-29-33", "92d0.c60a.2933"])
def test_hardware_addresses_have_three_spellings(text):
    assert check_mac(text) == text


def test_devices_have_a_target_and_a_mode():
    assert parse_device("/dev/a") == {
        "PathOnHost": "/dev/a",
        "PathInContainer": "/dev/a",
        "CgroupPermissions": "rwm",
    }
    assert parse_device("/dev/a:/dev/b:r")["CgroupPermissions"] == "r"
    assert parse_device("/dev/a:rw")["PathInContainer"] == "/dev/a"
    with pytest.raises(CliError, match="bad mode specified: x"):
        parse_device("/dev/a:/dev/b:x")


def test_gpus_become_a_device_request():
    assert parse_gpus("all")["Count"] == -1
    assert parse_gpus('"device=0,1"')["DeviceIDs"] == ["0", "1"]
