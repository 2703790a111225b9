"""What handlers may call: the use cases by noun. Built in the daemon's engine."""

from dataclasses import dataclass

from wherry.engine.containers.stream_use_cases import StreamUseCases
from wherry.engine.containers.use_cases import ContainerUseCases
from wherry.engine.execs.use_cases import ExecUseCases
from wherry.engine.images.use_cases import ImageUseCases
from wherry.engine.networks.use_cases import NetworkUseCases
from wherry.engine.secrets.use_cases import SecretUseCases
from wherry.engine.system.use_cases import SystemUseCases
from wherry.engine.volumes.use_cases import VolumeUseCases


@dataclass(frozen=True)
class Services:
    """The engine as the API sees it."""

    containers: ContainerUseCases
    streams: StreamUseCases
    execs: ExecUseCases
    images: ImageUseCases
    networks: NetworkUseCases
    volumes: VolumeUseCases
    secrets: SecretUseCases
    system: SystemUseCases
