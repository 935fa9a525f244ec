"""Times as containers count them."""

from __future__ import annotations

from fractions import Fraction


def seconds(ticks: int, time_base: Fraction) -> float:
    """The same as the product of both, rounded once; a product of fractions takes longer, and comes every frame."""
    return ticks * time_base.numerator / time_base.denominator
