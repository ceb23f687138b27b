"""The live widgets give the same answers as the package, from disk and without a site."""

import base64
import math
import random
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from dlbook import perceptron
from dlbook.attention import transformer
from dlbook.broadcasting import explain
from dlbook.data import digits, mnist, separable
from dlbook.runs import attention as attention_runs
from dlbook.runs import live as runs
from dlbook.runs.record import claims_of

ASSETS = Path(__file__).parents[2] / "docs" / "assets"


@pytest.fixture
def open_widget(open_page, tmp_path):
    """Open a bare page from disk that holds one widget, beside the assets of the book."""

    def open_one(name, **options):
        (tmp_path / "assets").symlink_to(ASSETS)
        (tmp_path / "page.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Widget</title>'
            '<meta name="viewport" content="width=device-width">'
            '<link rel="stylesheet" href="assets/css/book.css">'
            '<link rel="stylesheet" href="assets/css/live.css">'
            '<body data-md-color-scheme="default" class="md-typeset">'
            f'<div class="live" data-live="{name}"><p>What to do.</p></div>'
            f'<script src="assets/js/live/{name}.js" defer></script>',
            encoding="utf-8",
        )
        return open_page("page.html", base=tmp_path.as_uri(), **options)

    return open_one


def test_shapes_broadcast_in_the_browser_as_in_the_package(open_widget):
    page, generator = open_widget("broadcasting"), random.Random(0)
    pairs = [
        [generator.choices((0, 1, 1, 2, 3, 5), k=generator.randrange(6)) for _ in "ab"]
        for _ in range(500)
    ]
    shown = page.evaluate(
        "pairs => pairs.map(([a, b]) => dlbookLive.broadcasting.explain(a, b))", pairs
    )
    verdicts = set()
    for (first, second), found in zip(pairs, shown, strict=True):
        wanted = explain(tuple(first), tuple(second))
        assert tuple(found["first"]) == wanted.first
        assert tuple(found["second"]) == wanted.second
        assert tuple(found["axes"]) == wanted.axes
        assert found["result"] == (None if wanted.result is None else [*wanted.result])
        verdicts |= set(wanted.axes)
    assert len(verdicts) == 4, "the pairs must try every verdict"
    assert page.wrong == []


def test_the_table_shows_the_shapes_that_were_typed(open_widget):
    page = open_widget("broadcasting")
    page.get_by_label("First shape").fill("(4, 2)")
    page.get_by_label("Second shape").fill("3")
    rows = [row.split() for row in page.locator(".aligned tbody tr").all_inner_texts()]
    assert rows[0] == ["first", "4", "2"]
    assert rows[1] == ["second", "1", "3"]
    answer = page.get_by_role("status").inner_text()
    assert answer == "No result. Axis 1 fails: 2 and 3 differ, and neither is 1."
    page.get_by_label("First shape").fill("4, 1")
    assert page.locator(".aligned tbody tr").last.inner_text().split() == [
        "result",
        "4",
        "3",
    ]


@pytest.mark.parametrize("text", ["4, x", "4.5", "-1, 2", "1 " * 13])
def test_what_is_no_shape_is_refused_in_words(text, open_widget):
    page = open_widget("broadcasting")
    page.get_by_label("First shape").fill(text)
    answer = page.get_by_role("status").inner_text()
    assert "got" in answer
    assert not page.locator(".aligned table").is_visible()
    assert page.wrong == []


def test_a_pair_is_chosen_from_the_keyboard(open_widget):
    page = open_widget("broadcasting")
    page.get_by_role("button", name="(4, 1) + (5,)").focus()
    page.keyboard.press("Enter")
    assert page.get_by_label("First shape").input_value() == "4, 1"
    assert "(4, 5)" in page.get_by_role("status").inner_text()


def updates_in(page, points, labels, epochs):
    return page.evaluate(
        "([x, y, epochs]) => dlbookLive.perceptron.train(x, y, epochs)",
        [points.tolist(), labels.tolist(), epochs],
    )


