"""What the engine of the comparisons tells: a host with a bit of everything on it."""

from typing import Any

from tests.support.canned_engine import Answer

WEB = "4f1a0c2d9b7e" + "a1" * 26
DB = "9d3e5f70aa11" + "b2" * 26
JOB = "77e6d5c4b3a2" + "c3" * 26
DIGEST = "sha256:" + "d4" * 32
IMAGE = "sha256:1c5f3a" + "e5" * 29
PLAIN = "sha256:2b7c9d" + "f6" * 29
DANGLING = "sha256:3aaaaa" + "07" * 29
NETWORK = "8c1f" + "18" * 30
BRIDGE = "5e2b" + "29" * 30
BORN = "2025-01-02T03:04:05.678912345Z"
NEVER = "0001-01-01T00:00:00Z"

_PORTS = [
    {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
    {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
    {"IP": "127.0.0.1", "PrivatePort": 7000, "PublicPort": 7000, "Type": "tcp"},
    {"IP": "127.0.0.1", "PrivatePort": 7001, "PublicPort": 7001, "Type": "tcp"},
    {"PrivatePort": 53, "Type": "udp"},
    {"PrivatePort": 443, "Type": "tcp"},
]
CONTAINERS: list[dict[str, Any]] = [
    {
        "Id": WEB, "Names": ["/web", "/db/alias"], "Image": "nginx:1.27", "ImageID": IMAGE,
        "Command": "/docker-entrypoint.sh nginx -g 'daemon off;'", "Created": 1735787045,
        "Ports": _PORTS, "Labels": {"tier": "front", "com.example.some-label": "x"},
        "State": "running", "Status": "Up 3 days (healthy)", "SizeRw": 1234, "SizeRootFs": 98765432,
        "HostConfig": {"NetworkMode": "net1"},
        "NetworkSettings": {"Networks": {"net1": {}}},
        "Mounts": [
            {"Type": "volume", "Name": "a-volume-with-a-long-name", "Source": "/v",
             "Destination": "/data", "Driver": "local", "Mode": "z", "RW": True},
            {"Type": "bind", "Source": "/etc/hostname", "Destination": "/h", "RW": False},
        ],
    },
    {
        "Id": DB, "Names": ["/db"], "Image": PLAIN, "ImageID": PLAIN, "Command": "postgres",
        "Created": 1735700000, "Ports": [], "Labels": {}, "State": "exited",
        "Status": "Exited (137) 2 hours ago", "SizeRw": 0, "SizeRootFs": 7000000,
        "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"bridge": {}}},
        "Mounts": [],
    },
    {
        "Id": JOB, "Names": ["/job"], "Image": f"repo.example/team/job@{DIGEST}",
        "ImageID": DANGLING, "Command": "sh -c \"echo \\\"hi\\\" && sleep 1\"",
        "Created": 1735600000, "Ports": None, "Labels": None, "State": "created",
        "Status": "Created", "HostConfig": {"NetworkMode": "none"},
        "NetworkSettings": {"Networks": {}}, "Mounts": None,
    },
]  # fmt: skip
IMAGES: list[dict[str, Any]] = [
    {
        "Id": IMAGE, "ParentId": "", "RepoTags": ["nginx:1.27", "nginx:latest"],
        "RepoDigests": [f"nginx@{DIGEST}"], "Created": 1735000000, "Size": 187654321,
        "SharedSize": -1, "Labels": {"a": "b"}, "Containers": -1,
    },
    {
        "Id": PLAIN, "ParentId": "", "RepoTags": ["repo.example:5000/team/pg:16"],
        "RepoDigests": [], "Created": 1734000000, "Size": 999, "SharedSize": 12, "Labels": None,
        "Containers": 1,
    },
    {
        "Id": DANGLING, "ParentId": "", "RepoTags": [], "RepoDigests": [f"repo.example/x@{DIGEST}"],
        "Created": 0, "Size": 1000000, "SharedSize": -1, "Labels": {}, "Containers": -1,
    },
]  # fmt: skip


def _manifest(digit: str, platform: str, here: bool, total: int, used: bool) -> dict[str, Any]:
    parts = ("os", "architecture", "variant")
    return {
        "ID": f"sha256:{digit * 64}", "Available": here, "Kind": "image",
        "Descriptor": {"digest": f"sha256:{digit * 64}", "size": 500},
        "Size": {"Total": total, "Content": total // 3},
        "ImageData": {"Platform": dict(zip(parts, platform.split("/"), strict=False)),
                      "Size": {"Unpacked": total}, "Containers": [WEB] if used else []},
    }  # fmt: skip


IMAGES[0]["Manifests"] = [
    _manifest("a", "linux/amd64", True, 187654321, True),
    _manifest("b", "linux/arm64/v8", False, 5, False),
    {"ID": DIGEST, "Available": True, "Kind": "attestation", "Size": {"Total": 9, "Content": 9},
     "AttestationData": {"For": DIGEST}},
]  # fmt: skip
IMAGES[1]["Manifests"] = [_manifest("c", "linux/arm/v7", True, 999, False)]
NETWORKS: list[dict[str, Any]] = [
    {"Name": "net10", "Id": NETWORK, "Created": BORN, "Scope": "local", "Driver": "bridge",
     "EnableIPv4": True, "EnableIPv6": False, "Internal": True, "Attachable": False,
     "Ingress": False, "Labels": {"n": "1"}, "Options": {}, "Containers": {}},
    {"Name": "bridge", "Id": BRIDGE, "Created": "2025-01-02T03:04:05.678912345+01:00",
     "Scope": "local", "Driver": "bridge", "EnableIPv4": True, "EnableIPv6": True,
     "Internal": False, "Labels": {}, "Options": {"a": "b"}, "Containers": {}},
    {"Name": "net2", "Id": "0" * 64, "Created": BORN, "Scope": "swarm", "Driver": "overlay",
     "EnableIPv4": True, "EnableIPv6": False, "Internal": False, "Labels": None},
]  # fmt: skip
VOLUMES: list[dict[str, Any]] = [
    {"CreatedAt": "2025-01-02T03:04:05Z", "Driver": "local", "Labels": {"x": "y"},
     "Mountpoint": "/m/vol10", "Name": "vol10", "Options": {"o": "p"}, "Scope": "local"},
    {"Name": "vol2", "Driver": "nfs", "Mountpoint": "/m/vol2", "Scope": "global",
     "CreatedAt": "2025-01-02T03:04:05Z", "Labels": None, "Options": None},
]  # fmt: skip
INSPECTED: dict[str, Any] = {
    "Id": WEB, "Created": BORN, "Path": "/entry", "Args": ["nginx", "-g"],
    "State": {
        "Status": "running", "Running": True, "Paused": False, "Restarting": False,
        "OOMKilled": False, "Dead": False, "Pid": 4242, "ExitCode": 0, "Error": "",
        "StartedAt": BORN, "FinishedAt": NEVER,
        "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [
            {"Start": BORN, "End": BORN, "ExitCode": 0, "Output": "ok <b>"}]},
    },
    "Image": IMAGE, "Name": "/web", "RestartCount": 2, "Driver": "overlay2", "Platform": "linux",
    "MountLabel": "", "ExecIDs": None, "SizeRw": 10,
    "HostConfig": {
        "Binds": ["/a:/b:ro"], "NetworkMode": "net1", "Memory": 67108864, "NanoCpus": 1500000000,
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "CapAdd": ["NET_ADMIN"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}, "Privileged": False,
        "OomScoreAdj": -5, "ShmSize": 67108864, "Ulimits": None,
    },
    "Mounts": [
        {"Type": "volume", "Name": "data", "Source": "/v/data", "Destination": "/data",
         "Driver": "local", "Mode": "z", "RW": True, "Propagation": ""},
        {"Type": "bind", "Source": "/a", "Destination": "/b", "Mode": "ro", "RW": False,
         "Propagation": "rprivate"},
    ],
    "Config": {
        "Hostname": "web", "User": "", "Tty": False, "OpenStdin": False,
        "ExposedPorts": {"443/tcp": {}, "80/tcp": {}}, "Image": "nginx:1.27",
        "Env": ["PATH=/usr/bin:/bin", "A=<b>&c", "EMPTY="], "Cmd": ["nginx", "-g"],
        "Labels": {"com.example.some-label": "x", "tier": "front"}, "WorkingDir": "/srv",
        "Entrypoint": ["/entry"], "StopTimeout": 10,
    },
    "NetworkSettings": {
        "SandboxKey": "/run/ns/1", "IPAddress": "",
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"},
                             {"HostIp": "::", "HostPort": "8080"}], "443/tcp": None},
        "Networks": {
            "net1": {"IPAddress": "172.20.0.2", "Gateway": "172.20.0.1", "IPPrefixLen": 16,
                     "MacAddress": "02:42:ac:14:00:02", "Aliases": ["w", "web"]},
            "a-net": {"IPAddress": "172.21.0.2", "Gateway": "", "IPPrefixLen": 24,
                      "MacAddress": "", "Aliases": None},
        },
    },
}  # fmt: skip
IMAGE_INSPECTED: dict[str, Any] = {
    "Id": IMAGE, "RepoTags": ["nginx:1.27"], "RepoDigests": [f"nginx@{DIGEST}"], "Parent": "",
    "Comment": "", "Created": BORN, "Author": "", "Architecture": "amd64", "Os": "linux",
    "Size": 187654321, "RootFS": {"Type": "layers", "Layers": [DIGEST, DIGEST]},
    "Metadata": {"LastTagTime": NEVER},
    "Config": {"Env": ["A=b"], "Cmd": ["nginx"], "Labels": {"a": "b"},
               "ExposedPorts": {"80/tcp": {}}},
}  # fmt: skip
HISTORY = [
    {"Id": IMAGE, "Created": 1735000000, "CreatedBy": "CMD [\"nginx\" \"-g\" \"daemon off;\"]",
     "Tags": ["nginx:1.27"], "Size": 0, "Comment": "buildkit.dockerfile.v0"},
    {"Id": "<missing>", "Created": 1734990000, "CreatedBy":
     "RUN /bin/sh -c apt-get update && apt-get install -y something very long # buildkit",
     "Tags": None, "Size": 54321000, "Comment": ""},
]  # fmt: skip
DISK_USAGE = {
    "LayersSize": 200000000,
    "Images": [{**IMAGES[0], "SharedSize": 1000, "Containers": 1},
               {**IMAGES[1], "Containers": 0, "SharedSize": 0}],
    "Containers": CONTAINERS,
    "Volumes": [{**VOLUMES[0], "UsageData": {"Size": 4096, "RefCount": 1}},
                {**VOLUMES[1], "UsageData": {"Size": 123456789, "RefCount": 0}}],
    "BuildCache": [
        {"ID": "abcdefghijklmnop", "Type": "regular", "Description": "x", "InUse": False,
         "Shared": True, "Size": 1000, "CreatedAt": BORN, "LastUsedAt": BORN, "UsageCount": 3},
    ],
}  # fmt: skip
VERSION = {
    "Platform": {"Name": "Some Engine - Community"},
    "Components": [
        {"Name": "Engine", "Version": "28.1.0", "Details": {
            "ApiVersion": "1.49", "Arch": "amd64",
            "BuildTime": "2025-01-02T03:04:05.000000000+00:00",
            "Experimental": "false", "GitCommit": "abc1234", "GoVersion": "go1.24.1",
            "KernelVersion": "6.1.0", "MinAPIVersion": "1.24", "Os": "linux"}},
        {"Name": "containerd", "Version": "1.7.27", "Details": {"GitCommit": "05044ec0"}},
    ],
    "Version": "28.1.0", "ApiVersion": "1.49", "MinAPIVersion": "1.24", "GitCommit": "abc1234",
    "GoVersion": "go1.24.1", "Os": "linux", "Arch": "amd64", "KernelVersion": "6.1.0",
    "BuildTime": "2025-01-02T03:04:05.000000000+00:00",
}  # fmt: skip
DOCUMENTS = [
    {"ID": "yb9x1", "Version": {"Index": 11}, "CreatedAt": BORN, "UpdatedAt": BORN,
     "Spec": {"Name": "b10", "Labels": {"x": "y"}, "Driver": {"Name": "drv"}}},
    {"ID": "zz2", "Version": {"Index": 12}, "CreatedAt": BORN, "UpdatedAt": BORN,
     "Spec": {"Name": "b2", "Labels": {}}},
]  # fmt: skip
PLUGINS = [
    {"Id": "abcdef0123456789abc", "Name": "foo:latest", "Enabled": True,
     "Config": {"Description": "a description that is really quite long, longer than 45"},
     "PluginReference": "docker.io/x/foo:latest"},
]  # fmt: skip
SEARCHED = [
    {"name": "nginx", "description": "Official build of Nginx, with a description that is far too "
     "long for a column", "star_count": 20000, "is_official": True, "is_automated": False},
    {"name": "team/nginx", "description": "Mine\nand yours", "star_count": 3, "is_official": False},
]  # fmt: skip
TOP = {"Titles": ["PID", "CMD"], "Processes": [["1", "nginx: master"], ["22", "worker"]]}
CHANGES = [
    {"Path": "/a", "Kind": 0}, {"Path": "/a/b", "Kind": 1}, {"Path": "/gone", "Kind": 2},
]  # fmt: skip
EVENTS = b"".join(
    b'{"status":"start","id":"4f1a","from":"nginx","Type":"%b","Action":"%b","Actor":{"ID":"4f1a",'
    b'"Attributes":{"image":"nginx","name":"web","exitCode":"0"}},"scope":"local",'
    b'"time":1735787045,"timeNano":1735787045678912345}\n' % pair
    for pair in ((b"container", b"start"), (b"image", b"pull"), (b"volume", b"create"))
)
PROGRESS = b"".join(line + b"\n" for line in (
    b'{"status":"Pulling from library/nginx","id":"latest"}',
    b'{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}',
    b'{"status":"Download complete","progressDetail":{},"id":"aaa"}',
    b'{"status":"Digest: sha256:1"}',
    b'{"status":"Status: Downloaded newer image for nginx:latest"}',
))  # fmt: skip
FAILED = b'{"status":"Pulling"}\n{"errorDetail":{"message":"no space"},"error":"no space"}\n'
LOADED = b'{"stream":"Loaded image: nginx:1.27\\n"}\n{"stream":"Loaded image ID: sha256:1\\n"}\n'

