"""Writes tests/goldens/evaluation/statistics.json: what SciPy, scikit-learn, statsmodels and NumPy say.

Made with scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0, numpy 2.4.6 (the file repeats the versions).
Run: python tests/goldens/evaluation_statistics.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import optimize, special, stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(20261121)


def original_ece(deltas, bins=10):
    """The original notebook's numbers, from float32 differences."""
    deltas = np.asarray(deltas, np.float32)
    probs = (1 / (1 + np.exp(-deltas.astype(np.float64)))).astype(np.float32)
    corrects = (deltas > 0).astype(np.float32)
    edges = np.linspace(0.0, 1.0, bins + 1)
    ids = np.minimum((probs * bins).astype(int), bins - 1)
    counts = np.bincount(ids, minlength=bins).astype(np.int64)
    correct = np.bincount(ids, weights=corrects, minlength=bins).astype(np.float64)
    conf = np.bincount(ids, weights=probs, minlength=bins).astype(np.float64)
    acc = np.divide(correct, counts, out=np.zeros(bins), where=counts > 0)
    conf = np.divide(conf, counts, out=np.zeros(bins), where=counts > 0)
    used = counts > 0
    gaps = np.abs(acc[used] - conf[used])
    return {
        "deltas": deltas.tolist(), "probs": probs.tolist(), "corrects": corrects.tolist(),
        "pairwise_accuracy": float(corrects.astype(np.float64).mean()), "ece": float(np.sum(counts[used] / len(probs) * gaps)),
        "mce": float(gaps.max()), "bin_edges": edges.tolist(), "bin_counts": counts.tolist(),
        "bin_acc": acc.tolist(), "bin_conf": conf.tolist(),
    }


def symmetric(deltas, bins=10):
    p = special.expit(np.asarray(deltas))
    both, labels = np.r_[p, 1 - p], np.r_[np.ones(len(p)), np.zeros(len(p))]
    freq, conf = calibration_curve(labels, both, n_bins=bins, strategy="uniform")
    counts = np.histogram(both, bins=bins, range=(0, 1))[0]
    counts = counts[counts > 0]
    return {
        "deltas": list(map(float, deltas)), "ece": float(np.sum(counts / counts.sum() * np.abs(freq - conf))),
        "mce": float(np.abs(freq - conf).max()), "brier": float(brier_score_loss(labels, both)),
        "nll": float(log_loss(labels, both)),
    }


def clustered(values, clusters):
    codes = np.unique(clusters, return_inverse=True)[1]
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    low, high = fit.conf_int()[0]
    return {
        "values": list(map(float, values)), "clusters": [str(c) for c in clusters], "mean": float(fit.params[0]),
        "standardError": float(fit.bse[0]), "low": float(low), "high": float(high), "pValue": float(fit.pvalues[0]),
    }


def temperature(deltas):
    deltas = np.asarray(deltas)
    slope = lambda beta: np.mean(deltas * special.expit(-beta * deltas))
    beta = optimize.brentq(slope, 1e-9, 1e6, xtol=1e-15, rtol=1e-15)
    nll = lambda b: float(np.mean(np.logaddexp(0, -b * deltas)))
    return {"deltas": deltas.tolist(), "temperature": 1 / beta, "nllBefore": nll(1), "nllAfter": nll(beta)}


def correlated(n, levels):
    x = rng.integers(0, levels, n).astype(float)
    y = x + rng.normal(0, 2, n).round(1)
    return {"x": x.tolist(), "y": y.tolist(), "pearson": float(stats.pearsonr(x, y)[0]),
            "spearman": float(stats.spearmanr(x, y)[0])}


deltas = rng.normal(0.9, 1.6, 300)
edge_deltas = special.logit([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]).tolist() + [-3.0, 0.01, 60.0, -60.0]
probabilities = [1e-12, 1e-6, 0.001, 0.025, 0.2, 0.4999, 0.5, 0.7, 0.975, 0.999, 1 - 1e-9]
golden = {
    "versions": {"scipy": scipy.__version__, "sklearn": sklearn.__version__,
                 "statsmodels": statsmodels.__version__, "numpy": np.__version__},
    "logGamma": [[x, float(special.gammaln(x))] for x in (1e-3, 0.5, 1, 2, 3.7, 11.99, 12, 100.5, 1e5)],
    "normalCdf": [[z, float(stats.norm.cdf(z))] for z in (-9, -4.5, -3, -1.96, -0.3, 0, 0.7, 2.9, 3.1, 6)],
    "normalQuantile": [[p, float(stats.norm.ppf(p))] for p in probabilities],
    "studentCdf": [[t, d, float(stats.t.cdf(t, d))] for t in (-40, -3, -0.5, 0, 1.2, 5)
                   for d in (1, 2, 4.5, 30, 1000, 1e5)],
    "studentQuantile": [[p, d, float(stats.t.ppf(p, d))] for p in probabilities[1:] for d in (1, 2, 7, 99, 1e5)],
    "incompleteBeta": [[x, a, b, float(special.betainc(a, b, x))] for x in (1e-4, 0.2, 0.5, 0.93)
                       for a in (0.5, 3, 80) for b in (0.5, 7, 400)],
    "binomialCdf": [[k, n, p, float(stats.binom.cdf(k, n, p))] for k, n in ((0, 1), (3, 10), (480, 1000), (50300, 100000))
                    for p in (0.1, 0.5, 0.8)],
    "binomialTest": [[k, n, p, alt, float(stats.binomtest(k, n, p, alternative=alt).pvalue)]
                     for k, n in ((7, 10), (0, 5), (530, 1000), (12, 24)) for p in (0.5, 0.3)
                     for alt in ("two-sided", "greater", "less")],
    "wilson": [[k, n, c, *map(float, proportion_confint(k, n, alpha=1 - c, method="wilson"))]
               for k, n in ((15, 20), (0, 10), (10, 10), (812, 1000), (7.5, 12)) for c in (0.95, 0.99)],
    "mcNemar": [[b, c, float(mcnemar([[5, b], [c, 5]], exact=True).pvalue),
                 float(2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(min(b, c), b + c, 0.5))]
                for b, c in ((3, 9), (0, 4), (6, 6), (120, 161), (1, 0))],
    "correlation": [correlated(12, 3), correlated(200, 12), correlated(57, 40)],
    "clusteredMean": [
        clustered((rng.random(200) < 0.8).astype(float), rng.integers(0, 60, 200)),
        clustered(rng.normal(0.05, 1, 37), rng.integers(0, 5, 37)),
        clustered(rng.choice([0, 0.5, 1], 80), np.arange(80)),
    ],
    "originalEce": [original_ece(deltas), original_ece(edge_deltas), original_ece(rng.normal(3, 1, 40))],
    "symmetric": [symmetric(deltas), symmetric(rng.normal(0.2, 0.3, 50)), symmetric(rng.normal(3, 2, 500))],
    "temperature": [temperature(deltas), temperature(20 * deltas), temperature(rng.normal(0.01, 0.002, 50).tolist() + [-0.003]),
                    temperature([1.0, 2.0, -0.5]), temperature([5.0, -4.9])],
}
path = Path(__file__).parent / "evaluation" / "statistics.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