@pytest.mark.parametrize("dimension", [2, 3, 7])
def test_the_perceptron_makes_the_same_updates_as_the_package(dimension, open_widget):
    page, made = open_widget("perceptron"), 0
    for seed in range(20):
        points, labels, _ = separable.draw(30, dimension, gap=0.05, seed=seed)
        weights, steps = perceptron.train(points, labels, epochs=100)
        start, *updates = updates_in(page, points, labels, 100)
        assert start["w"] == [0] * dimension
        assert [30 * one["epoch"] + one["n"] for one in updates] == steps.tolist()
        assert updates[-1]["w"] == weights.tolist(), "equal to the last bit"
        made += len(updates)
    assert made > 100
    assert page.wrong == []


def test_the_bound_belongs_to_the_widest_gap_and_is_that_of_the_package(open_widget):
    page = open_widget("perceptron")
    turns = torch.linspace(0, 2 * torch.pi, 20_001, dtype=torch.float64)
    directions = torch.stack([turns.cos(), turns.sin()])
    for number in range(1, 31):
        data = page.evaluate(
            "([n, gap]) => dlbookLive.perceptron.draw(n, gap)", [number, 0.1]
        )
        points, labels = (
            torch.tensor(data[key], dtype=torch.float64) for key in ("points", "labels")
        )
        best = page.evaluate(
            "({points, labels}) => dlbookLive.perceptron.widest(points, labels)", data
        )
        scanned = (labels[:, None] * (points @ directions)).amin(0).max().item()
        assert scanned <= best["half"] + 1e-12
        assert best["half"] == pytest.approx(scanned, abs=1e-3)
        assert best["half"] == pytest.approx(0.05, abs=1e-12), (
            "the gap that was asked for"
        )
        exact = torch.tensor(best["u"], dtype=torch.float64)
        limit = page.evaluate(
            "([x, half]) => dlbookLive.perceptron.bound(x, half)",
            [data["points"], best["half"]],
        )
        assert limit == perceptron.update_bound(points, labels, exact)
        assert len(perceptron.train(points, labels, epochs=limit + 1)[1]) <= limit


def test_the_perceptron_is_stepped_from_the_keyboard_until_it_stops(open_widget):
    page = open_widget("perceptron", reduced_motion="reduce")
    story, slider = page.get_by_role("status"), page.get_by_role("slider")
    assert "The weights begin at 0" in story.inner_text()
    assert page.get_by_role("button", name="Back").is_disabled()
    page.get_by_role("button", name="Forward").focus()
    page.keyboard.press("Enter")
    assert story.inner_text().startswith("Update 1: in epoch 1, example 1 had")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert story.inner_text().startswith("Update 2:")
    page.keyboard.press("Home")
    assert "begin at 0" in story.inner_text()
    page.get_by_role("button", name="Run").click()
    assert "No example is wrong any more" in story.inner_text()
    assert page.get_by_role("button", name="Forward").is_disabled()
    before = page.get_by_role("img").inner_html()
    page.get_by_role("button", name="New points").click()
    assert page.get_by_role("img").inner_html() != before
    assert page.wrong == []


def test_a_smaller_gap_raises_the_bound(open_widget):
    page, limits = open_widget("perceptron"), []
    for gap in ("0.4", "0.2", "0.1", "0.05"):
        page.get_by_label("with a gap of").select_option(gap)
        text = page.locator(".live-box").inner_text()
        limits.append(int(re.search(r"⌊4R²/γ²⌋ = (\d+)", text)[1]))
    for larger, smaller in pairwise(limits):
        assert smaller == pytest.approx(4 * larger, rel=0.2), limits


def scores_in(page, pictures):
    """Let the page compute ten scores for each picture, (n, 28, 28) bytes."""
    found = page.evaluate(
        """async text => {
          const bytes = Float64Array.from(atob(text), letter => letter.charCodeAt(0))
          const net = await dlbookLive.cnn.load()
          const found = []
          for (let n = 0; n < bytes.length; n += 784)
            found.push([...dlbookLive.cnn.scores(net, bytes.subarray(n, n + 784))])
          return found
        }""",
        base64.b64encode(pictures.to(torch.uint8).numpy().tobytes()).decode(),
    )
    return torch.tensor(found, dtype=torch.float64)


@torch.no_grad()
def scores_here(pictures):
    model, mean, deviation = runs.decoded(runs.WEIGHTS.read_text(encoding="utf-8"))
    return model.double()((pictures.double()[:, None] - mean) / deviation)


