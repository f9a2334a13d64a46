"""Fits that are too bad or too good to be true: then limits mean little."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["chi2_probability", "doubtful_fits"]

# Fits less probable than this, on either side, are worth a word.
_DOUBTFUL = 1e-4


def chi2_probability(chi2: float, ndf: int) -> float:
    """Probability of at least this chi2."""
    from scipy.special import chdtrc

    return float(chdtrc(ndf, chi2))


def doubtful_fits(fits: Mapping[str, tuple[float, int]]) -> list[str]:
    """Words on fits whose chi2 is beyond a probability of 1e-4 on either side.

    Parameters
    ----------
    fits : mapping of str to (float, int)
        Chi2 and degrees of freedom, by the words for the fit; one without any is no fit.
    """
    words = []
    for name, (chi2, ndf) in fits.items():
        if ndf < 1:
            continue
        worse = chi2_probability(chi2, ndf)
        if worse < _DOUBTFUL:
            why = f"p = {worse:.2g}: too bad to be true, check flux, exposure and errors"
        elif 1.0 - worse < _DOUBTFUL:
            why = f"1 - p = {1.0 - worse:.2g}: too good to be true, check the errors"
        else:
            continue
        words.append(f"the {name} has chi2 = {chi2:.5g} for {ndf} degrees of freedom, {why}")
    return words
