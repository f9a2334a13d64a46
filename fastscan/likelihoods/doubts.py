"""Fits that are too bad or too good to be true: then limits mean little."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["chi2_probability", "doubtful_fits"]

# Fits less probable than this, on either side, are worth a word.
_DOUBTFUL = 1e-4


def chi2_probability(chi2: float, ndf: int) -> float:
    """Probability of at least this chi2.

    The upper incomplete gamma function of whole and half numbers is a finite sum (Abramowitz and
    Stegun, 26.4.4 and 26.4.5); SciPy's takes longer to import than a limit takes.

    Examples
    --------
    >>> round(chi2_probability(7.39, 19), 6), round(chi2_probability(2.705543454095414, 1), 12)
    (0.991826, 0.1)
    """
    half = 0.5 * chi2
    if half == 0.0 or math.isinf(half):
        return 1.0 if half == 0.0 else 0.0
    if ndf % 2:
        first, power = math.erfc(math.sqrt(half)), 0.5
    else:
        first, power = math.exp(-half), 1.0
    # Of their logarithms: neither the powers nor the factorials overflow.
    terms = [
        math.exp((power + k) * math.log(half) - half - math.lgamma(power + k + 1.0))
        for k in range((ndf - 1) // 2)
    ]
    return math.fsum([first, *terms])


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
