"""What a test suite does with testcontainers: a server, its port, its log, a network, a volume."""

import urllib.request

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

SERVE = "sh -c 'echo from the container >/tmp/page; httpd -p 8080 -h /tmp; echo ready; sleep 1000'"

with Network() as network:
    server = DockerContainer("busybox").with_command(SERVE).with_exposed_ports(8080)
    server = server.with_network(network).with_network_aliases("server").with_env("A", "b")
    server = server.waiting_for(LogMessageWaitStrategy("ready"))
    with server:
        url = f"http://{server.get_container_host_ip()}:{server.get_exposed_port(8080)}/page"
        print("http:", urllib.request.urlopen(url, timeout=10).read().decode().strip())
        code, output = server.exec("sh -c 'echo $A; exit 3'")
        print("exec:", code, output.decode().strip())
        client = DockerContainer("busybox").with_network(network)
        client = client.with_command(
            "sh -c 'wget -qO- http://server:8080/page; echo done; sleep 1000'"
        )
        with client.waiting_for(LogMessageWaitStrategy("done")):
            print("network:", client.get_logs()[0].decode().splitlines()[0])
print("ended")
