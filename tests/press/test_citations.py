"""Citations are labels of works in one bibliography."""

from dlbook.press.page.citations import label


def test_citations_are_read_from_the_bibliography():
    assert label("cover1967") == "Cover and Hart, 1967"
    assert label("he2016") == "He et al., 2016"
    assert label("brown2020") == "Brown et al., 2020"
