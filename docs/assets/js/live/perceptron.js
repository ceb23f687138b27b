// Step through the perceptron, as `train` in src/dlbook/perceptron.py does. Without this script the sentence above remains.
{
  const live = (window.dlbookLive ??= {})
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0)

  // Every update: the weights after it, and which example was wrong in which epoch.
  const train = (points, labels, epochs) => {
    const updates = [{ w: points[0].map(() => 0) }]
    for (let epoch = 0; epoch < epochs; epoch++) {
      const known = updates.length
      points.forEach((x, n) => {
        const { w } = updates.at(-1)
        const score = labels[n] * dot(w, x)
        if (score <= 0) updates.push({ w: w.map((value, i) => value + labels[n] * x[i]), epoch, n, score })
      })
      if (updates.length === known) break
    }
    return updates
  }

  // The direction in the plane whose least yₙ (u · xₙ) is largest: held by one example, or by two alike.
  const widest = (points, labels) => {
    const signed = points.map((x, n) => x.map(value => labels[n] * value))
    const candidates = [...signed]
    for (const [ax, ay] of signed) for (const [bx, by] of signed) candidates.push([by - ay, ax - bx])
    let best = { half: -Infinity }
    for (const candidate of candidates) {
      const length = Math.hypot(...candidate)
      if (length === 0) continue
      const u = candidate.map(value => value / length)
      const half = Math.min(...signed.map(z => dot(u, z)))
      if (half > best.half) best = { u, half }
    }
    return best
  }

  const bound = (points, half) => Math.floor((Math.max(...points.map(x => Math.hypot(...x))) / half) ** 2)

  // A small generator of random numbers (mulberry32), so that each set comes back with its number.
  const uniform = seed => () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  // Points of the unit disk beside an empty strip. Two of them, on either side of the normal, touch the strip,
  // so that no other direction has a wider one.
  const draw = (seed, gap, count = 16) => {
    const random = uniform(seed)
    const angle = 2 * Math.PI * random()
    const [a, b] = [Math.cos(angle), Math.sin(angle)]
    const touching = { 5: 0.6, 11: -0.6 }
    const labels = []
    const points = Array.from({ length: count }, (_, n) => {
      const [side, far, beside] = [random(), random(), random()]
      const label = side < 0.5 ? -1 : 1
      const height = gap / 2 + (n in touching ? 0 : (0.95 - gap / 2) * far)
      const along = Math.sqrt(1 - height ** 2) * (touching[n] ?? 2 * beside - 1)
      labels.push(label)
      return [label * (height * a - along * b), label * (height * b + along * a)]
    })
    return { points, labels }
  }

  live.perceptron = { train, widest, bound, draw }

  const SVG = "http://www.w3.org/2000/svg"
  const SIZE = 150 // pixels of the drawing for one unit of the plane
  const svg = (name, attributes = {}, ...children) => {
    const made = document.createElementNS(SVG, name)
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
    made.append(...children)
    return made
  }
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }
  const short = value => value.toFixed(2).replace("-", "−")
  const at = ([x, y]) => [x * SIZE, -y * SIZE]
  const line = (from, to, className) => svg("line", { x1: at(from)[0], y1: at(from)[1], x2: at(to)[0], y2: at(to)[1], class: className })

  const mark = (x, label) => {
    const [cx, cy] = at(x)
    return label < 0
      ? svg("circle", { cx, cy, r: 6, class: "minus" })
      : svg("polygon", { points: `${cx},${cy - 8} ${cx - 7},${cy + 5} ${cx + 7},${cy + 5}`, class: "plus" })
  }

  const picture = (points, labels, { w, n }, before) => {
    const length = Math.hypot(...w)
    const parts = [line([-1.1, 0], [1.1, 0], "axis"), line([0, -1.1], [0, 1.1], "axis")]
    const border = (weights, className) => {
      const size = Math.hypot(...weights)
      const along = [-weights[1] / size, weights[0] / size].map(value => 1.6 * value)
      if (size > 0) parts.push(line(along, along.map(value => -value), className))
    }
    if (before) border(before.w, "border old")
    border(w, "border")
    points.forEach((x, i) => parts.push(mark(x, labels[i])))
    if (n !== undefined) parts.push(svg("circle", { cx: at(points[n])[0], cy: at(points[n])[1], r: 13, class: "ring" }))
    if (length > 0) {
      const tip = w.map(value => value / Math.max(1, length))
      const [x, y] = at(tip)
      const turn = (Math.atan2(y, x) * 180) / Math.PI
      parts.push(line([0, 0], tip, "arrow"), svg("polygon", { points: "0,0 -11,-5 -11,5", transform: `translate(${x} ${y}) rotate(${turn})`, class: "tip" }))
    }
    return parts
  }

  const begin = place => {
    let seed = 2 // a set of points that needs twelve updates
    let data, updates, limit, half, radius, timer
    const drawing = svg("svg", { viewBox: "-170 -170 340 340", role: "img" })
    const slider = element("input", { type: "range", min: 0, step: 1, value: 0 })
    slider.setAttribute("aria-label", "Number of updates")
    const button = text => element("button", { type: "button" }, text)
    const [back, forward, run, renew] = ["Back", "Forward", "Run", "New points"].map(button)
    const gaps = element("select", {}, ...[0.4, 0.2, 0.1, 0.05].map(gap => element("option", { value: gap, selected: gap === 0.2 }, String(gap))))
    const story = element("p", { className: "answer" })
    story.setAttribute("role", "status")
    const meter = element("div", { className: "meter" }, element("span"))
    meter.setAttribute("aria-hidden", "true")
    const numbers = element("p")

    const show = () => {
      const k = Number(slider.value)
      const last = updates.length - 1
      const { w, n, epoch, score } = updates[k]
      const length = Math.hypot(...w)
      drawing.replaceChildren(...picture(data.points, data.labels, updates[k], k > 0 && updates[k - 1]))
      const wrong = data.points.filter((x, i) => data.labels[i] * dot(w, x) <= 0).length
      const said = k === 0 ? "The weights begin at 0: every score is 0, and a tie is a mistake." :
        `Update ${k}: in epoch ${epoch + 1}, example ${n + 1} had y (w · x) = ${short(score)}, so it was ${data.labels[n] > 0 ? "added" : "subtracted"}.`
      story.textContent = `${said} ${k === last ? "No example is wrong any more: it stops." : `${wrong} of ${data.points.length} examples are wrong now.`}`
      numbers.textContent =
        `${k} of at most ⌊4R²/γ²⌋ = ${limit} updates. w = (${w.map(short).join(", ")}), ` +
        `length ${short(length)} ≤ R√k = ${short(radius * Math.sqrt(k))}; along w*: ${short(dot(w, data.u))} ≥ kγ/2 = ${short(k * half)}.`
      meter.firstChild.style.width = `${(100 * k) / limit}%`
      drawing.setAttribute("aria-label", `${data.points.length} points in the plane, ${wrong} of them on the wrong side of the line. Weights ${w.map(short).join(", ")}.`)
      slider.setAttribute("aria-valuetext", `${k} of ${last} updates`)
      back.disabled = k === 0
      forward.disabled = run.disabled = k === last
    }
    const stop = () => {
      clearInterval(timer)
      timer = undefined
      run.textContent = "Run"
    }
    const go = k => {
      slider.value = k
      show()
    }
    const load = () => {
      stop()
      data = draw(seed, Number(gaps.value))
      const best = widest(data.points, data.labels)
      half = best.half
      data.u = best.u
      radius = Math.max(...data.points.map(x => Math.hypot(...x)))
      limit = bound(data.points, half)
      updates = train(data.points, data.labels, limit + 1)
      slider.max = updates.length - 1
      go(0)
    }
    back.addEventListener("click", () => (stop(), go(Number(slider.value) - 1)))
    forward.addEventListener("click", () => (stop(), go(Number(slider.value) + 1)))
    slider.addEventListener("input", () => (stop(), show()))
    renew.addEventListener("click", () => (seed++, load()))
    gaps.addEventListener("change", load)
    run.addEventListener("click", () => {
      if (timer) return stop()
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(updates.length - 1)
      run.textContent = "Pause"
      timer = setInterval(() => {
        go(Number(slider.value) + 1)
        if (Number(slider.value) === updates.length - 1) stop()
      }, Math.max(50, Math.min(700, 10_000 / updates.length)))
    })
    const box = element("div", { className: "live-box perceptron" })
    box.append(
      drawing,
      element("div", { className: "controls" }, back, forward, run, slider),
      story, meter, numbers,
      element("div", { className: "controls" }, renew, element("label", {}, "with a gap of ", gaps)),
    )
    place.append(box)
    load()
  }

  document.querySelectorAll('[data-live="perceptron"]').forEach(begin)
}
