"""What a page is: its place among the pages of the book."""


def word_of(address: str) -> str:
    """Give the word of a chapter or lab, such as `knn`; empty for other pages."""
    folder, _, name = address.rpartition("/")
    return name.rpartition(".")[0] if folder in ("chapters", "labs") else ""