def test_the_net_gives_the_same_scores_in_the_browser(open_widget):
    page = open_widget("cnn")
    images, *_ = digits.load()
    noise = torch.randint(256, (20, 28, 28), generator=torch.Generator().manual_seed(0))
    made = [runs.centered(image).to(torch.uint8) for image in images[:80]]
    pictures = torch.stack([*made, *noise.to(torch.uint8)])
    assert torch.allclose(
        scores_in(page, pictures), scores_here(pictures), rtol=0, atol=1e-5
    )
    assert page.wrong == []


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_the_net_reads_the_whole_test_set_in_the_browser_as_recorded(open_widget):
    page, (_, _, images, labels) = open_widget("cnn"), mnist.load()
    answers = torch.cat([scores_in(page, part).argmax(1) for part in images.split(2500)])
    accuracy = 100 * (answers == labels).double().mean().item()
    recorded = claims_of("live")
    assert accuracy == pytest.approx(recorded["rounded_accuracy"].value, abs=0.03)
    assert accuracy >= recorded["accuracy"].value - 0.1, "rounding lost too much"


def test_a_digit_is_centered_in_the_browser_as_in_the_package(open_widget):
    page, generator = open_widget("cnn"), torch.Generator().manual_seed(0)
    images, *_ = digits.load()
    made = [torch.rand(8, 8, generator=generator), torch.zeros(9, 9), torch.zeros(60, 60)]
    made[1][2, 7] = 0.5
    made[2][5:55, 20:24] = torch.rand(50, 4, generator=generator)
    wide = torch.rand(150, 150, generator=generator) * (torch.arange(150) % 7 > 2)
    for image in [*images[:60], *made, wide]:
        found = page.evaluate(
            "([image, width]) => [...dlbookLive.cnn.centered(image, width)]",
            [image.flatten().tolist(), len(image)],
        )
        wanted = runs.centered(image).flatten()
        assert torch.allclose(torch.tensor(found).double(), wanted, rtol=0, atol=1e-4)
    blank = page.evaluate("dlbookLive.cnn.centered(new Float64Array(64), 8)")
    assert blank is None


def draw(page, *strokes):
    """Draw with the mouse; points are shares of the side of the paper."""
    box = page.locator(".paper canvas").bounding_box()
    for stroke in strokes:
        places = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke
        ]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=5)
        page.mouse.up()


ONE = [[(0.5, 0.1), (0.48, 0.9)]]
SMALL_ONE = [[(0.2, 0.7), (0.2, 0.9)]]
ZERO = [
    [
        (0.5 + 0.25 * math.sin(t / 8 * math.pi), 0.5 - 0.35 * math.cos(t / 8 * math.pi))
        for t in range(17)
    ]
]
SEVEN = [[(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]]


BARS = "[...document.querySelectorAll('.bars span')].map(bar => bar.offsetWidth)"


@pytest.mark.parametrize(
    ("strokes", "digit"), [(ONE, 1), (SMALL_ONE, 1), (ZERO, 0), (SEVEN, 7)]
)
def test_a_drawn_digit_is_read(strokes, digit, open_widget):
    page = open_widget("cnn")
    assert page.evaluate("dlbookLive.cnnWeights === undefined"), "loaded before its use"
    assert page.evaluate(BARS) == [0] * 10, "blank paper has no answer"
    draw(page, *strokes)
    page.get_by_text(f"The net reads a {digit}.").wait_for(timeout=5000)
    row = page.locator(".bars .most")
    assert row.locator("th").inner_text() == str(digit)
    assert float(row.locator("td").last.inner_text().removesuffix(" %")) > 50
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".bars .most").count() == 0
    assert page.evaluate(BARS) == [0] * 10
    assert page.wrong == []


