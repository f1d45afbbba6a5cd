"""Python's side of tests/compat/onnx.test.ts: onnx's checker and shape inference, and onnxruntime's scores.

python onnx_reference.py DIR   reads DIR/NAME.onnx and DIR/NAME.json (ids, mask); writes DIR/scores.json, of each NAME-fp32 also
                               what onnxruntime's own quantize_dynamic makes of it, as NAME-reference_q8
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic



def score(path, batches):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = {port.name for port in session.get_inputs()}
    for batch in batches:
        ids, mask = np.array(batch["ids"], np.int64), np.array(batch["mask"], np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (logits,) = session.run(["logits"], {name: value for name, value in feeds.items() if name in names})
        yield logits[:, 0].tolist()


scores = {}
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(str(path), full_check=True)
    inferred = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True, check_type=True, data_prop=True)
    output = inferred.graph.output[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in output] == ["batch_size", 1], path
    batches = json.loads(path.with_suffix(".json").read_text())
    scores[path.stem] = list(score(path, batches))
    if path.stem.endswith("-fp32"):
        theirs = path.with_suffix(".reference")
        quantize_dynamic(path, theirs, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
        scores[path.stem.replace("fp32", "reference_q8")] = list(score(theirs, batches))
(Path(sys.argv[1]) / "scores.json").write_text(json.dumps(scores))
