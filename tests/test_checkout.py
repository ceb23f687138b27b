"""The repository around the package: the order of its chapters, and safe writing."""

import os

import pytest

from dlbook import checkout
from dlbook.checkout import chapters, commit_date, parts, write_atomically


def test_the_order_is_read_from_the_navigation(tmp_path, monkeypatch):
    settings = tmp_path / "mkdocs.yml"
    settings.write_text(
        "site_url: !ENV [SITE_URL, '']\n"
        "nav:\n- Home: index.md\n- Tensors:\n    - Views: chapters/views.md\n"
        "    - Rows: chapters/rows.md\n- Labs:\n    - Views: labs/views.py\n"
    )
    monkeypatch.setattr(checkout, "SETTINGS", settings)
    assert parts() == [
        ("", ["index.md"]),
        ("Tensors", ["chapters/views.md", "chapters/rows.md"]),
        ("Labs", ["labs/views.py"]),
    ]
    assert chapters() == ["views", "rows"]


def test_a_folder_without_a_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert checkout.commit() == "unknown"
    assert commit_date() is None


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "record.json"
    write_atomically(path, "old")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
