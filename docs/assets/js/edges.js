// A box that is wider than its place fades at the side where there is more, and the keyboard stops at it, to move it.
// One that fits does neither. Without this script each is a stop, and shows its bar when it is moved.
{
  const boxes = ".formula[role], .md-typeset__scrollwrap"
  const look = box => {
    const beyond = box.scrollWidth - box.clientWidth
    box.toggleAttribute("data-before", beyond > 1 && box.scrollLeft > 1)
    box.toggleAttribute("data-after", beyond > 1 && box.scrollLeft < beyond - 1)
    if (box.matches("code") || box === document.activeElement) return // the theme decides which code is a stop
    if (beyond > 1) box.tabIndex = 0
    else box.removeAttribute("tabindex")
  }
  const seen = new ResizeObserver(changes => changes.forEach(({ target }) => look(target)))
  const watch = pattern => document.querySelectorAll(pattern).forEach(box => seen.observe(box))
  watch(boxes + ", pre > code")
  // The theme puts a box around each table when it starts.
  addEventListener("load", () => {
    for (const box of document.querySelectorAll(".md-typeset__scrollwrap"))
      Object.assign(box, { role: "region", ariaLabel: "Table" })
    watch(".md-typeset__scrollwrap")
  })
  document.addEventListener("scroll", ({ target }) => target.matches?.(boxes + ", pre > code") && look(target), { capture: true, passive: true })
}
