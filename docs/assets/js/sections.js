// The first window shows at once. The sections below it are set one by one, when the browser has nothing else to do.
{
  const sections = [...document.querySelectorAll(".part")]
  const idle = window.requestIdleCallback ?? (step => setTimeout(step, 50))
  const set = section => section.classList.add("set")
  const step = () => {
    set(sections.shift())
    if (sections.length) idle(step)
  }
  const [visit] = performance.getEntriesByType("navigation")
  if (location.hash || visit?.type !== "navigate") sections.forEach(set) // someone comes back to a place further down
  else if (sections.length) addEventListener("load", () => idle(step))
}
