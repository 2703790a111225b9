"""Events of images: with the labels of the image, as dockerd tells them."""

from wherry.engine.system.event_bus import EventBus
from wherry.model.image import Image


def tell(events: EventBus, action: str, image: Image, name: str = "", actor: str = "") -> None:
    """Publishes what happened to an image; `actor` and `name` are its id unless given."""
    attributes = {**(image.labels or {}), "name": name or image.id}
    events.publish("image", action, actor or image.id, attributes)
