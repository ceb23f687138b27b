// Every rule of html-validate that concerns what a browser or a reader gets, not how the source is written.
export default {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // How the source is written: templates indent and close as they like, and browsers do not care.
    "no-trailing-whitespace": "off",
    "void-style": "off",
    "doctype-style": "off",
    "attribute-empty-style": "off",
    "attribute-boolean-style": "off",
    // The theme begins the names of its own anchors with two underscores, which the standard allows.
    "valid-id": ["error", { relaxed: true }],
    // The places of the parts of a formula are computed and stand in its markup.
    "no-inline-style": "off",
    // What the theme writes: `autocomplete` on its hidden switches, a search form that answers while one types,
    // and a table of contents that stands in both sidebars, of which one is shown.
    "valid-autocomplete": "off",
    "wcag/h32": "off",
    "unique-landmark": "off",
  },
}
