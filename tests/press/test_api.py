"""The reference of the package."""

from dlbook.press.web import api


def test_each_module_has_its_place_in_the_reference_and_a_line_in_the_index():
    pages = api.api_pages(["history", "knn", "nowhere"])
    places = {f"reference/{name}.md" for name in ("api", "api/history", "api/knn")}
    assert pages.keys() == places | {"reference/api/data.md"}
    index, data = pages["reference/api.md"], pages["reference/api/data.md"]
    assert "- [knn](api/knn.md): k-nearest neighbors" in index
    assert "- [data.mnist](api/data.md#datamnist): " in index
    assert "{ #datamnist }" in data
    assert "::: dlbook.data.mnist" in data
    assert "[Chapter](../../chapters/knn.md)" in pages["reference/api/knn.md"]
