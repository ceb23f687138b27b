"""Formulas are rendered when the site is built."""

import pytest

from dlbook.press.page import formulas
from dlbook.press.page.page import Page


def test_formulas_become_html_and_mathml():
    page = '<span class="arithmatex">\\(x &lt; y\\)</span>'
    new = formulas.rendered(page)
    assert "<math" in new
    assert "arithmatex" not in new
    with pytest.raises(ValueError, match=r"formula \$\\nosuch\$: KaTeX parse error"):
        formulas.rendered('<span class="arithmatex">\\(\\nosuch\\)</span>')


def test_a_formula_that_cannot_be_set_is_told_with_its_line():
    text = (
        "Good $x_1$ and `$\\nosuch$`.\n\n$$\nx +\n\\nosuch\n$$\n\nA $\\bad$ one, 3 \\$.\n\n"
        "```python\n'$\\nosuch$'\n```\n\n```figure\nknn.x\nA $\\worse$ caption.\n```\n"
    )
    mistakes = list(formulas.refused(Page("chapters/x.md", text)))
    assert [mistake.line for mistake in mistakes] == [3, 8, 16]
    assert "KaTeX parse error" in mistakes[0].reason
    assert formulas.line_of(str(mistakes[1].reason), text.splitlines()) == 8
