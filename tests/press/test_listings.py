"""Definitions are found in the source, without importing it."""

from dlbook.press.source.listings import definition


def test_a_definition_is_found_with_its_decorators():
    path, node, text = definition("press.page.citations._entries")
    assert path.name == "citations.py"
    assert text.startswith("@cache\ndef _entries")
    assert node.lineno > 1
