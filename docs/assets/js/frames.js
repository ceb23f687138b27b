// A figure with frames becomes a slider. Without this script all frames are shown, one below the other.
// No film is loaded before a reader does anything: a first visit stays light.
const begun = new Promise(done => {
  for (const kind of ["scroll", "pointermove", "pointerdown", "keydown"]) addEventListener(kind, done, { once: true, passive: true })
})
for (const figure of document.querySelectorAll("figure.frames")) {
  const frames = [...figure.querySelectorAll(".frame")]
  const label = figure.querySelector("figcaption")?.textContent.trim() || "Frame"
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: frames.length - 1, value: 0 })
  slider.setAttribute("aria-label", label.slice(0, 80))
  const output = document.createElement("output")
  const show = () => {
    frames.forEach((frame, number) => frame.classList.toggle("shown", number === +slider.value))
    const frame = frames[slider.value]
    output.textContent = frame.dataset.value
    slider.setAttribute("aria-valuetext", frame.dataset.value + ": " + (frame.querySelector("img")?.alt ?? ""))
  }
  // A frame that is hidden would be asked for when it is shown, and come late: the film is loaded as a whole.
  const film = new IntersectionObserver(sights => {
    if (!sights.some(sight => sight.isIntersecting)) return
    film.disconnect()
    for (const picture of figure.querySelectorAll("img"))
      if (getComputedStyle(picture).display !== "none") picture.loading = "eager"
  })
  begun.then(() => film.observe(figure))
  const box = Object.assign(document.createElement("div"), { className: "slider" })
  box.append(slider, output)
  figure.prepend(box)
  figure.classList.add("playing")
  slider.addEventListener("input", show)
  show()
}
// A browser asks for pictures far below the window. Those of the cards wait until they are near: a first visit stays light.
const near = new IntersectionObserver(sights => {
  for (const { target } of sights.filter(sight => sight.isIntersecting)) {
    target.classList.add("near")
    near.unobserve(target)
  }
}, { rootMargin: "300px" })
document.querySelectorAll(".card-picture").forEach(picture => near.observe(picture))
