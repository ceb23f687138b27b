"""The first visit to a chapter, on a slow line: what it weighs, and what moves."""

import gzip
from pathlib import Path

import pytest
from audit import reading

SITE = Path(__file__).parents[2] / "site"
CHAPTERS = sorted(path.name for path in (SITE / "chapters").glob("*.html"))
BYTES = 300_000  # for everything that a first visit asks for before it scrolls
SHIFT = 0.02  # of the window, all movements of a visit together
COMPRESSED = (".woff2", ".png")

WATCH = """
window.moved = []
new PerformanceObserver(list => {
  for (const shift of list.getEntries())
    moved.push([shift.value, ...shift.sources.slice(0, 3).map(
      source => (source.node?.outerHTML ?? source.node?.textContent ?? "gone").slice(0, 120))])
}).observe({ type: "layout-shift", buffered: true })
"""
FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PATIENCE = 30_000  # milliseconds for a picture; a promise alone is waited for without end
READ = f"""async () => {{
  for (let y = 0; y < document.body.scrollHeight; y += 800) {{
    window.scrollTo(0, y)
    await {FRAMES}
  }}
  // what a folded solution holds has a place for `offsetParent`, and is never loaded
  const shown = [...document.images].filter(image => image.checkVisibility())
  const late = name => new Promise((_, fail) => setTimeout(fail, {PATIENCE}, `late: ${{name}}`))
  const ready = image => Promise.race([image.decode().catch(() => {{}}), late(image.src)])
  await Promise.all(shown.map(ready))
  await {FRAMES}
  return moved
}}"""

LOADED = """[...document.fonts].filter(face => face.status == "loaded")
  .map(face => face.family.replaceAll('"', ""))"""


@pytest.fixture
def visit(browser, address):
    """Open a page whose fonts come last; collect the responses until it is complete."""
    contexts = []

    def visit_one(path, width):
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page, held, free = context.new_page(), [], []
        page.seen = []
        page.on("response", lambda response: page.seen.append(response))
        page.add_init_script(WATCH)
        page.route("**/*.woff2", lambda r: r.continue_() if free else held.append(r))
        page.goto(f"{address}/{path}", wait_until="domcontentloaded")
        page.evaluate(FRAMES)  # the page is painted without its fonts
        free.append(True)
        for route in held:
            route.continue_()
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready.then(() => null)")
        return page

    yield visit_one
    for context in contexts:
        context.close()


def weight(response):
    """Count the bytes of a response as a host sends it: text is compressed on the way."""
    body = response.body()
    is_dense = response.url.endswith(COMPRESSED)
    return len(body) if is_dense else len(gzip.compress(body, 6))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_first_visit_is_light_and_nothing_moves(chapter, width, visit):
    page = visit(f"chapters/{chapter}", width)
    weights = {response.url.split("/", 3)[3]: weight(response) for response in page.seen}
    assert page.evaluate(LOADED).count("Source Serif 4"), "the fonts were not there"
    assert not any("KaTeX" in name for name in weights), (
        "a sign is not in the style sheet"
    )
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:8]
    assert sum(weights.values()) <= BYTES, heaviest
    moved = page.evaluate(READ)
    assert sum(value for value, *_ in moved) <= SHIFT, moved
    if width == reading.DESK["width"]:
        page.evaluate(reading.OPENED)
        counts = page.evaluate(reading.MEASURES)
        assert (counts["cut"], counts["outputs_cut"]) == (0, 0), "code scrolls sideways"


PLACE = """async () => {
  while (document.querySelector(".part:not(.set)")) await new Promise(requestAnimationFrame)
  return document.querySelector("#exercises").getBoundingClientRect().top
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_who_comes_to_a_place_further_down_stays_there(width, visit):
    page = visit("chapters/knn.html#exercises", width)
    assert 0 <= page.evaluate(PLACE) < 200
    page.reload()
    page.wait_for_load_state()
    assert 0 <= page.evaluate(PLACE) < 200


def test_the_sections_below_the_window_come_later_and_all_of_them_come(visit):
    page = visit("chapters/knn.html", 1280)
    page.evaluate(PLACE)
    assert page.locator(".part").count() == page.locator(".part.set").count() > 5
    assert page.locator("#exercises").inner_text()


def test_a_page_waits_with_the_search_index_until_someone_searches(visit):
    page = visit("chapters/knn.html", 1280)
    asked = [response.url for response in page.seen]
    assert not any("search_index" in url for url in asked)
    with page.expect_response("**/search_index.json"):
        page.keyboard.press("/")


def test_the_faces_of_the_book_are_there_on_a_first_visit(open_page):
    page = open_page("chapters/knn.html")
    page.evaluate("document.fonts.ready.then(() => null)")
    assert "Source Serif 4" in page.evaluate(LOADED)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_first_visit_of_home_is_light_and_its_net_waits(width, visit):
    page = visit("index.html", width)
    weights = {response.url.split("/", 3)[3]: weight(response) for response in page.seen}
    assert "assets/js/live/cnn.js" in weights
    assert not any("weights" in name for name in weights), "nobody has drawn yet"
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:12]
    assert sum(weights.values()) <= BYTES, heaviest
    moved = page.evaluate(READ)
    assert sum(value for value, *_ in moved) <= SHIFT, moved
    with page.expect_response("**/cnn_weights.js"):
        page.get_by_role("button", name="Take a 7").click()
