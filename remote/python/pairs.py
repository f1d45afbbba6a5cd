"""In: a file of tokenised pairs, of any size. Out: a dataset on the disk that training reads row by row."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.json
from datasets import Dataset

from checked import JobError

_IDS = pa.list_(pa.int32())
#: What a line holds; whatever else it holds is for readers of the file.
_LINE = pa.schema(
    {
        "chosen_input_ids": _IDS,
        "rejected_input_ids": _IDS,
        "chosen_token_type_ids": _IDS,
        "rejected_token_type_ids": _IDS,
        "weight": pa.float32(),
        "margin": pa.float32(),
    }
)
#: A line may be as long as a block.
_BLOCK_BYTES = 32 * 1024 * 1024


def read_pairs(address: str, arrow: Path, filler: bool = False) -> Dataset:
    """The pairs of a JSON-lines file as TRL names them, mapped into memory from `arrow`.

    @param filler the first row follows them once more, with 0 in `counts`: for whoever needs one row more
    @throws JobError when there is no pair
    """
    rows = 0
    with pa.OSFile(str(arrow), "wb") as sink, fsspec.open(address, "rb") as source:
        reader = pyarrow.json.open_json(
            source,
            read_options=pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=_LINE, unexpected_field_behavior="ignore"),
        )
        writer = first = None
        for batch in reader:
            table = _as_trl_names_it(batch)
            first = first or table
            writer = writer or pa.ipc.new_stream(sink, table.schema)
            writer.write(table)
            rows += table.num_rows
        if writer is None or first is None or rows == 0:
            raise JobError(f"{address}: expected at least one pair, got none; check what the split left")
        if filler:
            place = first.schema.get_field_index("counts")
            writer.write(first.slice(0, 1).set_column(place, "counts", pa.array([0], pa.int8())))
        writer.close()
    return Dataset.from_file(str(arrow))


def _as_trl_names_it(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = {
        "chosen_ids": batch["chosen_input_ids"],
        "rejected_ids": batch["rejected_input_ids"],
        "weight": batch["weight"].fill_null(1.0),
        "margin": batch["margin"].fill_null(0.0),
        "counts": pa.array([1] * batch.num_rows, pa.int8()),
    }
    if batch["chosen_token_type_ids"].null_count < batch.num_rows:
        columns |= {name: batch[name] for name in ("chosen_token_type_ids", "rejected_token_type_ids")}
    return pa.RecordBatch.from_pydict(columns)


def lengths(pairs: Dataset) -> list[int]:
    """Tokens of the longer text of each pair: what a batch is padded to."""
    table = pairs.data.table
    longest = pa.compute.max_element_wise(
        pa.compute.list_value_length(table["chosen_ids"]), pa.compute.list_value_length(table["rejected_ids"])
    )
    return longest.to_pylist()
