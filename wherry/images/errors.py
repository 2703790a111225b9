"""What goes wrong with images, in Docker's words."""

from wherry.base.errors import Conflict, NotFound


class NoSuchImage(NotFound):
    """No image has this name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such image: {name}")
        self.name = name


class AmbiguousImage(NotFound):
    """Several images' ids begin so."""


class NoSuchPlatform(NotFound):
    """The image is there, for another platform."""

    def __init__(self, name: str, platform: str) -> None:
        super().__init__(
            f"image with reference {name} was found but does not provide the specified platform "
            f"({platform})"
        )


class ImageInUse(Conflict):
    """A container, another image or another name holds the image."""
