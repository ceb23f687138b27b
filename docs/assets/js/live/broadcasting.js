// Broadcast two shapes, as `explain` in src/dlbook/broadcasting.py does. Without this script the sentence above remains.
{
  const live = (window.dlbookLive ??= {})

  const written = shape => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`

  const compare = (a, b) => (a === b ? "equal" : a === 1 ? "first expands" : b === 1 ? "second expands" : "fails")

  const explain = (first, second) => {
    if (Math.min(...first, ...second) < 0) {
      throw new Error(`sizes must be 0 or more, got ${written(first)} and ${written(second)}`)
    }
    const rank = Math.max(first.length, second.length)
    const align = shape => [...Array(rank - shape.length).fill(1), ...shape]
    const [a, b] = [align(first), align(second)]
    const axes = a.map((size, axis) => compare(size, b[axis]))
    const result = axes.includes("fails") ? null : a.map((size, axis) => (size === 1 ? b[axis] : size))
    return { first: a, second: b, axes, result }
  }

  const parse = text => {
    const sizes = text.replace(/[()[\]]/g, " ").split(/[\s,×]+/).filter(Boolean)
    for (const size of sizes) {
      if (!/^[-−]?\d{1,9}$/.test(size)) throw new Error(`a shape is whole numbers, such as 4, 1; got ${size.slice(0, 20)}`)
    }
    if (sizes.length > 12) throw new Error(`at most 12 axes fit in here, got ${sizes.length}`)
    return sizes.map(size => Number(size.replace("−", "-")))
  }

  live.broadcasting = { explain, parse }

  const examples = [["16, 3, 32, 32", "3, 1, 1"], ["16, 3, 32, 32", "3"], ["4, 1", "5"], ["3, 1", "3"], ["", "7, 7"]]

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }

  const table = (broadcast, given) => {
    const { axes, result } = broadcast
    const row = (name, sizes, mark) =>
      element("tr", {}, element("th", { scope: "row" }, name), ...sizes.map((size, axis) => element("td", { className: mark(axis) }, String(size))))
    const kind = (which, length) => axis =>
      [axis < axes.length - length && "added", axes[axis] === `${which} expands` && "expands", axes[axis] === "fails" && "fails"].filter(Boolean).join(" ")
    const head = element("tr", {}, element("td"), ...axes.map((_, axis) => element("th", { scope: "col" }, `axis ${axis}`)))
    const rows = [row("first", broadcast.first, kind("first", given[0].length)), row("second", broadcast.second, kind("second", given[1].length))]
    rows.push(row("verdict", axes, axis => (axes[axis] === "fails" ? "said fails" : "said")))
    if (result) rows.push(row("result", result, () => "result"))
    return element("table", { className: "shapes" }, element("thead", {}, head), element("tbody", {}, ...rows))
  }

  const conclusion = ({ first, second, axes, result }) => {
    if (result) {
      const cells = result.reduce((product, size) => product * size, 1)
      return `The result has the shape ${written(result)}: ${cells.toLocaleString("en")} element${cells === 1 ? "" : "s"}.`
    }
    const axis = axes.lastIndexOf("fails")
    return `No result. Axis ${axis} fails: ${first[axis]} and ${second[axis]} differ, and neither is 1.`
  }

  const begin = place => {
    const field = (label, value) => {
      const input = element("input", { type: "text", value, autocomplete: "off", spellcheck: false })
      return [element("label", {}, element("span", {}, label), input), input]
    }
    const [[firstLabel, first], [secondLabel, second]] = [field("First shape", examples[0][0]), field("Second shape", examples[0][1])]
    const answer = element("p", { className: "answer" })
    answer.setAttribute("role", "status")
    const aligned = element("div", { className: "aligned", tabIndex: 0 })
    aligned.setAttribute("role", "region")
    aligned.setAttribute("aria-label", "The two shapes, aligned at the right")
    const show = () => {
      try {
        const given = [parse(first.value), parse(second.value)]
        const broadcast = explain(...given)
        answer.textContent = conclusion(broadcast)
        answer.classList.toggle("fails", !broadcast.result)
        aligned.replaceChildren(...(broadcast.axes.length ? [table(broadcast, given)] : []))
      } catch (error) {
        answer.textContent = error.message
        answer.classList.add("fails")
        aligned.replaceChildren()
      }
      aligned.hidden = !aligned.firstChild
    }
    const choices = examples.map(([a, b]) => {
      const button = element("button", { type: "button" }, `${written(parse(a))} + ${written(parse(b))}`)
      button.addEventListener("click", () => {
        ;[first.value, second.value] = [a, b]
        show()
      })
      return button
    })
    first.addEventListener("input", show)
    second.addEventListener("input", show)
    const box = element("div", { className: "live-box" })
    box.append(element("div", { className: "fields" }, firstLabel, secondLabel), aligned, answer, element("div", { className: "choices" }, "Try ", ...choices))
    place.append(box)
    show()
  }

  document.querySelectorAll('[data-live="broadcasting"]').forEach(begin)
}
