"""The scalar engine: by hand, against torch on random expressions, and at the edges."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook import engine
from dlbook.engine import Number, ancestors, backward

ONE = {  # operations on one number: ours, torch's
    "exp": (lambda a: engine.exp(0.1 * a), lambda a: (0.1 * a).exp()),
    "log": (lambda a: engine.log(a * a + 1), lambda a: (a * a + 1).log()),
    "tanh": (engine.tanh, torch.tanh),
    "relu": (engine.relu, torch.relu),
    "square": (lambda a: engine.tanh(a) ** 2, lambda a: a.tanh() ** 2),
    "minus": (lambda a: 1 - a, lambda a: 1 - a),
    "negative": (lambda a: -a, lambda a: -a),
    "half": (lambda a: a / 2, lambda a: a / 2),
    "inverse": (lambda a: 1 / (a * a + 1), lambda a: 1 / (a * a + 1)),
    "two to the": (lambda a: 2 ** engine.tanh(a), lambda a: 2 ** a.tanh()),
}
TWO = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b),
    "divide": (lambda a, b: a / (b * b + 1), lambda a, b: a / (b * b + 1)),
    "power": (
        lambda a, b: (a * a + 1) ** engine.tanh(b),
        lambda a, b: (a * a + 1) ** b.tanh(),
    ),
    "multiply": (lambda a, b: engine.tanh(a) * b, lambda a, b: a.tanh() * b),
}
CHOICES = st.tuples(
    st.sampled_from(sorted(ONE | TWO)), st.integers(0, 1000), st.integers(0, 1000)
)


def test_a_case_worked_by_hand():
    a, b = Number(2.0, "a"), Number(-3.0, "b")
    result = a * b + b**2  # -6 + 9
    backward(result)
    assert result.value == 3
    assert (a.gradient, b.gradient) == (-3, 2 - 6)


def test_a_number_used_twice_collects_both_slopes():
    a = Number(3.0, "a")
    backward(a * a + a)
    assert a.gradient == 7


@given(
    values=st.lists(st.floats(-2, 2), min_size=1, max_size=4),
    choices=st.lists(CHOICES, min_size=1, max_size=25),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_expression_has_the_value_and_the_gradients_of_torch(values, choices):
    ours = [Number(value) for value in values]
    theirs = [
        torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values
    ]
    leaves = list(theirs)
    for name, first, second in choices:
        operation, reference = (ONE | TWO)[name]
        places = [first % len(ours), second % len(ours)][: 1 + (name in TWO)]
        ours.append(operation(*(ours[place] for place in places)))
        theirs.append(reference(*(theirs[place] for place in places)))
    backward(ours[-1])
    theirs[-1].backward()
    assert ours[-1].value == pytest.approx(theirs[-1].item(), rel=1e-9, abs=1e-12)
    for number, leaf in zip(ours, leaves, strict=False):
        gradient = 0.0 if leaf.grad is None else leaf.grad.item()
        assert number.gradient == pytest.approx(gradient, rel=1e-9, abs=1e-12)


def test_every_number_stands_before_its_sources():
    a = Number(0.5)
    numbers = ancestors(engine.tanh(a * a + a) - a * 3)
    place = {number: index for index, number in enumerate(numbers)}
    assert len(place) == len(numbers)
    assert all(place[n] < place[s] for n in numbers for s, _ in n.sources)


def test_a_second_call_begins_anew():
    a = Number(3.0)
    result = a * a
    backward(result)
    backward(result)
    assert a.gradient == 6


def test_a_chain_of_ten_thousand_steps_needs_no_recursion():
    a = Number(1.0)
    result = a
    for _ in range(10_000):
        result = result + a
    backward(result)
    assert a.gradient == 10_001


def test_the_kink_of_the_rectifier_has_slope_zero_as_in_torch():
    a, x = Number(0.0), torch.zeros((), requires_grad=True)
    backward(engine.relu(a))
    torch.relu(x).backward()
    assert a.gradient == x.grad == 0


def test_a_plain_number_may_stand_on_either_side():
    a = Number(2.0)
    assert [(1 + a).value, (1 - a).value, (3 * a).value, (a - 1).value] == [3, -1, 6, 1]


def test_what_has_no_real_slope_is_refused():
    with pytest.raises(ValueError, match="above 0, got -1"):
        engine.log(Number(-1.0))
    with pytest.raises(ValueError, match=r"power 0\.5 has no real slope at -4"):
        Number(-4.0) ** 0.5
    with pytest.raises(ValueError, match="power -1 has no real slope at 0"):
        Number(0.0) ** -1
    with pytest.raises(OverflowError):
        engine.exp(Number(1e4))


def test_zero_to_the_power_of_zero_is_one_and_flat():
    a = Number(0.0)
    result = a**0
    backward(result)
    assert (result.value, a.gradient) == (1, 0)


def test_a_number_that_is_none_is_refused():
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="must be finite"):
            Number(value)
    with pytest.raises(ValueError, match=r"must be finite, got \* = inf"):
        Number(1e200) * Number(1e200)


def test_the_representation_shows_value_and_gradient():
    assert repr(Number(math.pi)) == "Number(3.1416, gradient=0.0000)"


def test_a_slope_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="must be finite, got log = inf"):
        engine.log(Number(1e-310))
    for base, exponent in ((1e200, 2), (1e-300, -2)):
        with pytest.raises(OverflowError):
            Number(base) ** exponent


def test_a_gradient_stays_until_a_result_that_uses_the_number():
    a, b = Number(1.0), Number(1.0)
    backward(a * 2)
    backward(b * 3)
    assert (a.gradient, b.gradient) == (2, 3)
