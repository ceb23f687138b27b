"""What only the site needs: its made pages, and what lets it show quickly and be found.

The bibliography, the results, the reference and the sources are written here; pages, fonts and
style sheets are made light. Nothing here is needed to read the book on paper.
"""
