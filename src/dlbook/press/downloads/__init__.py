"""What readers carry away: the book as PDF and EPUB, and each chapter as a notebook.

The pages are cleaned of what only a screen can do, and bound. Nothing here knows of MkDocs.
"""
