// The first window shows at once. The sections below it are set one by one, when the browser has nothing else to do.
const idle = window.requestIdleCallback ?? (step => setTimeout(step, 50))
const sections = [...document.querySelectorAll(".part")]
const step = () => {
  sections.shift().classList.add("set")
  if (sections.length) idle(step)
}
if (sections.length) addEventListener("load", () => idle(step))
