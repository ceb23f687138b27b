// What is named is shown: a term, a number, a citation, a helper in code shows its note when the mouse rests on it or
// the keyboard comes to it. Esc closes the note, the mouse may enter it, and a finger follows the link. Without this script all links lead
// to their targets, as they do with it.
{
  const held = document.querySelector("template#notes")
  const texts = new Map([...(held?.content.children ?? [])].map(text => [text.dataset.of, text]))
  const NAMED = "article :is(.term, .citation, .claim, .helper)"
  const note = Object.assign(document.createElement("div"), { id: "note", className: "md-typeset", popover: "manual" })
  const GAP = 4, COMES = 150, GOES = 300 // pixels, and milliseconds: who crosses a link does not want its note
  let shown, coming, going
  const textOf = name => {
    const { of, item } = name.dataset
    return texts.get(of ?? name.getAttribute("href") + (item ? ":" + item : ""))
  }
  const stay = () => {
    clearTimeout(coming)
    clearTimeout(going)
    going = undefined
  }
  const hide = () => {
    stay()
    shown?.removeAttribute("aria-describedby")
    shown = undefined
    if (note.matches(":popover-open")) note.hidePopover()
  }
  // Below the line that is pointed at, or above it where there is more room.
  const place = height => {
    const lines = [...shown.getClientRects()]
    const line = lines.find(({ top, bottom }) => top <= height && height <= bottom) ?? lines[0]
    const window = document.documentElement
    const below = window.clientHeight - line.bottom, above = line.top
    const size = note.getBoundingClientRect()
    const isAbove = size.height + 2 * GAP > below && above > below
    const room = (isAbove ? above : below) - 2 * GAP
    const left = Math.max(2 * GAP, Math.min(line.left, window.clientWidth - size.width - 2 * GAP))
    const top = isAbove ? line.top - GAP - Math.min(size.height, room) : line.bottom + GAP
    Object.assign(note.style, { left: left + scrollX + "px", top: top + scrollY + "px", maxHeight: room + "px" })
    if (size.height > room) note.tabIndex = 0 // what scrolls can be reached
    else note.removeAttribute("tabindex")
  }
  const show = (name, height) => {
    hide()
    shown = name
    note.removeAttribute("style")
    note.replaceChildren(textOf(name).cloneNode(true))
    note.showPopover()
    note.scrollTop = 0
    place(height)
    name.setAttribute("aria-describedby", note.id)
  }
  const isHeld = () => shown === document.activeElement && shown?.matches(":focus-visible")
  if (texts.size && note.showPopover) {
    note.setAttribute("role", "note")
    document.body.append(note)
    document.addEventListener("pointerover", ({ target, pointerType, clientY }) => {
      if (pointerType === "touch") return
      const name = target.closest?.(NAMED)
      if (note.contains(target) || (name && name === shown)) return stay()
      clearTimeout(coming)
      if (name && textOf(name)) coming = setTimeout(() => show(name, clientY), COMES)
      if (shown && !isHeld()) going ??= setTimeout(hide, GOES)
    })
    document.documentElement.addEventListener("pointerleave", () => {
      clearTimeout(coming)
      if (shown && !isHeld()) going ??= setTimeout(hide, GOES)
    })
    document.addEventListener("focusin", ({ target }) => {
      if (target.matches(NAMED) && target.matches(":focus-visible") && textOf(target)) show(target)
    })
    document.addEventListener("focusout", ({ target }) => target === shown && !note.matches(":hover") && hide())
    document.addEventListener("keydown", ({ key }) => key === "Escape" && hide())
  }
}