INFO: dict[str, Any] = {"ID": "abc",
 "Containers": 14,
 "ContainersRunning": 3,
 "ContainersPaused": 1,
 "ContainersStopped": 10,
 "Images": 508,
 "Driver": "overlay2",
 "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
 "Plugins": {"Volume": ["local"],
             "Network": ["bridge", "host"],
             "Authorization": ["img"],
             "Log": ["json-file", "local"]},
 "MemoryLimit": True,
 "SwapLimit": False,
 "CpuCfsPeriod": True,
 "CpuCfsQuota": True,
 "CPUShares": True,
 "CPUSet": True,
 "PidsLimit": True,
 "IPv4Forwarding": False,
 "BridgeNfIptables": True,
 "BridgeNfIp6tables": True,
 "Debug": True,
 "NFd": 64,
 "OomKillDisable": True,
 "NGoroutines": 174,
 "SystemTime": "2017-08-08T20:57:25.493193297Z",
 "LoggingDriver": "json-file",
 "CgroupDriver": "cgroupfs",
 "CgroupVersion": "1",
 "NEventsListener": 30,
 "KernelVersion": "4.9.38",
 "OperatingSystem": "Alpine Linux v3.5",
 "OSVersion": "16.04",
 "OSType": "linux",
 "Architecture": "x86_64",
 "NCPU": 4,
 "MemTotal": 2095882240,
 "IndexServerAddress": "https://index.docker.io/v1/",
 "RegistryConfig": {"InsecureRegistryCIDRs": ["127.0.0.0/8"],
                    "IndexConfigs": {"docker.io": {"Name": "docker.io",
                                                   "Mirrors": ["http://m.example/"],
                                                   "Secure": True,
                                                   "Official": True},
                                     "127.0.0.1:5000": {"Name": "127.0.0.1:5000",
                                                        "Secure": False}},
                    "Mirrors": ["http://m.example/"]},
 "DockerRootDir": "/var/lib/docker",
 "HttpProxy": "http://p:1",
 "HttpsProxy": "",
 "NoProxy": "localhost",
 "Name": "node5",
 "Labels": ["a=b", "c=d"],
 "ExperimentalBuild": True,
 "ServerVersion": "28.0",
 "Runtimes": {"runc": {"path": "runc"}},
 "DefaultRuntime": "runc",
 "Swarm": {"LocalNodeState": "inactive", "NodeID": "", "NodeAddr": ""},
 "LiveRestoreEnabled": True,
 "Isolation": "",
 "InitBinary": "docker-init",
 "ContainerdCommit": {"ID": "cfb82"},
 "RuncCommit": {"ID": "9f9c9"},
 "InitCommit": {"ID": "b9f42"},
 "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns",
                     "name=rootless"],
 "ProductLicense": "Community Engine",
 "DefaultAddressPools": [{"Base": "10.10.0.0/16", "Size": 24}],
 "CDISpecDirs": ["/etc/cdi", "/var/run/cdi"],
 "DiscoveredDevices": [{"Source": "cdi", "ID": "x"}],
 "Containerd": {"Address": "/run/c.sock",
                "Namespaces": {"Containers": "moby", "Plugins": "plugins.moby"}},
 "Warnings": ["WARNING: No swap limit support", "WARNING: bridge-nf"]}  # fmt: skip

