"""The same as ours.ts by pycocotools. Run: official.py DIR"""
import contextlib
import io
import json
import resource
import sys
import time
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

folder = sys.argv[1]


def evaluate(kind):
    start = time.process_time()
    results = [result for line in open(folder + "/results.jsonl") for result in json.loads(line)]
    if kind == "segm":
        # Otherwise masks would have the areas of their boxes.
        for result in results:
            del result["bbox"]
    read = time.process_time()
    found = truths.loadRes(results)
    work = COCOeval(truths, found, kind)
    work.evaluate()
    work.accumulate()
    work.summarize()
    return read - start, time.process_time() - read, [float(v) for v in work.stats]


start = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    truths = COCO(folder + "/truths.json")
    reading = time.process_time() - start
    box_read, box_time, boxes = evaluate("bbox")
    mask_read, mask_time, masks = evaluate("segm")
# It reads the results twice, since each evaluation writes into them: counted once.
seconds = {"read": reading + box_read, "boxes": box_time, "masks": mask_time}
print(json.dumps({"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "numbers": boxes + masks}))
