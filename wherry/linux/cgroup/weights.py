"""Version 1's numbers in version 2's units (Documentation/admin-guide/cgroup-v2.rst)."""


def cpu_weight(shares: int) -> int:
    """The weight (1-10000) of version 1 shares (2-262144), as runc converts them."""
    if shares == 0:
        return 0
    shares = min(max(shares, 2), 262144)
    return 1 + ((shares - 2) * 9999) // 262142


def io_weight(weight: int) -> int:
    """The `io.weight` (1-10000) of a version 1 block weight (10-1000)."""
    return 1 + (weight - 10) * 9999 // 990 if weight else 0


def swap_bytes(memory: int | None, swap: int | None) -> int | None:
    """Swap alone out of Docker's memory-plus-swap limit: -1 for no limit, None to leave it."""
    if swap is None or swap == 0:
        return None
    if swap == -1:
        return -1
    return max(swap - (memory or 0), 0)
