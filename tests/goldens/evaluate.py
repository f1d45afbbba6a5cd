"""Writes tests/goldens/evaluation/evaluate.json: simulated scored pairs and the metrics NumPy, pandas and SciPy give them.

Made with scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0, pandas 3.1.1 (the file repeats the versions).
Run: python tests/goldens/evaluate.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import special, stats
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(7)
N, TEMPERATURE, EPSILON, LAMBDA = 400, 1.7, 0.1, 0.01
quality = rng.normal(0, 1, 90)
prompt = rng.integers(0, 90, N)
chosen_length = rng.integers(5, 400, N)
rejected_length = np.where(rng.random(N) < 0.05, chosen_length, rng.integers(5, 400, N))
margin = 0.9 + 0.5 * quality[prompt] + 0.004 * (chosen_length - rejected_length) + rng.normal(0, 1.2, N)
rejected = rng.normal(0.3, 1, N).astype(np.float32).astype(float)
chosen = (rejected + margin).astype(np.float32).astype(float)
chosen[::57] = rejected[::57]
frame = pd.DataFrame({
    "id": [f"p{i}" for i in range(N)], "promptKey": [f"q{q}" for q in prompt],
    "risk": rng.choice(["HIGH", "LOW", "MEDIUM"], N, p=[0.2, 0.5, 0.3]),
    "category": rng.choice(["safety", "helpfulness", "__proto__"], N), "weight": 1 + 3 * rng.choice([0, 0.5, 1], N),
    "margin": rng.choice([0.0, 0.25, 1.0], N), "chosenScore": chosen, "rejectedScore": rejected,
    "chosenLength": chosen_length, "rejectedLength": rejected_length,
})
delta = (frame.chosenScore - frame.rejectedScore).to_numpy()
correct = np.where(delta > 0, 1, np.where(delta < 0, 0, 0.5))
frame["delta"], frame["correct"] = delta, correct
p = special.expit(delta)
softplus = lambda x: np.logaddexp(0, x)


def ece(probabilities, outcomes):
    ids = np.minimum((probabilities.astype(np.float32) * np.float32(10)).astype(int), 9)
    table = pd.DataFrame({"b": ids, "p": probabilities, "y": outcomes}).groupby("b").agg(["mean", "size"])
    gaps, size = np.abs(table["y"]["mean"] - table["p"]["mean"]), table["p"]["size"]
    return float((gaps * size).sum() / size.sum()), float(gaps.max())


def symmetric_ece(probabilities):
    n = len(probabilities)
    return ece(np.r_[probabilities, 1 - probabilities], np.r_[np.ones(n), np.zeros(n)])[0]


def calibration(temperature):
    q = special.expit(delta / temperature)
    error, largest = ece(q, correct)
    return {"nll": float(log_loss(np.ones(N), q, labels=[0, 1])), "brier": float(brier_score_loss(np.ones(N), q)),
            "ece": error, "mce": largest, "ece_symmetric": symmetric_ece(q)}


def group(rows):
    low, high = proportion_confint(rows.correct.sum(), len(rows), method="wilson")
    q = special.expit(rows.delta.to_numpy())
    return {"n": len(rows), "ties": int((rows.delta == 0).sum()), "accuracy": float(rows.correct.mean()),
            "ci95": [float(low), float(high)], "ece": ece(q, rows.correct.to_numpy())[0], "ece_symmetric": symmetric_ece(q),
            "brier": float(np.mean((1 - q) ** 2)), "nll": float(np.mean(softplus(-rows.delta))),
            "mean_margin": float(rows.delta.mean())}


def clustered(values, null=0.0):
    fit = sm.OLS(values - null, np.ones(N)).fit(cov_type="cluster", cov_kwds={"groups": prompt}, use_t=True)
    low, high = fit.conf_int()[0] + null
    return [float(low), float(high)], float(fit.pvalues[0])


length_delta = (chosen_length - rejected_length).astype(float)
length_correct = np.where(length_delta > 0, 1, np.where(length_delta < 0, 0, 0.5))
shifted = delta - frame.margin.to_numpy()
loss = frame.weight * ((1 - EPSILON) * softplus(-shifted) + EPSILON * softplus(shifted)) + LAMBDA * (chosen + rejected) ** 2
scaled = frame.weight * frame.margin * softplus(-delta)
mean_length = (chosen_length + rejected_length) / 2
quartile = 1 + (mean_length[:, None] > np.quantile(mean_length, [0.25, 0.5, 0.75])).sum(1)
accuracy_ci, _ = clustered(correct)
expected = {
    "n_pairs": N, "n_prompts": int(len(set(prompt))), "ties": int((delta == 0).sum()), "accuracy": float(correct.mean()),
    "accuracy_ci95": accuracy_ci, "loss": float(loss.mean()), "loss_scaled": float(scaled.mean()), **calibration(1),
    "calibrated": calibration(TEMPERATURE), "mean_margin": float(delta.mean()), "mean_margin_ci95": clustered(delta)[0],
    "mean_chosen_reward": float(chosen.mean()), "mean_rejected_reward": float(rejected.mean()),
    "by_risk": {k: group(g) for k, g in frame.groupby("risk")},
    "by_category": {k: group(g) for k, g in frame.groupby("category")},
    "by_length_quartile": {f"Q{k}": group(g) for k, g in frame.groupby(quartile)},
    "length": {
        "spearman_delta_length": float(stats.spearmanr(delta, length_delta)[0]),
        "spearman_symmetric": float(stats.spearmanr(np.r_[delta, -delta], np.r_[length_delta, -length_delta])[0]),
        "accuracy_chosen_longer": float(correct[length_delta > 0].mean()),
        "accuracy_chosen_shorter": float(correct[length_delta < 0].mean()),
        "length_only_accuracy": float(length_correct.mean()),
        "prefers_longer": float(np.r_[correct[length_delta > 0], 1 - correct[length_delta < 0]].mean()),
    },
    "p_better_than_chance": clustered(correct, 0.5)[1] / 2,
}
golden = {
    "versions": {"scipy": scipy.__version__, "sklearn": sklearn.__version__, "statsmodels": statsmodels.__version__,
                 "pandas": pd.__version__},
    "settings": {"temperature": TEMPERATURE, "labelSmoothing": EPSILON, "centering": LAMBDA},
    "pairs": json.loads(frame.drop(columns=["delta", "correct"]).to_json(orient="records", double_precision=15)),
    "expected": expected,
}
path = Path(__file__).parent / "evaluation" / "evaluate.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
