"""A note shows what is named: by the mouse, by the keyboard, not by touch, not on paper."""

from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
INSPECT = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
  const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] })
  return found.violations.map(v => v.id + ": " + v.nodes[0].html.slice(0, 160))
}"""
WHOLE = "!document.querySelector('.part:not(.set)')"
KINDS = ("a.term", "a.citation", "a.claim", "a.helper", "span.helper")
OPEN = "#note:popover-open"
HELD = """name => {
  const { of, item } = name.dataset
  const target = of ?? name.getAttribute("href") + (item ? ":" + item : "")
  return document.querySelector("#notes").content.querySelector(`[data-of="${target}"]`).textContent
}"""
SHIFTS = """() => {
  window.moved = 0
  new PerformanceObserver(list => list.getEntries().forEach(shift => moved += shift.value))
    .observe({ type: "layout-shift" })
}"""


def shown(page, kind):
    """Find the first name of a kind that is seen."""
    page.wait_for_function(WHOLE)
    name = page.locator(f"article {kind}").locator("visible=true").first
    name.scroll_into_view_if_needed()
    return name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_shows_its_note_under_the_mouse_and_nothing_moves(kind, scheme, open_page):
    page = open_page("chapters/knn.html", 1280, scheme, reduced_motion="reduce")
    name, note = shown(page, kind), page.locator(OPEN)
    page.evaluate(SHIFTS)
    assert note.count() == 0
    name.hover()
    note.wait_for()
    assert note.text_content() == name.evaluate(HELD)
    box = note.bounding_box()
    assert box["x"] >= 0 <= box["y"]
    assert box["x"] + box["width"] <= 1280
    assert box["y"] + box["height"] <= 900
    page.evaluate(AXE)
    assert page.evaluate(INSPECT) == []
    assert page.evaluate("moved") == 0
    page.mouse.move(1, 1)
    note.wait_for(state="detached")
    assert page.wrong == []


@pytest.mark.parametrize("kind", ["a.term", "a.helper"])
def test_the_pointer_may_enter_the_note_and_esc_closes_it(kind, open_page):
    page = open_page("chapters/knn.html")
    name, note = shown(page, kind), page.locator(OPEN)
    name.hover()
    note.wait_for()
    page.clock.install()
    note.hover()
    page.clock.run_for(1000)  # longer than a note stays without the pointer
    assert note.count() == 1
    page.keyboard.press("Escape")
    assert note.count() == 0


@pytest.mark.parametrize("kind", ["a.term", "a.citation", "a.claim", "a.helper"])
def test_the_keyboard_opens_and_closes_a_note_and_goes_on(kind, open_page):
    page = open_page("chapters/knn.html")
    name, note = shown(page, kind), page.locator(OPEN)
    page.keyboard.press("Tab")  # so that the focus is seen
    name.evaluate("name => name.focus({ focusVisible: true })")
    note.wait_for()
    assert name.get_attribute("aria-describedby") == "note"
    page.keyboard.press("Escape")
    assert note.count() == 0
    assert name.evaluate("name => name === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    note.wait_for()
    page.keyboard.press("Tab")
    assert not page.locator("[aria-describedby=note]").evaluate_all(
        "(names, name) => names.includes(name)", name.element_handle()
    )
    assert page.evaluate("!document.activeElement.closest('#note')")


def test_a_link_in_a_note_can_be_followed(open_page):
    page = open_page("chapters/knn.html")
    name = shown(page, "a.term")
    name.hover()
    page.locator(f"{OPEN} a").first.click()
    page.wait_for_url("**/chapters/*.html")
    assert page.wrong == []


def test_a_finger_follows_the_link(open_page):
    page = open_page("chapters/knn.html", 390, has_touch=True, is_mobile=True)
    name = shown(page, "a.term")
    stays = (
        "name => name.addEventListener('click', e => e.preventDefault(), { once: true })"
    )
    name.evaluate(stays)
    page.clock.install()
    name.tap()
    name.dispatch_event("pointerover", {"pointerType": "touch"})  # the finger rests
    page.clock.run_for(1000)
    assert page.locator(OPEN).count() == 0, "a note would only be in the way"
    name.tap()
    page.wait_for_url("**/reference/glossary.html#*")


def test_without_scripts_nothing_is_shown_and_on_paper_no_note_is(open_page):
    page = open_page("chapters/knn.html", java_script_enabled=False)
    page.locator("article a.term").first.hover()
    assert page.locator("#note").count() == 0
    assert not page.locator("template#notes").is_visible()
    page = open_page("chapters/knn.html")
    shown(page, "a.claim").hover()
    page.locator(OPEN).wait_for()
    page.emulate_media(media="print")
    assert not page.locator("#note").is_visible()


def test_a_note_works_from_disk(open_page):
    page = open_page("chapters/knn.html", base=SITE.as_uri())
    shown(page, "a.citation").hover()
    page.locator(OPEN).wait_for()
    assert page.wrong == []


def test_the_row_of_a_number_is_marked_and_leads_back_to_its_sentence(open_page):
    page = open_page("chapters/knn.html", reduced_motion="reduce")
    claim = shown(page, "a.claim")
    anchor, place = (
        claim.get_attribute("href").partition("#")[2],
        claim.get_attribute("id"),
    )
    claim.click()
    page.wait_for_url("**/reference/results.html#*")
    row = page.locator(f"tr#{anchor}")
    mark = "row => getComputedStyle(row).backgroundColor"
    plain = page.locator("tbody tr:not(:target)").first.evaluate(mark)
    assert row.evaluate(mark) != plain
    assert page.locator(".md-header").bounding_box()["height"] <= row.bounding_box()["y"]
    row.locator(f'a[href$="#{place}"]').click()
    page.wait_for_url(f"**/chapters/knn.html#{place}")
    marked = page.locator("a.claim:target")
    assert marked.get_attribute("id") == place
    marked.wait_for()
    assert 0 <= marked.bounding_box()["y"] <= 900
