"""A claim that is rewritten agrees with its record, and stays as it is the next time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlbook.press.page.claims import NUMBER, rewritten

FORMS = (
    "3",
    "-3.1",
    "−3.12",
    "60 000",
    "1 000.5",
    "1.6e10",
    "1.62e-11",
    "−1.6e−11",
    "2e3",
)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("1.6e10", 2.3e10, "2.3e10"),
        ("1.6e-11", 2.3e-5, "2.3e-5"),
        ("1.6e-11", 2.3, "2.3e0"),
        ("1.6e3", 1e100, "1.0e100"),
        ("1.6e−11", 2.3e-5, "2.3e−5".replace("-", "−")),
        ("1 000.5", -0.25, "-0.2"),
        ("1 000.5", -1234.5, "-1 234.5"),
        ("−1.5", -2.5, "−2.5"),
        ("60 000", 1234567.0, "1 234 567"),
    ],
)
def test_a_number_keeps_its_form(text, value, expected):
    for behind in ("", " %"):
        assert rewritten(text + behind, value, "%") == expected + behind


@given(
    st.sampled_from(FORMS),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", " %"]),
)
def test_a_rewritten_number_agrees_and_stays(form, value, behind):
    new = rewritten(form + behind, value, "%")
    assert rewritten(new, value, "%") == new
    match = NUMBER.fullmatch(new)
    number = float(re.sub("[ \u00a0\u202f]", "", match["number"]).replace("−", "-"))
    decimals = len(match["decimals"] or "")
    power = int((match["power"] or "0").replace("−", "-"))
    assert abs(number - value) <= 0.51 * 10.0 ** (power - decimals)
