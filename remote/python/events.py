"""In: what happens in a job. Out: lines on standard output that the command line understands."""

from __future__ import annotations

import json
import math
import sys
from typing import Any, Callable

#: Tells whoever submitted the job of an event.
Emit = Callable[[dict[str, Any]], None]


def print_event(event: dict[str, Any]) -> None:
    """Writes `rewardbook {json}`; a number that is none becomes null, so that every reader takes it."""
    line = json.dumps({key: _finite(value) for key, value in event.items()}, allow_nan=False)
    sys.stdout.write(f"rewardbook {line}\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
