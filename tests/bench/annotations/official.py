"""Reads annotations as pycocotools does; prints seconds and peak memory."""

import contextlib
import io
import json
import resource
import sys
import time

from pycocotools.coco import COCO

began, used = time.perf_counter(), time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO(sys.argv[1])
print(json.dumps({
    "seconds": {"read": time.perf_counter() - began},
    "cpu": time.process_time() - used,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "images": len(coco.imgs),
}))
