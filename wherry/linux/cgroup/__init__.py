"""Control groups, version 1 and 2: limits, accounting, freezing, ending. Knows no container."""
