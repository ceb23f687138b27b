"""The picture beside a link to a chapter."""

from io import BytesIO

import pytest
from PIL import Image

from dlbook.checkout import ROOT, chapters
from dlbook.press.web import cards

SITE = ROOT / "site"
CHAPTERS = chapters()


def test_the_same_words_give_the_same_card():
    words = ("Nearest neighbors", "Learning from data", "A book")
    assert cards.drawn(*words) == cards.drawn(*words)
    assert cards.drawn(*words) != cards.drawn("Views", *words[1:])


def test_a_title_that_does_not_fit_a_card_is_refused():
    with pytest.raises(ValueError, match="three lines"):
        cards.drawn("word " * 40, "", "")


@pytest.mark.parametrize("word", ["book", *CHAPTERS])
def test_every_chapter_has_a_card(word):
    data = (SITE / cards.address(word)).read_bytes()
    assert Image.open(BytesIO(data)).size == (cards.WIDTH, cards.HEIGHT)
    assert len(data) < 60_000
