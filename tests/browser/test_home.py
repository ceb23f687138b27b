"""The home page: a card for each chapter, and a map that every reader can use."""

import pytest

from dlbook.checkout import chapters

WORDS = chapters()
ARROWS = ".chapter-map svg"


def hrefs(locator):
    return [link.get_attribute("href") for link in locator.all()]


def test_a_whole_card_leads_to_its_chapter(open_page):
    page = open_page("index.html")
    card = page.locator(".card").nth(WORDS.index("knn"))
    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
    page.wait_for_url("**/chapters/knn.html")


def test_the_map_is_dense_and_each_name_stands_beside_its_arrows(open_page):
    page = open_page("index.html", 1280)
    chart = page.locator(".chapter-map").bounding_box()
    assert chart["height"] <= 26 * len(WORDS)  # 24 pixels, which a finger hits, and gaps
    rows = page.locator(".chapter-map ol ol > li > a").all()
    boxes = [row.bounding_box() for row in rows]
    assert [box["x"] for box in boxes] == [boxes[0]["x"]] * len(WORDS)
    for row in rows:  # no name is cut
        assert row.evaluate("a => a.scrollWidth <= a.clientWidth"), row.inner_text()
    middles = [box["y"] + box["height"] / 2 - chart["y"] for box in boxes]
    for tip in page.locator(f"{ARROWS} path[data-to]").all():
        begin, end = (
            middles[WORDS.index(tip.get_attribute(name))]
            for name in ("data-from", "data-to")
        )
        drawn = tip.evaluate(
            "p => [0, p.getTotalLength()].map(l => p.getPointAtLength(l).y)"
        )
        assert begin <= drawn[0] <= begin + 10, "an arrow begins at the foot of its box"
        assert end - 10 <= drawn[1] <= end, "and ends at the head of the other"
    right = boxes[0]["x"] + boxes[0]["width"]
    left = page.locator(ARROWS).first.bounding_box()["x"]
    assert abs(right - left) <= 2, "the arrows touch the boxes"


def test_the_map_is_a_list_on_a_phone_and_on_paper_and_without_scripts(open_page):
    phone = open_page("index.html", 390, java_script_enabled=False)
    paper = open_page("index.html", 1280)
    paper.emulate_media(media="print")
    for page in (phone, paper):
        assert not any(arrow.is_visible() for arrow in page.locator(ARROWS).all())
        needs = page.locator(".chapter-map .needs")
        assert all(words.bounding_box()["width"] > 20 for words in needs.all())
        assert hrefs(page.locator(".chapter-map a")) == hrefs(page.locator(".card a"))
    assert not any(card.is_visible() for card in paper.locator(".card-picture").all())


def test_the_keyboard_reaches_every_chapter_and_marks_what_it_needs(open_page):
    page = open_page("index.html")
    link = page.locator(".chapter-map a[href='chapters/polynomial.html']")
    page.locator(".chapter-map a[href='chapters/knn.html']").focus()
    page.keyboard.press("Tab")
    assert link.evaluate("a => a === document.activeElement")
    width = "svg => getComputedStyle(svg).strokeWidth"
    assert link.locator("xpath=..").locator("svg").evaluate(width) == "2.5px"
    others = page.locator(".chapter-map a[href='chapters/svm.html']").locator("xpath=..")
    assert others.locator("svg").evaluate(width) == "1px"


@pytest.mark.parametrize(
    ("place", "trail"),
    [
        ("chapters/knn.html", ["Home", "Learning from data"]),
        ("labs/knn.html", ["Home", "Labs"]),
        ("reference/api/knn.html", ["Home", "Reference", "API"]),
    ],
)
def test_a_trail_says_where_a_page_is(place, trail, open_page):
    page = open_page(place)
    steps = page.locator(".md-path a")
    assert [step.inner_text().strip() for step in steps.all()] == trail
    steps.first.click()
    page.wait_for_url("**/index.html")


def test_behind_the_last_chapter_no_lab_follows_and_each_number_is_in_the_menu(open_page):
    page = open_page(f"chapters/{WORDS[-1]}.html")
    assert page.locator(".md-footer__link--next").count() == 0
    lab = page.locator(".md-nav--primary a[href='../labs/knn.html'] .number")
    number = WORDS.index("knn") + 1
    assert lab.text_content() == str(number)
    page.goto(page.url.replace(f"chapters/{WORDS[-1]}", f"labs/{WORDS[0]}"))
    assert page.locator(".md-footer__link--prev").count() == 0
