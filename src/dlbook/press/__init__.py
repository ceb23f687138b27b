"""The press: what turns pages, listings, figures and records into the site."""
