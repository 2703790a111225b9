"""Names of containers: what may be one, and one for those who give none."""

import re
import secrets

from wherry.base.errors import InvalidParameter

_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")

_ADJECTIVES = (
    "able", "amber", "ample", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid",
    "clever", "coastal", "crisp", "daring", "deep", "eager", "early", "fair", "fleet", "fond",
    "frank", "fresh", "gentle", "glad", "golden", "grand", "hardy", "hearty", "honest", "humble",
    "jolly", "keen", "kind", "lively", "loyal", "lucid", "mellow", "merry", "mild", "modest",
    "neat", "nimble", "noble", "patient", "placid", "plucky", "polite", "proud", "quick", "quiet",
    "ready", "salty", "serene", "silver", "simple", "sober", "steady", "sunny", "swift", "tidal",
    "tidy", "trusty", "vivid", "warm", "windy", "wise", "witty", "zesty",
)  # fmt: skip

_BOATS = (
    "barge", "barque", "brig", "caique", "canoe", "caravel", "catboat", "clipper", "cog",
    "coracle", "currach", "cutter", "dhow", "dinghy", "dory", "felucca", "ferry", "frigate",
    "galleon", "galley", "gondola", "gulet", "houri", "hoy", "jolle", "junk", "kayak", "keelboat",
    "ketch", "knarr", "launch", "lighter", "longship", "lugger", "nef", "packet", "pinnace",
    "pirogue", "polacca", "pram", "punt", "sampan", "schooner", "scow", "shallop", "skiff",
    "sloop", "smack", "tartane", "tender", "trawler", "trireme", "tug", "umiak", "waka", "whaler",
    "wherry", "xebec", "yacht", "yawl",
)  # fmt: skip


def check_name(name: str) -> str:
    """The name without a leading slash; raises InvalidParameter in Docker's words."""
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        )
    return name.removeprefix("/")


def random_name() -> str:
    """An adjective and a boat."""
    return f"{secrets.choice(_ADJECTIVES)}_{secrets.choice(_BOATS)}"