def test_a_sample_is_taken_from_the_keyboard_and_read_as_the_package_reads_it(
    open_widget,
):
    page = open_widget("cnn", width=390)
    *_, images, labels = digits.load()
    for digit in range(10):
        page.get_by_role("button", name=f"Take a {digit}").focus()
        page.keyboard.press("Enter")
        first = images[(labels == digit).nonzero()[0, 0]]
        answer = scores_here(runs.centered(first)[None]).argmax().item()
        page.get_by_text(f"The net reads a {answer}.").wait_for(timeout=5000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_weights_that_cannot_be_loaded_are_reported(open_page, tmp_path):
    scripts = tmp_path / "assets" / "js" / "live"
    scripts.mkdir(parents=True)
    (scripts / "cnn.js").write_bytes((ASSETS / "js" / "live" / "cnn.js").read_bytes())
    (tmp_path / "page.html").write_text(
        '<!doctype html><div class="live" data-live="cnn"></div>'
        '<script src="assets/js/live/cnn.js" defer></script>',
        encoding="utf-8",
    )
    page = open_page("page.html", base=tmp_path.as_uri())
    page.get_by_role("button", name="Take a 3").click()
    page.get_by_text("could not be loaded").wait_for(timeout=5000)


@torch.no_grad()
def test_the_transformer_gives_the_same_scores_and_maps_in_the_browser(open_widget):
    page = open_widget("attention")
    network = attention_runs.decoded(attention_runs.WEIGHTS.read_text(encoding="utf-8"))
    blind = network._replace(places=torch.zeros_like(network.places))
    symbols = attention_runs.unseen(network, 100)
    for told, wanted in ((True, network), (False, blind)):
        found = page.evaluate(
            """async ([rows, told]) => {
              const { load, transformer } = dlbookLive.attention
              const net = await load()
              return rows.map(row => transformer(net, row, told))
            }""",
            [symbols.tolist(), told],
        )
        scores, maps = (
            torch.tensor([one[key] for one in found], dtype=torch.float64)
            for key in ("scores", "map")
        )
        theirs = transformer(symbols, wanted, 1)
        assert torch.allclose(scores, theirs, rtol=0, atol=1e-9)
        seen = attention_runs.maps(wanted, symbols)
        assert torch.allclose(maps, seen, rtol=0, atol=1e-12)
    assert page.wrong == []


def test_typed_digits_are_reversed_and_fall_apart_without_places(open_widget):
    page = open_widget("attention")
    story = page.get_by_role("status")
    page.get_by_text("All symbols are right.").wait_for(timeout=5000)
    page.get_by_label("Eight digits").fill("2718 2818")
    written = page.locator(".looks button")
    assert "".join(written.all_inner_texts()) == "81828172"
    page.get_by_label("tell the places").uncheck()
    page.get_by_text("symbols are wrong.").wait_for(timeout=5000)
    assert page.locator(".looks button.fails").count() > 0
    page.get_by_label("tell the places").check()
    assert "All symbols are right." in story.inner_text()
    assert page.wrong == []


def test_a_written_symbol_lights_where_it_comes_from(open_widget):
    page = open_widget("attention")
    page.get_by_text("All symbols are right.").wait_for(timeout=5000)
    for place in (0, 3, 6):
        button = page.locator(".looks button").nth(place)
        button.hover() if place else button.focus()
        assert f"Place {place} looks most at place {7 - place}" in (
            page.get_by_role("status").inner_text()
        )
        shares = page.locator(".looks tbody tr").nth(1).locator("td").all_inner_texts()
        percents = [int(share) for share in shares]
        assert percents.index(max(percents)) == 7 - place
        assert sum(percents) == pytest.approx(100, abs=4)
        assert button.get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("123", "got 3 digits"), ("12345678x", "from 0 to 9"), ("", "got 0 digits")],
)
def test_what_is_not_eight_digits_is_refused_in_words(text, reason, open_widget):
    page = open_widget("attention")
    page.get_by_text("All symbols are right.").wait_for(timeout=5000)
    page.get_by_label("Eight digits").fill(text)
    page.get_by_text("No answer").wait_for(timeout=5000)
    assert reason in page.get_by_role("status").inner_text()
    assert set(page.locator(".looks button").all_inner_texts()) == {"·"}
    assert page.wrong == []


WIDGETS = sorted(path.stem for path in (ASSETS / "js" / "live").glob("*.js"))


@pytest.mark.parametrize("name", WIDGETS)
def test_without_scripts_and_on_paper_the_sentence_remains(name, open_widget):
    page = open_widget(name)
    assert page.locator(".live-box").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".live-box").is_visible()
    assert page.get_by_text("What to do.").is_visible()
    bare = page.context.browser.new_context(java_script_enabled=False).new_page()
    bare.goto(page.url)
    assert bare.locator(".live-box").count() == 0
    assert bare.get_by_text("What to do.").is_visible()
    bare.context.close()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_fits_a_phone(name, width, open_widget):
    page = open_widget(name, width=width, has_touch=True)
    for button in page.get_by_role("button").all()[:6]:
        if button.is_enabled():
            button.tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.wrong == []
