"""The client finds its engine, its credentials and its proxies where docker keeps them."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wherry.client import credentials
from wherry.client.config_file import ConfigFile
from wherry.client.contexts import context_name, resolve_endpoint
from wherry.client.errors import ClientError
from wherry.client.json_text import JsonStream, dumps, indent, loads
from wherry.client.ssh import ssh_arguments
from wherry.client.stdcopy import Demultiplexer


def config_with(directory, **content):
    (directory / "config.json").write_text(json.dumps(content))
    return ConfigFile.load(str(directory))


def test_the_host_option_comes_before_the_environment_and_the_context(tmp_path):
    config = config_with(tmp_path, currentContext="far")
    environment = {"DOCKER_HOST": "tcp://b:1"}
    assert resolve_endpoint(config, environment, host="tcp://a:1").host == "tcp://a:1"
    assert resolve_endpoint(config, environment).host == "tcp://b:1"
    assert context_name(config, {}, "", "") == "far"
    assert context_name(config, {"DOCKER_CONTEXT": "near"}, "", "") == "near"
    with pytest.raises(ClientError, match="cannot specify both --host and --context"):
        context_name(config, {}, "tcp://a", "x")


def test_without_any_word_the_engines_own_socket_is_used(tmp_path):
    config = ConfigFile.load(str(tmp_path))
    assert resolve_endpoint(config, {}).host == "unix:///run/wherry/wherry.sock"


def test_a_context_names_its_host_and_certificates(tmp_path):
    digest = hashlib.sha256(b"far").hexdigest()
    meta = tmp_path / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(
        json.dumps({"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:2376"}}})
    )
    (tmp_path / "contexts" / "tls" / digest / "docker").mkdir(parents=True)
    endpoint = resolve_endpoint(ConfigFile.load(str(tmp_path)), {}, context="far")
    assert endpoint.host == "tcp://far:2376"
    assert endpoint.tls is not None
    assert endpoint.tls.verify
    with pytest.raises(ClientError, match='context "none": context not found'):
        resolve_endpoint(ConfigFile.load(str(tmp_path)), {}, context="none")


def test_tls_is_asked_for_by_the_environment(tmp_path):
    config = ConfigFile.load(str(tmp_path))
    environment = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}
    endpoint = resolve_endpoint(config, environment, host="tcp://a:2376")
    assert endpoint.tls is not None
    assert (endpoint.tls.ca, endpoint.tls.verify) == ("/certs/ca.pem", True)
    assert resolve_endpoint(config, {}, host="tcp://a:2376").tls is None


def test_credentials_are_kept_and_forgotten_in_the_file(tmp_path):
    config = config_with(tmp_path, other=1)
    assert credentials.store(config, "reg:5000", {"username": "u", "password": "p:q"})
    again = ConfigFile.load(str(tmp_path))
    found = credentials.find(again, "reg:5000")
    assert (found["username"], found["password"]) == ("u", "p:q")
    assert again.content["other"] == 1
    assert stat.S_IMODE(os.stat(again.path).st_mode) == 0o600
    credentials.erase(again, "reg:5000")
    assert credentials.find(ConfigFile.load(str(tmp_path)), "reg:5000") == {}


def test_credentials_may_be_a_programs(tmp_path, monkeypatch):
    program = tmp_path / "docker-credential-fake"
    program.write_text(
        '#!/bin/sh\nread server\n[ "$server" = reg ] || '
        '{ echo "credentials not found in native keychain"; exit 1; }\n'
        'echo \'{"Username":"u","Secret":"s"}\'\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    config = config_with(tmp_path, credHelpers={"reg": "fake", "other": "fake"})
    assert credentials.find(config, "reg")["password"] == "s"
    assert credentials.find(config, "other") == {}
    with pytest.raises(ClientError, match="executable file not found"):
        credentials.find(config_with(tmp_path, credsStore="missing"), "reg")


def test_proxies_are_given_to_containers_unless_the_user_did(tmp_path):
    config = config_with(tmp_path, proxies={"default": {"httpProxy": "http://p"}})
    given = {"HTTP_PROXY": "mine", "BARE": None}
    assert config.proxy_environment("unix:///x", given) == [
        "HTTP_PROXY=mine",
        "BARE",
        "http_proxy=http://p",
    ]


def test_a_broken_file_is_told_and_counts_as_empty(tmp_path):
    (tmp_path / "config.json").write_text('{"currentContext": "x"')
    config = ConfigFile.load(str(tmp_path))
    assert "Error parsing config file" in config.warning
    assert "unexpected EOF" in config.warning
    assert config.content == {}


def test_broken_json_is_told_also_where_nothing_of_the_json_package_is_loaded():
    """CPython's scanner takes its exception from `json.decoder`, if that was imported."""
    source = """
import sys
sys.path.insert(0, sys.argv[1])
from wherry.client.errors import ClientError
from wherry.client.json_text import JsonStream, loads
for text in sys.argv[2:]:
    assert "json" not in sys.modules or text != sys.argv[2]
    try:
        loads(text)
    except ClientError as error:
        print(error.message.partition(":")[0])
stream = JsonStream()
print(stream.feed(b'{"a": [1, {"b"'), stream.feed(b': 2}]} {"c'), stream.feed(b'":3}'))
"""
    root = Path(__file__).resolve().parents[3]
    for first in ('{"a": 1', '{"a" 1}', "{"):
        done = subprocess.run(
            [sys.executable, "-I", "-c", source, str(root), first, "[1,"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout.endswith("[] [{'a': [1, {'b': 2}]}] [{'c': 3}]\n")
        assert "unexpected EOF" in done.stdout or "invalid JSON" in done.stdout


def test_ssh_runs_our_own_end_on_the_other_side():
    *options, command = ssh_arguments("me@host:22")
    assert options[-6:] == ["-l", "me", "-p", "22", "--", "host"]
    assert "wherry system dial-stdio; exec docker system dial-stdio" in command
    assert "--host unix:///run/x.sock system" in ssh_arguments("host/run/x.sock")[-1]
    with pytest.raises(ClientError, match="no plain socket path"):
        ssh_arguments("host/run/x';reboot")
    with pytest.raises(ClientError, match="no host specified"):
        ssh_arguments("")


def test_json_is_read_and_written_as_go_does():
    assert loads(b'{"a":[1,2.5,null,true,"\\u00e9"]}') == {"a": [1, 2.5, None, True, "é"]}
    assert dumps({"é": "<"}) == '{"é":"<"}'
    assert indent([{}, {"a": [1]}, []]) == (
        '[\n    {},\n    {\n        "a": [\n            1\n        ]\n    },\n    []\n]'
    )
    for broken in (b"{", b'{"a":"', b"nope", b"[1,"):
        with pytest.raises(ClientError):
            loads(broken)


def test_a_stream_of_json_may_be_cut_anywhere():
    text = '{"status":"é"}\n{"n":[1,2]}\r\n{"x":"}"}'.encode()
    for size in range(1, len(text)):
        stream = JsonStream()
        values = [
            value
            for start in range(0, len(text), size)
            for value in stream.feed(text[start : start + size])
        ]
        assert values == [{"status": "é"}, {"n": [1, 2]}, {"x": "}"}]


def test_multiplexed_output_may_be_cut_anywhere():
    text = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x02er\x01\0\0\0\0\0\0\0"
    for size in range(1, len(text)):
        frames = Demultiplexer()
        parts = {1: b"", 2: b""}
        for start in range(0, len(text), size):
            for number, data in frames.feed(text[start : start + size]):
                parts[number] += data
        assert parts == {1: b"out", 2: b"er"}
    with pytest.raises(ClientError, match="Unrecognized input header: 104"):
        list(Demultiplexer().feed(b"hello world"))
