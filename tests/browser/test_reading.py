"""Reading in other ways than with a mouse: by touch, by keys, without scripts, on paper."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from audit import reading
from pypdf import PdfReader

from dlbook.press.source.listings import definition

SITE = Path(__file__).parents[2] / "site"
FORMULAS = ("backprop", "knn", "risk", "svm")  # in text, captions, tables and solutions
CHAPTERS = sorted(path.stem for path in (SITE / "chapters").glob("*.html"))
WIDGETS = ("broadcasting", "cnn", "perceptron")

# The contrast of WCAG 2.2, written out: axe passes over what it cannot judge.
CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })
  const parsed = color => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = ([r, g, b, a], below) => [r, g, b].map((x, i) => a * x + (1 - a) * below[i])
  const behind = element => {
    const base = element.parentElement ? behind(element.parentElement) : [255, 255, 255]
    return over(parsed(getComputedStyle(element).backgroundColor), base)
  }
  const light = rgb => rgb.map(x => x / 255)
    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0)
  for (const folded of document.querySelectorAll("details")) folded.open = true
  const seen = new Map()
  for (const formula of document.querySelectorAll(".katex-html")) {
    const texts = document.createTreeWalker(formula, NodeFilter.SHOW_TEXT)
    const ground = behind(formula)
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement
      const color = parsed(getComputedStyle(element).color)
      if (!texts.currentNode.data.trim() || !color[3] || !element.getClientRects().length) continue
      const [dark, bright] = [light(over(color, ground)), light(ground)].sort((a, b) => a - b)
      seen.set(`${color} on ${ground.map(Math.round)}`, (bright + 0.05) / (dark + 0.05))
    }
  }
  return Object.fromEntries(seen)
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("word", FORMULAS)
def test_every_sign_of_a_formula_stands_out_from_its_ground(word, scheme, open_page):
    page = open_page(f"chapters/{word}.html", 1280, scheme, reduced_motion="reduce")
    seen = page.evaluate(CONTRAST)
    assert seen, "the page has formulas"
    assert min(seen.values()) >= 4.5, seen


def test_a_slider_is_moved_by_touch(open_page):
    page = open_page("chapters/knn.html", 390, has_touch=True, is_mobile=True)
    figure = page.locator("figure.frames").first
    slider, shown = figure.locator("input[type=range]"), figure.locator(".frame.shown")
    slider.scroll_into_view_if_needed()
    first, told = (
        shown.get_attribute("data-value"),
        slider.get_attribute("aria-valuetext"),
    )
    box = slider.bounding_box()
    assert box["height"] >= 24, "a finger needs room"
    slider.tap(position={"x": box["width"] - 4, "y": box["height"] / 2})
    assert shown.get_attribute("data-value") != first
    assert slider.get_attribute("aria-valuetext") != told
    assert figure.locator("output").inner_text() == shown.get_attribute("data-value")


# What a step of the keyboard reaches, and whether a reader sees where it is.
REACHED = """() => {
  const here = document.activeElement
  const drawn = here.matches(".md-option") ? here.nextElementSibling
    : here.matches(".md-search__input") ? here.closest("form") : here
  const look = () => {
    const { outlineStyle, boxShadow, textDecoration, opacity } = getComputedStyle(drawn)
    return { outlineStyle, boxShadow, textDecoration, opacity }
  }
  const after = look()
  const place = drawn.getBoundingClientRect()
  here.blur()
  const before = look()
  here.focus({ focusVisible: true, preventScroll: true })
  return {
    kind: here.matches("a.md-skip") ? "skip link"
      : here.matches(".md-header *, .md-search *") ? "header"
      : here.matches(".md-sidebar *") ? "navigation"
      : here.matches("input[type=range]") ? "slider"
      : here.matches("article button, article pre *") ? "code"
      : here.matches("article a") ? "link" : here.matches("article *") ? "box" : "other",
    html: here.outerHTML.slice(0, 120),
    marked: after.outlineStyle != "none" || after.boxShadow != before.boxShadow
      || after.textDecoration != before.textDecoration,
    visible: after.opacity > 0 && place.width > 0 && place.bottom > 0 && place.top < innerHeight,
  }
}"""


def test_the_keyboard_walks_through_a_page_and_shows_where_it_is(open_page):
    page = open_page("chapters/knn.html", reduced_motion="reduce")
    steps = []
    while len(steps) < 150 and (not steps or steps[-1]["kind"] != "slider"):
        page.keyboard.press("Tab")
        steps.append(page.evaluate(REACHED))
    kinds = [step["kind"] for step in steps]
    assert kinds[0] == "skip link"
    assert list(dict.fromkeys(kinds))[:3] == ["skip link", "header", "navigation"]
    assert {"link", "code", "slider"} <= set(kinds)
    lost = [step["html"] for step in steps if not (step["marked"] and step["visible"])]
    assert lost == []


NARROW = "[...document.querySelectorAll('pre > code')].find(c => c.scrollWidth <= c.offsetWidth)"


def test_code_that_the_keys_shall_pass_over_keeps_the_focus_of_who_is_there(open_page):
    page = open_page("chapters/knn.html")
    code = page.evaluate_handle(NARROW).as_element()
    is_here = "code => code === document.activeElement"
    code.evaluate("code => { code.tabIndex = 0; code.focus() }")
    code.evaluate("code => code.removeAttribute('tabindex')")
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    assert code.evaluate(is_here)
    page.keyboard.press("Tab")
    assert not code.evaluate(is_here)
    assert code.evaluate("code => code.tabIndex") == -1


EDGES = """box => {
  const { before, after } = box.dataset
  return { stop: box.tabIndex === 0, before: before !== undefined, after: after !== undefined }
}"""


def test_a_table_that_is_cut_fades_at_the_side_and_is_a_stop_of_the_keyboard(open_page):
    page = open_page("chapters/history.html", 390)
    table = page.locator(".md-typeset__scrollwrap").first
    table.scroll_into_view_if_needed()
    cut = page.wait_for_selector(".md-typeset__scrollwrap[data-after]")
    assert cut.evaluate(EDGES) == {"stop": True, "before": False, "after": True}
    cut.evaluate("box => box.scrollLeft = box.scrollWidth")
    page.wait_for_selector("[data-before]:not([data-after])")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_selector("[data-before]", state="detached")
    assert cut.evaluate(EDGES) == {"stop": False, "before": False, "after": False}


# Each figure in sight, one after the other: what it shows, and whether it fits.
FIGURES = """async () => {
  const found = []
  for (const figure of document.querySelectorAll("article figure.drawing")) {
    figure.closest("details")?.setAttribute("open", "")
    figure.scrollIntoView()
    const image = [...figure.querySelectorAll("img")].find(image => image.checkVisibility())
    image.loading = "eager"
    await image.decode()
    found.push({ source: image.currentSrc, over: figure.scrollWidth - figure.clientWidth,
      width: image.offsetWidth, scale: image.offsetWidth / image.naturalWidth })
  }
  return found
}"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_window_chooses_the_drawing_and_it_fits(chapter, width, open_page):
    page = open_page(f"chapters/{chapter}.html", width, reduced_motion="reduce")
    for figure in page.evaluate(FIGURES):
        name = figure["source"].partition("assets/figures/")[2].partition("#")[0]
        assert name.endswith("-light-narrow.svg" if width == 390 else "-light.svg")
        assert figure["over"] <= 0, name
        assert 0.8 <= figure["scale"] <= 1.1, f"{name}: {figure}"


