"""In: what happens in a job. Out: lines on standard output that the command line understands."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any, Callable

_CAUSE = re.compile(r"low on memory|^[\w.]+(Error|Exception): ")
_LONGEST_LINE = 300

#: Tells whoever submitted the job of an event.
Emit = Callable[[dict[str, Any]], None]


def print_event(event: dict[str, Any]) -> None:
    """Writes `rewardbook {json}`; a number that is none becomes null, so that every reader takes it."""
    line = json.dumps({key: _finite(value) for key, value in event.items()}, allow_nan=False)
    sys.stdout.write(f"rewardbook {line}\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def gist(error: Exception) -> str:
    """What went wrong in one line: its first line and, in a report of many lines such as Ray's, the one that says why."""
    first, *rest = [line.strip() for line in f"{type(error).__name__}: {error}".splitlines() if line.strip()]
    causes = [line for line in rest if _CAUSE.search(line)]
    return " ".join(line[:_LONGEST_LINE] for line in [first, *causes[-1:]])
