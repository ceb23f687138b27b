"""What pages take from the package: listings, drawings, and labs that were run.

Each is found by name in the source, and made again only when a definition that it reaches, a
record or a library has changed. Nothing here knows of pages.
"""