FILM = """figure => [...figure.querySelectorAll("img")].filter(image => image.complete
  && image.naturalWidth).map(image => image.currentSrc.split("#")[0])"""


@pytest.mark.parametrize(("width", "form"), [(390, "-narrow.svg"), (1280, "-light.svg")])
def test_a_film_is_loaded_when_its_slider_comes_into_sight(width, form, open_page):
    page = open_page("chapters/knn.html", width)
    figure = page.locator("figure.frames").first
    frames = figure.locator(".frame").count()
    assert len(figure.evaluate(FILM)) < frames, "a film out of sight costs nothing"
    figure.locator("input[type=range]").scroll_into_view_if_needed()
    page.wait_for_function(
        "([figure, frames]) => [...figure.querySelectorAll('img')]"
        ".filter(image => image.complete && image.naturalWidth).length >= frames",
        arg=[figure.element_handle(), frames],
    )
    loaded = figure.evaluate(FILM)
    assert len(loaded) == frames, "one scheme, one width"
    assert all(name.endswith(form) for name in loaded)


def test_the_audit_counts_what_is_cut(tmp_path, browser):
    long, short = "x = " + "1 + " * 99, "x = 1"
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "one.html").write_text(
        "<!doctype html><title>one</title><style>code { display: block; overflow: auto }"
        "figure { margin-top: 2000px }</style><article>"
        + "".join(f"<pre><code>{line}</code></pre>" for line in (long, short, long))
        + f"<div class='output'><pre><code>{short}</code></pre></div>"
        "<figure><a href='#'>a stop</a></figure></article>",
        encoding="utf-8",
    )
    page = browser.new_page(viewport=reading.DESK)
    (view,) = reading.views(page, tmp_path.as_uri(), ["chapters/one.html"])
    page.close()
    assert view.page == "chapters/one.html"
    assert view.counts["code"] == 3
    assert view.counts["cut"] == 2
    assert (view.counts["outputs"], view.counts["outputs_cut"]) == (1, 0)
    assert view.counts["first_figure"] > 2000
    assert view.counts["stops"] == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_a_listing_shows_code_and_unfolds_from_the_keyboard(scripts, open_page):
    page = open_page("chapters/knn.html", java_script_enabled=scripts)
    listing = page.locator(".listing", has_text="def k_nearest_neighbors").first
    listing.scroll_into_view_if_needed()
    box, rest = listing.locator("input.more").first, listing.locator(".rest").first
    assert "Args:" in rest.text_content()
    assert not rest.is_visible()
    box.focus()
    page.keyboard.press("Space")
    assert rest.is_visible()
    page.keyboard.press("Space")
    page.emulate_media(media="print")
    assert rest.is_visible()
    assert not box.is_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scripts", [True, False])
