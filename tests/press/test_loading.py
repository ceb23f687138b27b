"""A page shows quickly: one style sheet, sections and scripts that wait."""

import re

from dlbook.press.web import loading

PAGE = """<head>
  <link rel="stylesheet" href="../assets/a.css">
  <link rel="stylesheet" href="../assets/css/b.css">
  <link rel="canonical" href="https://book.example/x.html">
</head><article class="x"><h1>T</h1><p>a</p><h2 id="b">B</h2><p>b</p><h2 id="c">C</h2></article>
<script src="../assets/javascripts/bundle.0.min.js"></script>"""


def test_a_page_loads_one_style_sheet_in_the_place_of_all():
    assert loading.sheets_of(PAGE, "chapters/x.html") == [
        "assets/a.css",
        "assets/css/b.css",
    ]
    page = loading.bound_to(PAGE, "chapters/x.html", "assets/css/site.css")
    assert page.count('rel="stylesheet"') == 1
    assert 'href="../assets/css/site.css"' in page
    assert 'rel="canonical"' in page
    assert loading.bound_to("<p>x</p>", "x.html", "s.css") == "<p>x</p>"


def test_each_section_of_a_page_stands_in_an_element_of_its_own():
    page = loading.parted(PAGE)
    assert page.count('<section class="part"><h2') == page.count("</section>") == 2
    assert "<h1>T</h1><p>a</p><section" in page
    assert '<p>b</p></section>\n<section class="part"><h2 id="c">C</h2></section>' in page
    assert re.sub(r"</?section[^>]*>\n?", "", page) == PAGE
    assert loading.parted("<p>x</p>") == "<p>x</p>"


def test_addresses_in_the_one_style_sheet_lead_where_they_led():
    sheets = {
        "assets/katex/k.css": 'a{src:url(fonts/K.woff2)}b{c:url("data:x/y;z")}',
        "assets/css/b.css": "[data-md-color-switching] *,x{t:0s}d{src:url('../fonts/S.woff2')}",
    }
    assert loading.one_sheet(sheets, "assets/css/site.css") == (
        'a{src:url("../katex/fonts/K.woff2")}b{c:url("data:x/y;z")}\n'
        'd{src:url("../fonts/S.woff2")}'
    )


def test_the_keyboard_reaches_each_block_of_code():
    for before in ("<pre>", "<pre><span></span>"):
        made = loading.reachable(f"{before}<code>x</code></pre>")
        assert made == f'{before}<code tabindex="0">x</code></pre>'
    assert loading.reachable("<p><code>x</code></p>") == "<p><code>x</code></p>"


def test_the_scripts_of_the_theme_wait():
    assert '.min.js" defer>' in loading.patient(PAGE)
