"""The entry point of a job: `python main.py job.json` on a Ray cluster, `python main.py job.json --local` without one.

In: the job's folder. Out: events on standard output (`rewardbook {…}`), results on the storage; exit code 1 when it failed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from pathlib import Path

from checked import JobError
from events import gist, print_event
from job import read_job


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", type=Path, help="job.json; its folder holds what the job names")
    parser.add_argument("--local", action="store_true", help="in this process, without a cluster")
    options = parser.parse_args(arguments)
    try:
        job = read_job(options.job)
        folder = options.job.resolve().parent
        place = importlib.import_module("local" if options.local else "cluster")
        print_event(place.run(job, folder))
        return 0
    except JobError as error:
        print_event({"event": "failed", "message": str(error)})
    except Exception as error:  # Whatever a library throws: the log has it in full, the submitter hears it in one line.
        traceback.print_exc()
        print_event({"event": "failed", "message": gist(error)})
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
