"""A file is made once for each state of what it depends on."""

from dlbook.press import cache
from dlbook.press.downloads import leaves


def test_a_book_is_made_again_only_when_something_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    made = []

    def make():
        made.append(1)
        return b"book"

    first = leaves.kept("pdf", [b"a", b"b"], make)
    assert leaves.kept("pdf", [b"a", b"b"], make) == first
    assert first.read_bytes() == b"book"
    assert len(made) == 1
    assert leaves.kept("pdf", [b"ab", b""], make) != first
    assert len(made) == 2


def test_what_was_asked_for_last_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    clock = iter(range(1_000, 2_000))
    monkeypatch.setattr(cache.time, "time_ns", lambda: next(clock) * 10**9)
    paths = {}
    for name in "abca":  # the first one is asked for again
        paths[name] = cache.kept("cards", ".png", [name], lambda: b"", at_most=9)
        cache.is_kept(paths[name])
    cache.clean("cards", at_most=2)
    assert {name for name, path in paths.items() if path.is_file()} == {"a", "c"}


def test_a_file_in_a_folder_of_its_own_leaves_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    path = cache.kept("labs", "/knn.ipynb", ["state"], lambda: "{}", at_most=1)
    assert path.parent.parent == tmp_path / "labs"
    cache.clean("labs", at_most=0)
    assert not list((tmp_path / "labs").iterdir())


def test_what_another_process_is_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / ".half.png.123").touch()
    cache.clean("cards", at_most=0)
    assert len(list((tmp_path / "cards").iterdir())) == 1
