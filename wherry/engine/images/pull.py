"""Pulling an image for a client, who may go away meanwhile."""

from collections.abc import Callable

from wherry.engine.images.told import tell
from wherry.engine.images.transfer import Report, run_transfer
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.pull import PullImage
from wherry.model.credentials import Credentials
from wherry.model.image import Image
from wherry.model.reference import Reference


class PullForClient:
    """Runs a pull in a thread; cancelling the task ends it and keeps what came."""

    def __init__(self, pull: PullImage, pools: Pools, events: EventBus) -> None:
        self._pull = pull
        self._pools = pools
        self._events = events

    async def __call__(
        self, reference: Reference, credentials: Credentials, platform: str,
        report: Report,
    ) -> list[Image]:  # fmt: skip
        """The image, or those of all tags if the reference names neither tag nor digest.

        `report` is called in the loop with Docker's progress objects.
        """

        def work(progress: Report, cancelled: Callable[[], bool]) -> list[Image]:
            rest = (credentials, platform, progress, cancelled)
            if not reference.tag and not reference.digest:
                return self._pull.all_tags(reference, *rest)
            return [self._pull(reference, *rest)]

        images = await run_transfer(self._pools, report, work)
        name = reference.familiar()
        for image in images:
            tell(self._events, "pull", image, reference.familiar_name, name)
        return images
