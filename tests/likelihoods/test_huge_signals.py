"""Chi2 at signals of any size, where the channels have normalisations of their own."""

import mpmath
import numpy as np
import pytest

from fastscan.inputs import load_experiment
from fastscan.likelihoods import likelihood

NUCLEI = {"kind": "normalisation", "channel": "cevns"}
ELECTRONS = {"kind": "normalisation", "channel": "eves"}
BOTH = {"kind": "normalisation"}
# Names and relative sigmas.
SYSTEMATICS = {
    "apart": (("nuclei", 0.2, NUCLEI), ("electrons", 0.3, ELECTRONS)),
    "nuclei more": (("both", 0.2, BOTH), ("nuclei", 1.0, NUCLEI)),
    "electrons more": (("both", 0.5, BOTH), ("electrons", 0.05, ELECTRONS)),
    "all three": (("both", 0.05, BOTH), ("nuclei", 0.1, NUCLEI), ("electrons", 0.3, ELECTRONS)),
    "nuclei alone": (("nuclei", 0.2, NUCLEI),),
    "electrons alone": (("electrons", 0.2, ELECTRONS),),
}
# Charges of quarks and leptons: one channel alone, either ahead of the other, or both.
MODELS = [
    ("vector", {"charges": "1,0,1,-1"}, "g", {"mass_mev": 0.01}),
    ("vector", {}, "g", {"mass_mev": 0.01}),
    ("vector", {}, "g", {"mass_mev": 10.0}),
    ("millicharge", {}, "q_ee", {}),
]


def pulled(folder, name, model, options):
    lines = ['extends = "conus-plus"', f'name = "{name.replace(" ", "-")}"']
    for pull, sigma, kind in SYSTEMATICS[name]:
        lines += ["[[systematics.pulls]]", f'name = "{pull}"', f"sigma = {sigma}"]
        lines += [f'{key} = "{value}"' for key, value in kind.items()]
    path = folder / "channels.toml"
    path.write_text("\n".join(lines))
    return likelihood(model, load_experiment(path), **options)


def chi2_with_many_digits(found, name, prediction):
    """Chi2 = r^T (1 + T T^T)^-1 r of the channels' counts, in 200 digits."""
    with mpmath.workdps(200):
        sigma = [mpmath.mpf(s) for s in found.sigma.tolist()]
        counts = {}
        for channel in ("cevns", "eves"):
            every = zip(getattr(prediction, channel).tolist(), sigma, strict=True)
            counts[channel] = mpmath.matrix([mpmath.mpf(n) / s for n, s in every])
        seen = mpmath.matrix([n / s for n, s in zip(found.data.tolist(), sigma, strict=True)])
        rest = counts["cevns"] + counts["eves"] - seen
        covariance = mpmath.eye(len(sigma))
        for _, size, kind in SYSTEMATICS[name]:
            chosen = [kind["channel"]] if "channel" in kind else list(counts)
            column = mpmath.mpf(size) * sum((counts[c] for c in chosen), 0 * seen)
            covariance += column * column.T
        return float(mpmath.fdot(rest, mpmath.lu_solve(covariance, rest)))


def sizes(found, coupling, given):
    """Values of the coupling at signals of 1 to 1e20 standard deviations."""
    unit = found.counts((coupling,), given).size(coupling)
    power = {"g": 4.0, "q_ee": 2.0}[coupling]
    for signal in 10.0 ** np.arange(0.0, 20.1, 4.0):
        value = unit * signal ** (1.0 / power)
        if value <= found.model.parameter(coupling).maximum:
            yield value


@pytest.mark.parametrize(("model", "options", "coupling", "given"), MODELS)
@pytest.mark.parametrize("name", [*SYSTEMATICS])
def test_chi2_keeps_its_digits(tmp_path, tables, name, model, options, coupling, given):
    found = pulled(tmp_path, name, model, options)
    form = found.form((coupling,), given)
    values = np.array([*sizes(found, coupling, given)])
    predictions = [found.predict(**given, **{coupling: value}) for value in values]
    exact = [chi2_with_many_digits(found, name, prediction) for prediction in predictions]
    grid = np.empty(values.size)
    form.grid({coupling: values}).evaluate([slice(0, values.size)], grid)
    assert [prediction.chi2 for prediction in predictions] == pytest.approx(exact, rel=1e-9, abs=0)
    assert form.values(values[:, None]) == pytest.approx(exact, rel=1e-9, abs=0)
    assert grid == pytest.approx(exact, rel=1e-9, abs=0)
