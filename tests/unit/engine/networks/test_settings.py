"""Networks and ports in a container's inspect."""

from wherry.engine.networks.settings import endpoint_settings, port_map
from wherry.model.docker.container import EndpointSettings, PortBinding
from wherry.network.endpoint import Endpoint, PublishedPort

ENDPOINT = Endpoint(
    network="n1", network_name="bridge", endpoint_id="e1", container_id="c", container_name="web",
    interface="eth0", mac="02:42:ac:11:00:02", ipv4="172.17.0.2", ipv4_prefix=16,
    gateway="172.17.0.1",
    ports=(
        PublishedPort(80, "tcp", "0.0.0.0", 8080), PublishedPort(80, "tcp", "::", 8080),
    ),
)  # fmt: skip


def test_a_running_containers_networks_show_what_it_was_given() -> None:
    asked = {"bridge": EndpointSettings(aliases=["db"])}
    shown = endpoint_settings(asked, [ENDPOINT])["bridge"]
    assert (shown.aliases, shown.ip_address, shown.ip_prefix_len) == (["db"], "172.17.0.2", 16)
    assert (shown.gateway, shown.network_id, shown.endpoint_id) == ("172.17.0.1", "n1", "e1")


def test_a_stopped_containers_networks_show_what_was_asked() -> None:
    asked = {"bridge": EndpointSettings(aliases=["db"])}
    assert endpoint_settings(asked, []) == asked


def test_ports_show_their_bindings_and_null_where_there_is_none() -> None:
    assert port_map(["80/tcp", "53/udp"], [ENDPOINT]) == {
        "53/udp": None,
        "80/tcp": [
            PortBinding(host_ip="0.0.0.0", host_port="8080"),
            PortBinding(host_ip="::", host_port="8080"),
        ],
    }
