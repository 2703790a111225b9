"""Prometheus metrics at `metrics-addr`: dockerd's names, and requests by endpoint.

prometheus_client is imported only by daemons that serve metrics: it costs 4 MB of memory.
"""

from collections.abc import Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from wherry.engine.containers.health import HealthChecks
from wherry.engine.system.event_bus import EventBus
from wherry.engine.system.facts import EngineFacts
from wherry.engine.system.host import Host
from wherry.engine.system.info import Counts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ACTIONS = {
    ("POST", "/containers/create"): "create",
    ("POST", "/containers/{id}/start"): "start",
    ("DELETE", "/containers/{id}"): "delete",
    ("GET", "/containers/{id}/changes"): "changes",
    ("POST", "/commit"): "commit",
}
"""The endpoints that dockerd times as actions of containers."""


class Metrics:
    """What is counted, and the answer to a scrape."""

    def __init__(
        self, facts: EngineFacts, host: Host, events: EventBus, health: HealthChecks,
        counts: Callable[[], Counts],
    ) -> None:  # fmt: skip
        """`counts` asks the containers and images."""
        self._facts = facts
        self._host = host
        self._events = events
        self._health = health
        self._counts = counts
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._actions = Histogram(
            "engine_daemon_container_actions_seconds",
            "The number of seconds it takes to process each container action",
            ("action",), registry=self._registry,
        )  # fmt: skip
        for action in _ACTIONS.values():
            self._actions.labels(action)
        self._requests = Histogram(
            "wherry_api_request_seconds", "Time from a request to the end of its answer",
            ("method", "endpoint", "status"), registry=self._registry,
        )  # fmt: skip

    def observe(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """Takes in one answered request; `endpoint` is the route's path, with {names}."""
        self._requests.labels(method, endpoint, str(status)).observe(seconds)
        action = _ACTIONS.get((method, endpoint))
        if action and status < 400:
            self._actions.labels(action).observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """What is read at the moment of a scrape."""
        counts, facts, host = self._counts(), self._facts, self._host
        states = GaugeMetricFamily(
            "engine_daemon_container_states_containers",
            "The count of containers in various states", labels=("state",),
        )  # fmt: skip
        for state in ("running", "paused", "stopped"):
            states.add_metric((state,), getattr(counts, state))
        yield states
        about = {
            "version": facts.version, "commit": facts.git_commit, "architecture": host.machine,
            "graphdriver": facts.storage_driver, "kernel": host.kernel,
            "os": host.operating_system, "os_type": "linux", "os_version": host.os_version,
            "daemon_id": facts.id,
        }  # fmt: skip
        engine = GaugeMetricFamily(
            "engine_daemon_engine_info", "The information related to the engine", labels=list(about)
        )
        engine.add_metric(list(about.values()), 1)
        yield engine
        for name, text, value in (
            ("engine_daemon_engine_cpus_cpus", "The number of cpus of the host", host.cpus),
            ("engine_daemon_engine_memory_bytes", "The memory of the host", host.memory),
            ("engine_daemon_events_subscribers_total", "The number of current subscribers to "
             "events", self._events.subscribers),
            ("wherry_images", "The number of images", counts.images),
        ):  # fmt: skip
            yield GaugeMetricFamily(name, text, value=value)
        for name, text, value in (
            ("engine_daemon_events", "The number of events logged", self._events.published),
            ("engine_daemon_health_checks", "The total number of health checks",
             self._health.checks),
            ("engine_daemon_health_checks_failed", "The total number of failed health checks",
             self._health.failures),
        ):  # fmt: skip
            yield CounterMetricFamily(name, text, value=value)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers GET /metrics with the text format of Prometheus."""
        if request.path != "/metrics":
            return web.Response(status=404, text="metrics are at /metrics\n")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE}
        )
