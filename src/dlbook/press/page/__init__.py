"""What an author writes: a page, its fences, claims, citations, formulas, and their rules.

A page is translated from the dialect of the book into the Markdown of Material for MkDocs. Nothing
here knows of MkDocs or of the site; each mistake names its line.
"""
