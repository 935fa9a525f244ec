"""The budget of a connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exerlitenet.app.limits import Allowance


def test_a_burst_and_then_the_rate() -> None:
    allowance = Allowance(10)
    assert all(allowance.take(1, 0.0) for _ in range(20))
    assert not allowance.take(1, 0.0)
    assert allowance.take(1, 0.1)
    assert not allowance.take(1, 0.1)
    assert not allowance.take(21, 1000.0)
    assert allowance.take(20, 1000.0)


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 50)), max_size=60))
def test_never_more_than_a_burst_and_the_rate(requests: list[tuple[float, float]]) -> None:
    allowance = Allowance(10)
    now_s = spent = 0.0
    for wait_s, amount in requests:
        now_s += wait_s
        if allowance.take(amount, now_s):
            spent += amount
    assert spent <= 20 + 10 * now_s + 1e-6
