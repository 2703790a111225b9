"""What the user's configuration and environment say counts for `wherry` as for `docker`."""

import json
import os
import shlex
import shutil
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.canned_answers import ANSWERS, NOT_FOUND
from tests.support.canned_engine import CannedEngine
from tests.support.wherry_cli import WarmWherry

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker CLI")

HELPER = """#!/bin/sh
read server
case "$1:$server" in
get:repo.example) echo '{"Username":"me","Secret":"from helper"}' ;;
get:token.example) echo '{"Username":"<token>","Secret":"a token"}' ;;
store:*|erase:*) exit 0 ;;
*) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""
NAMES = "table {{.Names}}\\t{{.ID}}"

CASES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("ps", {"psFormat": NAMES}, {}),
    ("ps -q", {"psFormat": NAMES}, {}),
    ("ps --format '{{.ID}}'", {"psFormat": NAMES}, {}),
    ("images", {"imagesFormat": "{{.ID}} {{.Tag}}"}, {}),
    ("network ls", {"networksFormat": "{{.Name}}"}, {}),
    ("volume ls", {"volumesFormat": "{{.Name}}"}, {}),
    ("plugin ls", {"pluginsFormat": "{{.Name}}"}, {}),
    ("secret ls", {"secretFormat": "{{.Name}}"}, {}),
    ("config ls", {"configFormat": "{{.Name}}"}, {}),
    ("ps", {"HttpHeaders": {"X-Mine": "1"}}, {}),
    ("ps", {}, {"DOCKER_API_VERSION": "1.40"}),
    ("images --tree", {}, {"DOCKER_API_VERSION": "1.40"}),
    ("version -f '{{.Client.Context}} {{.Server.Version}}'", {}, {"DOCKER_API_VERSION": "v1.41"}),
    ("create nginx", {}, {"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}),
    ("create --platform linux/amd64 nginx", {}, {"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}),
    ("pull nginx", {}, {"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}),
    ("create nginx", {"proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "x"}}}, {}),
    ("create -e http_proxy=mine nginx", {"proxies": {"default": {"httpProxy": "http://p:1"}}}, {}),
    ("pull repo.example/x", {"auths": {"repo.example": {"auth": "bWU6c2VjcmV0"}}}, {}),
    ("pull repo.example/x", {"credsStore": "mine"}, {}),
    ("pull token.example/x", {"credHelpers": {"token.example": "mine"}}, {}),
    ("pull other.example/x", {"credsStore": "mine"}, {}),
    ("push nginx", {"auths": {"https://index.docker.io/v1/": {"auth": "bWU6c2VjcmV0"}}}, {}),
    ("pull repo.example/x", {"credsStore": "missing"}, {}),
    ("login -u me -p x repo.example", {"credsStore": "mine"}, {}),
    ("logout repo.example", {"credsStore": "mine"}, {}),
    ("context show", {"currentContext": "far"}, {"DOCKER_HOST": ""}),
    ("ps", {"currentContext": "far"}, {"DOCKER_HOST": ""}),
    ("context show", {"currentContext": "far"}, {"DOCKER_CONTEXT": "near", "DOCKER_HOST": ""}),
    ("context show", {"currentContext": "far"}, {"DOCKER_CONTEXT": "near"}),
    ("--context default context show", {"currentContext": "far"}, {"DOCKER_HOST": ""}),
    ("ps", {"detachKeys": "nonsense-"}, {}),
]


@pytest.fixture(scope="module")
def wherry() -> Iterator[WarmWherry]:
    with WarmWherry() as running:
        yield running


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CannedEngine]:
    answers = {**ANSWERS, "POST /images/nginx/push": ANSWERS["POST /images/create"]}
    with CannedEngine(tmp_path_factory.mktemp("canned"), answers, NOT_FOUND, "1.50") as running:
        yield running


def told(request: dict[str, Any]) -> dict[str, Any]:
    """What of a request configuration and environment decide."""
    headers = {name.lower(): value for name, value in request["headers"].items()}
    found = {"request": request["request"], "version": request["version"],
             "query": request["query"], "mine": headers.get("x-mine")}  # fmt: skip
    if "x-registry-auth" in headers:
        found["auth"] = json.loads(urlsafe_b64decode(headers["x-registry-auth"] + "=="))
    if isinstance(request["body"], dict):
        found["env"] = sorted(request["body"].get("Env") or ())
        found["body"] = sorted(request["body"]) if "username" in request["body"] else []
    return found


@pytest.mark.parametrize(("line", "configuration", "variables"), CASES)
def test_configuration_and_environment_count_alike(
    line: str, configuration: dict[str, Any], variables: dict[str, str], wherry: WarmWherry,
    engine: CannedEngine, tmp_path: Path,
) -> None:  # fmt: skip
    helper = tmp_path / "bin" / "docker-credential-mine"
    helper.parent.mkdir()
    helper.write_text(HELPER)
    helper.chmod(0o755)
    home = tmp_path / "home"
    answers = []
    for program in ("docker", "wherry"):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        (home / "config.json").write_text(json.dumps(configuration))
        environment = {
            "PATH": f"{helper.parent}:{os.environ['PATH']}", "HOME": str(home),
            "DOCKER_CONFIG": str(home), "DOCKER_HOST": engine.host, **variables,
        }  # fmt: skip
        environment = {name: value for name, value in environment.items() if value}
        engine.requests.clear()
        words = shlex.split(line)
        if program == "docker":
            done = subprocess.run(
                ["docker", *words], env=environment, cwd=home, capture_output=True, text=True,
                check=False, timeout=60,
            )  # fmt: skip
            answer = (done.returncode, done.stdout, done.stderr)
        else:
            answer = wherry.run(words, environment, home)
        out, err = (text.replace("wherry", "docker") for text in answer[1:])
        kept = json.loads((home / "config.json").read_text())
        kept.setdefault("auths", {})
        answers.append((answer[0], out, err, [told(item) for item in engine.requests], kept))
    assert answers[1] == answers[0]
