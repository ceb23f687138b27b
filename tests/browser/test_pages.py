"""Every page in a real browser: in light and dark, on a phone and on a desk."""

from itertools import product
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "source" not in path.parts and path.name != "404.html"
)

LOAD = """async () => {
  const shown = [...document.images].filter(image => image.offsetParent)
  for (const image of shown) image.loading = "eager"
  await Promise.all(shown.map(image => image.decode().catch(() => {})))
  return shown.filter(image => !image.naturalWidth).map(image => image.src)
}"""
SCHEMES = {"light": "default", "dark": "slate"}  # and the names that the theme gives them
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WHOLE = "!document.querySelector('.part:not(.set)')"
INSPECT = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
  const options = { runOnly: rules, resultTypes: ["violations"], selectors: false }
  const found = await axe.run(document, options)
  return found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)))
}"""


@pytest.mark.parametrize("address_of_page", PAGES)
def test_a_page_is_whole_accessible_and_alone(address_of_page, open_page):
    # a title that is fading in has no contrast yet: judge the page at rest
    page = open_page(address_of_page, 390, reduced_motion="reduce")
    page.wait_for_function(WHOLE)
    page.evaluate(AXE)
    for width, scheme in product((390, 1280), SCHEMES):
        view = f"{width} px, {scheme}"
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            f"document.body.dataset.mdColorScheme === '{SCHEMES[scheme]}'"
        )
        assert page.evaluate(OVERFLOW) <= 0, f"{view}: wider than the window"
        assert page.evaluate(LOAD) == [], f"{view}: pictures that did not load"
        assert page.evaluate(INSPECT) == [], view
    assert page.wrong == []


def chapters():
    return [address for address in PAGES if address.startswith("chapters/")]


@pytest.mark.parametrize("chapter", chapters())
def test_a_chapter_shows_a_picture_in_the_first_screen(chapter, open_page):
    page = open_page(chapter, 1280)  # and 900 px high
    first = page.locator("article figure").first.bounding_box()
    assert first, "the chapter has a figure"
    assert first["y"] <= 750, "no more than its upper edge would be seen"


@pytest.mark.parametrize("chapter", chapters())
def test_a_chapter_is_readable_without_scripts(chapter, open_page):
    page = open_page(chapter, java_script_enabled=False)
    assert page.locator("article h1").count() == 1
    for figure in page.locator("figure.frames").all():
        visible = [frame.is_visible() for frame in figure.locator(".frame").all()]
        assert len(visible) >= 2
        assert all(visible), "without a script every frame is shown"
    for formula in page.locator(".formula:not(details *) .katex-html").all()[:5]:
        assert formula.bounding_box()["width"] > 0


def sliders():
    return [
        address
        for address in chapters()
        if 'class="drawing frames"' in (SITE / address).read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("chapter", sliders())
def test_a_slider_moves_by_keys_and_speaks_and_on_paper_every_frame_is_there(
    chapter, open_page
):
    page = open_page(chapter)
    slider = page.locator("figure.frames input[type=range]").first
    slider.scroll_into_view_if_needed()
    slider.focus()
    before = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") != before
    shown = page.locator("figure.frames").first.locator(".frame.shown")
    assert shown.count() == 1
    assert shown.get_attribute("data-value") in slider.get_attribute("aria-valuetext")
    page.emulate_media(media="print")
    frames = page.locator("figure.frames .frame")
    assert all(frame.is_visible() for frame in frames.all())
    assert not page.locator(".md-header").is_visible()


def test_search_finds_a_term(open_page):
    page = open_page("")
    page.keyboard.press("/")
    page.keyboard.type("regression")
    page.wait_for_selector(".md-search-result__item")
    assert "egression" in page.locator(".md-search-result__item").first.inner_text()


def test_the_copy_button_copies_exactly_the_block_and_it_runs(open_page, tmp_path):
    import subprocess
    import sys

    page = open_page(
        "chapters/linear_regression.html",
        permissions=["clipboard-read", "clipboard-write"],
    )
    block = page.locator(".block.highlight").first
    block.hover()
    shown = block.locator("code").inner_text()
    assert shown
    block.locator("button, .md-clipboard").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == shown.strip()
    program = tmp_path / "pasted.py"
    program.write_text(copied, encoding="utf-8")
    subprocess.run([sys.executable, str(program)], check=True, timeout=120)


def test_the_schemes_follow_the_toggle(open_page):
    page = open_page("chapters/linear_regression.html")
    scheme = "document.body.dataset.mdColorScheme"
    seen = {page.evaluate(scheme)}
    for _ in range(3):
        page.locator("form[data-md-component=palette] label:visible").first.click()
        seen.add(page.evaluate(scheme))
    assert seen == {"default", "slate"}


def test_the_site_reads_and_searches_from_disk(open_page):
    page = open_page("index.html", base=SITE.as_uri())
    page.locator("article a", has_text="nearest neighbors").first.click()
    page.wait_for_load_state()  # keys are heard when the scripts have run
    assert "Nearest neighbors" in page.locator("h1").inner_text()
    page.keyboard.press("/")
    page.keyboard.type("perceptron")
    page.wait_for_selector(".md-search-result__item")
    assert page.wrong == []


@pytest.mark.parametrize("from_disk", [False, True], ids=["served", "from disk"])
def test_what_is_pasted_into_the_search_is_looked_for(from_disk, open_page):
    """Nobody presses a key who pastes with the mouse."""
    page = open_page("index.html", base=SITE.as_uri()) if from_disk else open_page("")
    page.keyboard.press("/")
    page.keyboard.type("perceptron")
    page.wait_for_selector(".md-search-result__item")
    page.locator(".md-search__input").fill("convolution")
    page.locator(".md-search-result__item", has_text="onvolution").first.wait_for()