def test_a_block_leads_to_its_copy_and_covers_nothing(width, scripts, open_page):
    page = open_page("chapters/svm.html", width=width, java_script_enabled=scripts)
    link = page.locator(".block > a.program").first
    link.scroll_into_view_if_needed()
    place = link.bounding_box()
    code = page.locator(".block > pre").first.bounding_box()
    assert place["height"] >= 24  # what a finger hits
    assert place["y"] + place["height"] <= code["y"]
    assert (
        place["x"] + place["width"] <= code["x"] + code["width"] - 32
    )  # left of the button
    page.emulate_media(media="print")
    assert not link.is_visible()
    page.emulate_media(media="screen")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/programs/svm-1.py")
    shown = page.locator("body").inner_text()
    assert shown.startswith("# From dlbook")
    assert "λ" in shown  # no server has said how it is encoded


def test_a_copied_listing_holds_what_is_folded(open_page):
    allowed = ["clipboard-read", "clipboard-write"]
    page = open_page("chapters/knn.html", permissions=allowed)
    listing = page.locator(".listing", has_text="def k_nearest_neighbors").first
    listing.scroll_into_view_if_needed()
    listing.hover()
    listing.locator("button, .md-clipboard").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == definition("knn.k_nearest_neighbors")[2].strip()


def test_nothing_that_a_lab_shows_scrolls_sideways_on_a_desk(browser, address):
    page = browser.new_page(viewport=reading.DESK)
    names = [f"labs/{path.name}" for path in (SITE / "labs").glob("*.html")]
    wide = [v.page for v in reading.views(page, address, names) if v.counts["cut"]]
    page.close()
    assert names
    assert not wide


def test_the_skip_link_leads_to_the_article(open_page):
    page = open_page("chapters/knn.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('article') !== null")
    top = page.locator("article h1").bounding_box()["y"]
    assert page.locator(".md-header").bounding_box()["height"] <= top < 450


def test_a_result_of_the_search_is_opened_from_the_keyboard(open_page):
    page = open_page("chapters/views.html")
    page.keyboard.press("/")
    page.keyboard.type("perceptron")
    page.wait_for_selector(".md-search-result__link")
    page.keyboard.press("ArrowDown")
    wanted = page.evaluate("document.activeElement.href")
    assert "perceptron" in wanted
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(wanted.partition("?")[0])))
    assert "erceptron" in page.locator("article h1").inner_text()
    assert page.wrong == []


@pytest.mark.parametrize("lab", ["knn", "views"])
def test_a_lab_is_readable_without_scripts(lab, open_page):
    page = open_page(f"labs/{lab}.html", java_script_enabled=False)
    for part in ("article h1", ".block pre", ".output pre", "article img:visible"):
        assert page.locator(part).first.is_visible(), part


@pytest.mark.parametrize("word", WIDGETS)
@pytest.mark.parametrize("way", ["without scripts", "on paper"])
def test_a_widget_leaves_its_sentence(word, way, open_page):
    page = open_page(f"chapters/{word}.html", java_script_enabled=way == "on paper")
    page.emulate_media(media="print" if way == "on paper" else "screen")
    sentence = page.locator(".live > p").first
    assert sentence.is_visible()
    assert len(sentence.inner_text().split()) >= 8
    assert not page.locator(".live-box").first.is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_every_solution_is_open(scripts, open_page):
    page = open_page("chapters/broadcasting.html", java_script_enabled=scripts)
    page.emulate_media(media="print")
    folded = page.locator("article details")
    solutions = folded.locator("> :not(summary)")
    assert solutions.count() > folded.count() > 0
    open_ones = "e => e.checkVisibility({ contentVisibilityProperty: true })"
    assert all(solution.evaluate(open_ones) for solution in solutions.all())
    read = PdfReader(BytesIO(page.pdf()))
    printed = "".join("".join(sheet.extract_text() for sheet in read.pages).split())
    for solution in solutions.locator("pre").all():
        text = "".join(solution.text_content().split())
        assert text[:60] in printed, f"{text[:60]!r} is not printed"
