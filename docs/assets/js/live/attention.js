// The network of chapter `attention` that reverses, on the digits that the reader types. Weights and layout: src/dlbook/runs/attention.py.
{
  const live = (window.dlbookLive ??= {})
  const weightsAddress = new URL("../../live/attention_weights.js", document.currentScript.src).href
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~" // base 85
  const [KINDS, LENGTH, WIDTH, HIDDEN] = [10, 8, 32, 64]
  const [norm, layer] = [[[WIDTH], [WIDTH]], (outputs, inputs) => [[outputs, inputs], [outputs]]]
  const same = layer(WIDTH, WIDTH)
  const SHAPES = [[KINDS, WIDTH], [LENGTH, WIDTH], ...norm, ...same, ...same, ...same, ...same, ...norm, ...layer(HIDDEN, WIDTH), ...layer(WIDTH, HIDDEN), ...norm, ...layer(KINDS, WIDTH)]

  // Rows of each table and matrix; a vector is one row.
  const decode = text => {
    const bytes = new Uint8Array((text.length / 5) * 4)
    for (let n = 0; n < text.length; n += 5) {
      const value = [...text.slice(n, n + 5)].reduce((sum, letter) => 85 * sum + DIGITS.indexOf(letter), 0)
      new DataView(bytes.buffer).setUint32((n / 5) * 4, value)
    }
    const count = SHAPES.reduce((sum, [rows]) => sum + rows, 0)
    const floats = new Float32Array(bytes.buffer, 0, count)
    const integers = new Int8Array(bytes.buffer, 4 * count)
    let [f, i] = [0, 0]
    const parts = SHAPES.map(([rows, columns]) => {
      const values = Float64Array.from(floats.subarray(f, (f += rows)))
      return columns ? Array.from(values, scale => Float64Array.from(integers.subarray(i, (i += columns)), q => q * scale)) : values
    })
    const [symbols, places, scale1, shift1, wq, bq, wk, bk, wv, bv, wo, bo, scale2, shift2, w1, b1, w2, b2, scale3, shift3, ws, bs] = parts
    return { symbols, places, norm1: [scale1, shift1], query: [wq, bq], key: [wk, bk], value: [wv, bv], output: [wo, bo], norm2: [scale2, shift2], wide: [w1, b1], narrow: [w2, b2], norm3: [scale3, shift3], scores: [ws, bs] }
  }

  const dot = (a, b) => a.reduce((sum, value, n) => sum + value * b[n], 0)
  const add = (a, b) => a.map((value, n) => value + b[n])
  const linear = (x, [weights, biases]) => Float64Array.from(biases, (bias, o) => bias + dot(weights[o], x))
  const softmax = z => {
    const powers = z.map(value => Math.exp(value - Math.max(...z)))
    return powers.map(power => power / powers.reduce((a, b) => a + b))
  }
  const layerNorm = (x, [scale, shift]) => {
    const mean = x.reduce((a, b) => a + b) / x.length
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
    return x.map((value, n) => (scale[n] * (value - mean)) / Math.sqrt(variance + 1e-5) + shift[n])
  }

  // From eight digits to ten scores for each place, and the map: which place looks at which.
  const transformer = (net, digits, told) => {
    const entered = digits.map((digit, t) => (told ? add(net.symbols[digit], net.places[t]) : net.symbols[digit]))
    const seen = entered.map(x => layerNorm(x, net.norm1))
    const [q, k, v] = [net.query, net.key, net.value].map(part => seen.map(x => linear(x, part)))
    const map = q.map(query => softmax(k.map(key => dot(query, key) / Math.sqrt(WIDTH))))
    const scores = entered.map((x, t) => {
      const mixture = v[0].map((_, n) => map[t].reduce((sum, share, u) => sum + share * v[u][n], 0))
      const found = add(x, linear(mixture, net.output))
      const thought = linear(layerNorm(found, net.norm2), net.wide).map(value => Math.max(0, value))
      return [...linear(layerNorm(add(found, linear(thought, net.narrow)), net.norm3), net.scores)]
    })
    return { map, scores }
  }

  const parse = text => {
    const found = text.replace(/[\s,]/g, "")
    if (!/^\d*$/.test(found)) throw new Error(`digits from 0 to 9 are needed, got ${text.trim().slice(0, 20)}`)
    if (found.length !== LENGTH) throw new Error(`the network knows ${LENGTH} places, got ${found.length} digit${found.length === 1 ? "" : "s"}`)
    return [...found].map(Number)
  }

  let loading
  const load = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: weightsAddress, onerror: reject })
      script.onload = () => resolve(decode(live.attentionWeights))
      document.head.append(script)
    }))

  live.attention = { load, transformer, parse }

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }

  const begin = place => {
    let [chosen, shown] = [0, null]
    const input = element("input", { type: "text", value: "31415926", inputMode: "numeric", autocomplete: "off" })
    const told = element("input", { type: "checkbox", checked: true })
    const story = element("p", { className: "answer" })
    story.setAttribute("role", "status")
    const cells = Array.from({ length: LENGTH }, (_, t) => {
      const write = element("button", { type: "button" }, "·")
      for (const event of ["pointerenter", "focus", "click"]) write.addEventListener(event, () => choose(t))
      return { read: element("td", {}, "·"), share: element("td"), write }
    })
    const row = (name, parts) => element("tr", {}, element("th", { scope: "row" }, name), ...parts)
    const head = element("tr", {}, element("td"), ...cells.map((_, t) => element("th", { scope: "col" }, String(t))))
    const rows = [row("read", cells.map(cell => cell.read)), row("share, %", cells.map(cell => cell.share)), row("written", cells.map(cell => element("td", {}, cell.write)))]
    const table = element("table", { className: "looks" }, element("thead", {}, head), element("tbody", {}, ...rows))

    const choose = t => {
      chosen = t
      cells.forEach(({ read, share, write }, u) => {
        const part = shown ? shown.map[t][u] : 0
        read.style.setProperty("--share", `${(100 * part).toFixed(1)}%`)
        share.textContent = shown ? Math.round(100 * part) : ""
        write.setAttribute("aria-pressed", String(Boolean(shown) && u === t))
      })
      if (!shown) return
      const most = shown.map[t].indexOf(Math.max(...shown.map[t]))
      const wrong = shown.digits.filter((digit, u) => shown.written[LENGTH - 1 - u] !== digit).length
      const verdict = wrong ? `${wrong} of ${LENGTH} symbols are wrong.` : "All symbols are right."
      story.textContent = `Place ${t} looks most at place ${most} (${Math.round(100 * shown.map[t][most])} %) and writes ${shown.written[t]}. ${verdict}`
    }

    const update = net => {
      let digits
      shown = null
      cells.forEach(({ read, write }) => {
        read.textContent = write.textContent = "·"
        write.className = ""
      })
      try {
        digits = parse(input.value)
      } catch (error) {
        choose(chosen)
        story.textContent = `No answer: ${error.message}.`
        return
      }
      const { map, scores } = transformer(net, digits, told.checked)
      const written = scores.map(each => each.indexOf(Math.max(...each)))
      shown = { digits, map, written }
      cells.forEach(({ read, write }, t) => {
        read.textContent = digits[t]
        write.textContent = written[t]
        const right = written[t] === digits[LENGTH - 1 - t]
        write.className = right ? "" : "fails"
        write.setAttribute("aria-label", `Place ${t} writes ${written[t]}, ${right ? "right" : "wrong"}`)
      })
      choose(chosen)
    }
    const run = () => load().then(update, () => (story.textContent = "The weights of the network could not be loaded."))
    input.addEventListener("input", run)
    told.addEventListener("change", run)
    const draws = { "27182818": () => "27182818", "00000001": () => "00000001", "Others": () => Array.from({ length: LENGTH }, () => Math.floor(10 * Math.random())).join("") }
    const buttons = Object.entries(draws).map(([name, draw]) => {
      const button = element("button", { type: "button" }, name)
      button.addEventListener("click", () => {
        input.value = draw()
        run()
      })
      return button
    })
    const fields = element("div", { className: "fields" }, element("label", {}, element("span", {}, "Eight digits"), input))
    const controls = element("div", { className: "controls" }, element("label", {}, told, " tell the places"), ...buttons)
    place.append(element("div", { className: "live-box attention" }, fields, controls, table, story))
    run()
  }

  document.querySelectorAll('[data-live="attention"]').forEach(begin)
}
