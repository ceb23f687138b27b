"""Measured numbers in prose are compared with their records."""

import pytest

from dlbook.press.page import claims
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


def test_a_claim_may_name_an_item_of_a_series(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    record.write("word", "quick", {}, {"curve": record.Claim([5.0, 7.0], "%")})
    assert claims.recorded("word.curve.1") == (7.0, "%")
    assert claims.mistake("7.1 %", "word.curve.1").startswith("[7.1 %]")
    for name in ("word.curve", "word.curve.2", "word.curve.x", "word.other"):
        with pytest.raises(LookupError):
            claims.recorded(name)
