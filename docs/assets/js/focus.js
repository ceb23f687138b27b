// The keyboard stops at each block of code. The theme lets it pass over those that need no moving sideways, but finds
// out which only once they are seen: whoever has just come to such a block keeps the focus until the next step.
document.addEventListener("focusout", ({ target: code, relatedTarget: next }) => {
  if (next || !code.matches("pre > code:not([tabindex])")) return
  code.setAttribute("tabindex", "-1")
  code.focus({ preventScroll: true, focusVisible: true })
})
