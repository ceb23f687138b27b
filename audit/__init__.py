"""The built site, judged by tools that need Node.js: `make audit`."""
