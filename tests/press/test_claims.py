"""Measured numbers in prose are compared with their records."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlbook.press.page import claims
from dlbook.press.page.claims import NUMBER, rewritten
from dlbook.runs import record


@pytest.mark.parametrize(
    ("text", "value", "unit", "expected"),
    [
        ("3.09 %", 3.0912, "%", "3.09 %"),
        ("3.09 %", 3.0962, "%", "3.10 %"),
        ("3.09", 3.0912, "%", "3.09"),
        ("60 000", 60000, "", "60 000"),
        ("59 999", 60000, "", "60 000"),
        ("1.6e-11", 1.63e-11, "", "1.6e-11"),
        ("1.6e-11", 1.73e-11, "", "1.7e-11"),
        ("-0.5", -0.52, "", "-0.5"),
        ("0.25", 0.2551, "", "0.26"),
        ("12", 12.4, "s", "12"),
    ],
)
def test_a_claim_is_compared_within_the_digits_shown(text, value, unit, expected):
    assert claims.rewritten(text, value, unit) == expected


@pytest.mark.parametrize("text", ["about 3", "3.09 kB", "many"])
def test_a_claim_that_is_no_number_with_its_unit_is_refused(text):
    with pytest.raises(ValueError, match="must be a number"):
        claims.rewritten(text, 3.09, "%")


def test_a_claim_that_would_agree_with_anything_is_no_claim():
    assert rewritten("0e9", 3.09, "") == "3e0"
    with pytest.raises(ValueError, match="must be a finite number"):
        rewritten("1e999", 3.09, "")


def test_a_claim_may_name_an_item_of_a_series(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    record.write("word", "quick", {}, {"curve": record.Claim([5.0, 7.0], "%")})
    assert claims.recorded("word.curve.1") == (7.0, "%")
    assert claims.mistake("7.1 %", "word.curve.1").startswith("[7.1 %]")
    for name in ("word.curve", "word.curve.2", "word.curve.x", "word.other"):
        with pytest.raises(LookupError):
            claims.recorded(name)


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
