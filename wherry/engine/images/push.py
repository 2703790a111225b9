"""Pushing an image for a client, who may go away meanwhile."""

from wherry.engine.images.told import tell
from wherry.engine.images.transfer import Report, run_transfer
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.images.push import PushImage
from wherry.model.credentials import Credentials
from wherry.model.reference import Reference


class PushForClient:
    """Runs a push in a thread; cancelling the task ends it."""

    def __init__(self, push: PushImage, pools: Pools, events: EventBus) -> None:
        self._push = push
        self._pools = pools
        self._events = events

    async def __call__(
        self, reference: Reference, credentials: Credentials, platform: str,
        report: Report,
    ) -> None:  # fmt: skip
        """Pushes one tag, or all if the reference has none.

        `report` is called in the loop with Docker's progress objects.
        """
        images = await run_transfer(
            self._pools, report,
            lambda progress, cancelled: self._push(
                reference, credentials, platform, progress, cancelled
            ),
        )  # fmt: skip
        for image in images:
            tell(self._events, "push", image, reference.familiar_name, reference.familiar())
