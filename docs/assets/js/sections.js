// The first window shows at once. The sections below it are set one by one, when the browser has nothing else to do.
{
  const sections = [...document.querySelectorAll(".part")]
  const idle = window.requestIdleCallback ?? (step => setTimeout(step, 50))
  // The keyboard stops at code that is wider than its window. The theme finds that out too,
  // but only once the code is seen: then it would take the focus away from who has just come to it.
  const passOver = code => code.scrollWidth > code.offsetWidth || code === document.activeElement || code.removeAttribute("tabindex")
  const set = section => section.classList.add("set")
  const step = () => {
    const section = sections.shift()
    set(section)
    section.querySelectorAll("code[tabindex]").forEach(passOver)
    if (sections.length) idle(step)
  }
  const [visit] = performance.getEntriesByType("navigation")
  if (location.hash || visit?.type !== "navigate") sections.splice(0).forEach(set) // someone comes back to a place further down
  addEventListener("load", () => idle(() => {
    document.querySelectorAll(".part.set code[tabindex], article > :not(.part) code[tabindex]").forEach(passOver)
    if (sections.length) idle(step)
  }))
}
