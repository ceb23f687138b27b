// A table wider than the window scrolls on its own; let the keyboard reach it.
addEventListener("load", () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap"))
    Object.assign(box, { tabIndex: 0, role: "region", ariaLabel: "Table" })
})
