"""Makes the files under tests/goldens/pairs: pairs as pyarrow, pandas and Python's csv write them, and what TRL and the
original notebook's split make of them. Run with the packages of tests/goldens/requirements.txt:

    python tests/goldens/pairs.py
"""
import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pandas
import pyarrow
import pyarrow.parquet
import trl
from trl.data_utils import extract_prompt

OUT = Path(__file__).parent / "pairs"
OUT.mkdir(exist_ok=True)

HARD = [
    {"id": "a", "prompt": "Line one\nline two", "chosen": 'He said "yes", twice', "rejected": "no; no", "margin": 0.5, "category": "quotes"},
    {"id": "b", "prompt": "Ünïcödé 漢字 🙂", "chosen": "x\u2028y", "rejected": "tab\there", "margin": None, "category": None},
    {"id": "c", "prompt": "  spaces  ", "chosen": "comma, comma", "rejected": "back\\slash", "margin": 2.0, "category": "é"},
]
CONVERSATION = [
    {
        "chosen": [{"role": "user", "content": "What colour is the sky?"}, {"role": "assistant", "content": "Blue."}],
        "rejected": [{"role": "user", "content": "What colour is the sky?"}, {"role": "assistant", "content": "Green."}],
    },
    {
        "chosen": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
                   {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Goodbye!"}],
        "rejected": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
                     {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Whatever."}],
    },
]


def write_json(name, value):
    (OUT / name).write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


table = pyarrow.Table.from_pylist(HARD)
for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    pyarrow.parquet.write_table(table, OUT / f"plain_{codec}.parquet", compression=codec, row_group_size=2)
pyarrow.parquet.write_table(pyarrow.Table.from_pylist(CONVERSATION), OUT / "conversational.parquet", compression="zstd")
pandas.DataFrame(HARD).to_csv(OUT / "plain.csv", index=False, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
with gzip.GzipFile(OUT / "plain.jsonl.gz", "w", mtime=0) as file:
    file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in HARD).encode())

# The split of the original notebook (its filter and statistics; its random order is Python's own).
original = []
for i in range(60):
    scores = (1 + i % 5, 1 + (i * 7) % 5)
    original.append({
        "question_id": f"q{i // 3}",
        "question_text": f"Question number {i // 3}?",
        "preferred_answer": {"answer_text": f"good {i}", "score": scores[0], "rating": f"{scores[0]}-X"},
        "rejected_answer": {"answer_text": f"bad {i}", "score": scores[1], "rating": f"{scores[1]}-X"} if i % 2 else {"answer_text": f"bad {i}", "rating": f"{scores[1]}-X"},
        "risk_level": ["Low", "Medium", "High", "Low"][(i // 3) % 4],
        "confidence_penalty": round((i % 4) * 0.25, 2),
        "score_difference": scores[0] - scores[1] if i not in (20, 35) else 1,
    })
write_json("preference_pairs.json", original)


def rating_score(answer):
    if "score" in answer and answer["score"] is not None:
        return int(answer["score"])
    rating = answer.get("rating", "")
    return int(rating[0]) if isinstance(rating, str) and rating[:1].isdigit() else -1


dropped = Counter(score_diff_zero=0, both_score1=0)
clean = []
for pair in original:
    if pair.get("score_difference") == 0:
        dropped["score_diff_zero"] += 1
    elif rating_score(pair["preferred_answer"]) == 1 and rating_score(pair["rejected_answer"]) == 1:
        dropped["both_score1"] += 1
    else:
        clean.append(pair)

write_json("expected.json", {
    "versions": {"pyarrow": pyarrow.__version__, "pandas": pandas.__version__, "trl": trl.__version__},
    "plain": HARD,
    "trl_extract_prompt": [extract_prompt(row) for row in CONVERSATION],
    "split": {"dropped": dict(dropped), "kept": len(clean), "risk": dict(Counter(pair["risk_level"] for pair in clean)),
              "questions": len({pair["question_id"] for pair in clean})},
})
