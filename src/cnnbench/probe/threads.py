"""CPUs that the guest may use: set by affinity, which binds every framework's thread pools."""

import os
from typing import Any, Dict


def use(count: int) -> Dict[str, Any]:
    """Keep this process to its first `count` CPUs; tells what holds afterwards."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:count])
        count = len(os.sched_getaffinity(0))
    return {"threads": count, "omp_num_threads": os.environ.get("OMP_NUM_THREADS")}