ANSWERS: dict[str, Answer] = {
    "GET /containers/json": (200, CONTAINERS),
    "GET /containers/web/json": (200, INSPECTED),
    f"GET /containers/{WEB}/json": (200, INSPECTED),
    "GET /containers/web/top": (200, TOP),
    "GET /containers/web/changes": (200, CHANGES),
    "POST /containers/create": (201, {"Id": WEB, "Warnings": ["be careful", "really"]}),
    "POST /containers/web/update": (200, {"Warnings": ["not now"]}),
    "POST /containers/web/wait": (200, {"StatusCode": 3}),
    "POST /containers/prune": (200, {"ContainersDeleted": [WEB, DB], "SpaceReclaimed": 212}),
    "GET /images/json": (200, IMAGES),
    "GET /images/nginx/json": (200, IMAGE_INSPECTED),
    "GET /images/nginx:1.27/json": (200, IMAGE_INSPECTED),
    "GET /images/nginx/history": (200, HISTORY),
    "GET /images/search": (200, SEARCHED),
    "DELETE /images/nginx": (200, [{"Untagged": "nginx:latest"}, {"Deleted": IMAGE}]),
    "POST /images/create": (200, PROGRESS),
    "POST /images/load": (200, LOADED),
    "POST /images/nginx/push": (200, FAILED),
    "POST /images/prune": (200, {"ImagesDeleted": [{"Untagged": "a:b"}, {"Deleted": PLAIN}],
                                 "SpaceReclaimed": 1500000}),
    "POST /commit": (201, {"Id": IMAGE}),
    "GET /networks": (200, NETWORKS),
    "GET /networks/net10": (200, NETWORKS[0]),
    "POST /networks/create": (201, {"Id": NETWORK, "Warning": ""}),
    "POST /networks/prune": (200, {"NetworksDeleted": ["net10", "net2"]}),
    "GET /volumes": (200, {"Volumes": VOLUMES, "Warnings": None}),
    "GET /volumes/vol10": (200, VOLUMES[0]),
    "POST /volumes/create": (201, VOLUMES[0]),
    "POST /volumes/prune": (200, {"VolumesDeleted": ["vol2"], "SpaceReclaimed": 123456789}),
    "GET /system/df": (200, DISK_USAGE),
    "GET /version": (200, VERSION),
    "GET /events": (200, EVENTS),
    "GET /plugins": (200, PLUGINS),
    "GET /plugins/foo/json": (200, PLUGINS[0]),
    "GET /secrets": (200, DOCUMENTS),
    "GET /secrets/b10": (200, DOCUMENTS[0]),
    "POST /secrets/create": (201, {"ID": "newid"}),
    "GET /configs": (200, DOCUMENTS),
    "GET /configs/b10": (200, DOCUMENTS[0]),
    "POST /configs/create": (201, {"ID": "newid"}),
    "POST /build/prune": (200, {"CachesDeleted": ["a", "b"], "SpaceReclaimed": 1234567}),
    "GET /info": (200, INFO),
    "POST /auth": (200, {"Status": "Login Succeeded", "IdentityToken": ""}),
    **{f"POST /containers/web/{verb}": (204, b"") for verb in (
        "start", "stop", "restart", "kill", "pause", "unpause", "rename")},
    "POST /networks/net10/connect": (200, b""),
    "POST /networks/net10/disconnect": (200, b""),
    **{f"DELETE /{path}": (204, b"") for path in (
        "containers/web", "networks/net10", "volumes/vol10", "secrets/b10", "configs/b10")},
    "POST /images/nginx/tag": (201, b""),
}  # fmt: skip

NOT_FOUND: Answer = (404, {"message": "there is no such thing"})
