"""Writes tests/goldens/evaluation/comparison.json: what SciPy and statsmodels say of two models, of seeds and of power.

Made with scipy 1.17.1, statsmodels 0.15.0, numpy 2.4.6, pandas (the file repeats the versions).
Run: python tests/goldens/comparison.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

rng = np.random.default_rng(20261125)


def anova(outcomes, clusters):
    """Mean squares of prompts, runs and the rest, from statsmodels' table of a balanced two-way layout of cluster means."""
    names = sorted(set(clusters))
    codes = np.array([names.index(c) for c in clusters])
    rows = [{"run": s, "prompt": g, "y": values[codes == g].mean()} for s, values in enumerate(outcomes) for g in range(len(names))]
    table = sm.stats.anova_lm(ols("y ~ C(run) + C(prompt)", pd.DataFrame(rows)).fit())
    runs, prompts = len(outcomes), len(names)
    n = runs * prompts
    return {"prompts": table.loc["C(prompt)", "mean_sq"] / n, "runs": table.loc["C(run)", "mean_sq"] / n,
            "both": table.loc["Residual", "mean_sq"] / n}


def balanced(prompts, each, runs, skill):
    hard = rng.normal(0, 1, prompts)
    clusters = np.repeat([f"q{g}" for g in range(prompts)], each)
    outcomes = [(rng.normal(skill + rng.normal(0, 0.3), 1, prompts * each) + np.repeat(hard, each) > 0).astype(float) for _ in range(runs)]
    return outcomes, clusters


def crossed(prompts, each, runs):
    outcomes, clusters = balanced(prompts, each, runs, 0.5)
    parts = anova(outcomes, clusters)
    variance = parts["prompts"] + parts["runs"] - parts["both"]
    degrees = variance**2 / (parts["prompts"] ** 2 / (prompts - 1) + parts["runs"] ** 2 / (runs - 1))
    mean, half = float(np.mean(outcomes)), stats.t.ppf(0.975, degrees) * np.sqrt(variance)
    return {"outcomes": [o.tolist() for o in outcomes], "clusters": clusters.tolist(), "mean": mean, "standardError": float(np.sqrt(variance)),
            "degrees": float(degrees), "low": float(mean - half), "high": float(mean + half), **{k: float(v) for k, v in parts.items()}}


def paired(n, groups):
    a, b = (rng.random(n) < 0.8).astype(float), (rng.random(n) < 0.7).astype(float)
    codes = rng.integers(0, groups, n)
    codes[:groups] = np.arange(groups)
    fit = sm.OLS(a - b, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    low, high = fit.conf_int()[0]
    return {"a": a.tolist(), "b": b.tolist(), "clusters": [f"q{c}" for c in codes], "difference": float(fit.params[0]),
            "standardError": float(fit.bse[0]), "low": float(low), "high": float(high), "pValue": float(fit.pvalues[0])}


power = TTestPower()
golden = {
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__, "pandas": pd.__version__},
    "noncentralStudentCdf": [[t, d, nc, float(stats.nct.cdf(t, d, nc))] for t in (-3, -0.5, 0.7, 2.0, 6.0) for d in (1, 4.5, 40, 900) for nc in (-1.5, 0.4, 2.8, 7.0)],
    "power": [[d, sd, n, float(power.power(d / sd, n, 0.05, alternative="two-sided"))] for d in (0.005, 0.02, 0.1) for sd in (0.2, 0.5) for n in (5, 50, 1000)],
    "detectable": [[sd, n, float(power.solve_power(nobs=n, alpha=0.05, power=0.8, alternative="two-sided") * sd)] for sd in (0.2, 0.5) for n in (5, 50, 1000)],
    "needed": [[d, sd, float(power.solve_power(effect_size=d / sd, alpha=0.05, power=0.8, alternative="two-sided"))] for d, sd in ((0.02, 0.3), (0.1, 0.4), (0.05, 0.2))],
    "holm": [[p, multipletests(p, method="holm")[1].tolist()] for p in ([0.01, 0.04, 0.03, 0.2], [0.5], [0.02, 0.02, 0.9])],
    "crossed": [crossed(40, 3, 5), crossed(12, 1, 3), crossed(25, 2, 2)],
    "paired": [paired(120, 40), paired(60, 8)],
}
path = Path(__file__).parent / "evaluation" / "comparison.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
