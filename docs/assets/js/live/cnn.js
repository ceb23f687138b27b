// The net of chapter `cnn`, forward, on what the reader draws. Weights and layout: src/dlbook/runs/live.py.
{
  const live = (window.dlbookLive ??= {})
  const weightsAddress = new URL("../../live/cnn_weights.js", document.currentScript.src).href
  const SHAPES = [[32, 25], [64, 800], [200, 256], [10, 200]] // outputs, inputs of each
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~" // base 85
  // The first test image of each class among scikit-learn's digits: 8 x 8 pixels, a (paper) to q (ink).
  const SAMPLES = "aaaombaaaaephkaaacqpfmcaahqaalfaafmaameaabpaaocaaajghpaaaabnqiaa aaalqdaaaafqqfaaagqpqdaaallkqbaaaaakpaaaaaalnaaaaaakqcaaaaahqcaa aagqiaaaaainqdaaaacmkiaaaaaahlaaaaaajkaaaaaanhaaaabkqkidaaeqqpqq aajqqmcaadnfeofaaaaahpcaaaafqlaaaaaaiqhaaaaaaniaaaeffpeaaamqpfaa aaacobaaaaaoiaaaaaipbaaaaangaflaadpaakjaajnehqdaahqqqnaaaadcqgaa afqqqqkaaekeeeaaakkaaaaaaeqnhbaaaacioocaaaaabqhaaddclpaaafqqmbaa aaamnaaaaacqmaaaaaeqgaaaaakqiaaaaaiqqpfaaaiqagpbaahqekqdaablqqma aafnqoaaaboifqcaaabacpcaaaacipdaaaapqniaaaagoaaaaaanhaaaaahoaaaa aaeqodaacoqmklaaanmjpkaaadooqeaaaajqiaaaaampobaaaammqeaaaaepqdaa aaiqeaaaagmconaaajgbooaaaclmiqcaaaaaaliaaaaaahjaaacabmgaaaijnhaa".split(" ")

  const decode = text => {
    const bytes = new Uint8Array((text.length / 5) * 4)
    for (let n = 0; n < text.length; n += 5) {
      const value = [...text.slice(n, n + 5)].reduce((sum, letter) => 85 * sum + DIGITS.indexOf(letter), 0)
      new DataView(bytes.buffer).setUint32((n / 5) * 4, value)
    }
    const count = 2 + 2 * SHAPES.reduce((sum, [outputs]) => sum + outputs, 0)
    const floats = new Float32Array(bytes.buffer, 0, count)
    const integers = new Int8Array(bytes.buffer, 4 * count)
    let [f, i] = [2, 0]
    const layers = SHAPES.map(([outputs, inputs]) => {
      const scales = floats.subarray(f, (f += outputs))
      const biases = floats.subarray(f, (f += outputs))
      const weights = Float64Array.from(integers.subarray(i, (i += outputs * inputs)), (q, n) => q * scales[Math.floor(n / inputs)])
      return { weights, biases }
    })
    return { mean: floats[0], deviation: floats[1], layers }
  }

  const dense = (input, { weights, biases }) => {
    const size = input.length
    const outputs = new Float64Array(biases.length)
    for (let o = 0; o < outputs.length; o += 2) { // two sums at once, for one would wait for its last addition
      let [a, b, n] = [biases[o], biases[o + 1], o * size]
      for (let i = 0; i < size; i++, n++) {
        a += weights[n] * input[i]
        b += weights[n + size] * input[i]
      }
      outputs[o] = a
      outputs[o + 1] = b
    }
    return outputs
  }

  // A dense layer on every patch of k x k pixels.
  const convolve = (input, side, layer, k = 5) => {
    const out = side - k + 1
    const channels = input.length / side ** 2
    const patch = new Float64Array(channels * k * k)
    const maps = new Float64Array(layer.biases.length * out * out)
    for (let y = 0; y < out; y++) {
      for (let x = 0; x < out; x++) {
        let n = 0
        for (let c = 0; c < channels; c++) {
          for (let dy = 0; dy < k; dy++) {
            const start = (c * side + y + dy) * side + x
            for (let dx = 0; dx < k; dx++) patch[n++] = input[start + dx]
          }
        }
        dense(patch, layer).forEach((value, o) => (maps[(o * out + y) * out + x] = value))
      }
    }
    return maps
  }

  // The largest of each square, and 0 if all are negative: pooling and ReLU at once.
  const pool = (input, side, size) => {
    const out = Math.floor(side / size)
    const maps = new Float64Array((input.length / side ** 2) * out * out)
    for (let c = 0; c < maps.length; c += out * out)
      for (let y = 0; y < out * size; y++)
        for (let x = 0; x < out * size; x++) {
          const n = c + Math.floor(y / size) * out + Math.floor(x / size)
          maps[n] = Math.max(maps[n], input[(c / out ** 2) * side ** 2 + y * side + x])
        }
    return maps
  }

  // From 784 pixels, 0 (paper) to 255 (ink), to ten scores.
  const scores = (net, pixels) => {
    const [first, second, third, last] = net.layers
    let x = Float64Array.from(pixels, pixel => (pixel - net.mean) / net.deviation)
    x = pool(convolve(x, 28, first), 24, 3)
    x = pool(convolve(x, 8, second), 4, 2)
    return dense(dense(x, third).map(value => Math.max(0, value)), last)
  }

  const softmax = z => {
    const powers = z.map(value => Math.exp(value - Math.max(...z)))
    return powers.map(power => power / powers.reduce((a, b) => a + b))
  }

  // Change the length of the rows by a triangle filter that also averages, then turn the picture.
  const resizeAndTurn = (image, width, height, length) => {
    const made = new Float64Array(length * height)
    const scale = width / length
    const reach = Math.max(1, scale)
    for (let i = 0; i < length; i++) {
      const middle = (i + 0.5) * scale
      const [from, to] = [Math.max(0, Math.floor(middle - reach + 0.5)), Math.min(width, Math.floor(middle + reach + 0.5))]
      const shares = Array.from({ length: to - from }, (_, n) => Math.max(0, 1 - Math.abs(from + n + 0.5 - middle) / reach))
      const whole = shares.reduce((a, b) => a + b)
      for (let y = 0; y < height; y++) made[i * height + y] = shares.reduce((sum, share, n) => sum + share * image[y * width + from + n], 0) / whole
    }
    return made
  }

  // Place a digit as MNIST does: 20 pixels long, its center of mass in the middle. Null for blank paper.
  const centered = (image, width) => {
    const inked = [...image.keys()].filter(n => image[n] > 0)
    if (!inked.length) return null
    const ends = values => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
    const [[left, right], [top, bottom]] = [ends(inked.map(n => n % width)), ends(inked.map(n => Math.floor(n / width)))]
    const [w, h] = [right - left + 1, bottom - top + 1]
    const box = Float64Array.from({ length: w * h }, (_, n) => image[(top + Math.floor(n / w)) * width + left + (n % w)])
    const [columns, rows] = [w, h].map(side => Math.max(1, Math.floor((40 * side + Math.max(w, h)) / (2 * Math.max(w, h)))))
    const small = resizeAndTurn(resizeAndTurn(box, w, h, columns), h, columns, rows)
    const ink = small.reduce((a, b) => a + b)
    const start = (side, position) =>
      Math.min(28 - side, Math.max(0, Math.floor(14.5 - small.reduce((sum, value, n) => sum + value * (position(n) + 0.5), 0) / ink)))
    const [x, y] = [start(columns, n => n % columns), start(rows, n => Math.floor(n / columns))]
    const place = new Float64Array(784)
    small.forEach((value, n) => (place[(y + Math.floor(n / columns)) * 28 + x + (n % columns)] = 255 * value))
    return place
  }

  let loading
  const load = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: weightsAddress, onerror: reject })
      script.onload = () => resolve(decode(live.cnnWeights))
      document.head.append(script)
    }))

  live.cnn = { load, scores, softmax, centered, SAMPLES }

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }

  const begin = place => {
    let strokes = []
    const canvas = (side, label) => {
      const made = element("canvas", { width: side, height: side })
      made.setAttribute("role", "img")
      made.setAttribute("aria-label", label)
      return made
    }
    const paper = canvas(280, "Paper to draw a digit on, with a mouse or a finger")
    const seen = canvas(28, "The digit as the net sees it, 28 by 28 pixels")
    const hidden = canvas(280, "")
    const [pen, ink, eye] = [paper, hidden, seen].map(one => one.getContext("2d", { willReadFrequently: true }))
    const answer = element("p", { className: "answer", textContent: "Draw a digit, or take one." })
    answer.setAttribute("role", "status")
    const rows = SAMPLES.map((_, digit) => {
      const [bar, percent] = [element("span"), element("td")]
      return { bar, percent, row: element("tr", {}, element("th", { scope: "row" }, String(digit)), element("td", {}, bar), percent) }
    })

    const trace = (context, moved = point => point) => {
      Object.assign(context, { lineWidth: 24, lineCap: "round", lineJoin: "round" })
      context.clearRect(0, 0, 280, 280)
      for (const stroke of strokes) {
        context.beginPath()
        context.moveTo(...moved(stroke[0]))
        for (const point of stroke) context.lineTo(...moved(point))
        context.stroke()
      }
    }

    // The strokes at the size that MNIST digits have, so that the pen is as thick for small digits as for large ones.
    const traced = () => {
      const points = strokes.flat()
      const [xs, ys] = [0, 1].map(axis => points.map(point => point[axis]))
      const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
      const scale = 180 / Math.max(60, right - left, bottom - top)
      trace(ink, ([x, y]) => [140 + (x - (left + right) / 2) * scale, 140 + (y - (top + bottom) / 2) * scale])
      const { data } = ink.getImageData(0, 0, 280, 280)
      return Float64Array.from({ length: 280 * 280 }, (_, n) => data[4 * n + 3] / 255)
    }

    const show = (net, pixels) => {
      const p = softmax(scores(net, pixels))
      rows.forEach(({ bar, percent, row }, digit) => {
        bar.style.width = `${100 * p[digit]}%`
        percent.textContent = `${(100 * p[digit]).toFixed(1)} %`
        row.className = p[digit] === Math.max(...p) ? "most" : ""
      })
      answer.textContent = `The net reads a ${p.indexOf(Math.max(...p))}.`
      const picture = eye.createImageData(28, 28)
      pixels.forEach((value, n) => (picture.data[4 * n + 3] = value))
      eye.putImageData(picture, 0, 0)
    }
    const read = (image, width) => {
      const pixels = centered(image, width)
      if (!pixels) return
      if (!live.cnnWeights) answer.textContent = "Loading the net …"
      const failed = () => (answer.textContent = "The weights of the net could not be loaded.")
      load().then(net => show(net, pixels), failed)
    }
    const clear = () => {
      strokes = []
      for (const context of [pen, eye]) context.clearRect(0, 0, 280, 280)
    }

    let waiting = false
    const draw = () => {
      trace(pen)
      if (waiting) return
      waiting = true
      requestAnimationFrame(() => {
        waiting = false
        if (strokes.length) read(traced(), 280)
      })
    }
    const point = event => [(event.offsetX * 280) / paper.clientWidth, (event.offsetY * 280) / paper.clientHeight]
    paper.addEventListener("pointerdown", event => {
      paper.setPointerCapture(event.pointerId)
      strokes.push([point(event)])
      draw()
    })
    paper.addEventListener("pointermove", event => {
      if (!paper.hasPointerCapture(event.pointerId)) return
      strokes.at(-1).push(point(event))
      draw()
    })
    const wipe = element("button", { type: "button" }, "Clear")
    wipe.addEventListener("click", () => {
      clear()
      rows.forEach(({ bar, percent, row }) => (bar.style.width = percent.textContent = row.className = ""))
      answer.textContent = "Draw a digit, or take one."
    })
    const buttons = SAMPLES.map((sample, digit) => {
      const button = element("button", { type: "button" }, String(digit))
      button.setAttribute("aria-label", `Take a ${digit} of scikit-learn`)
      button.addEventListener("click", () => {
        clear()
        const image = Float64Array.from(sample, letter => (letter.charCodeAt(0) - 97) / 16)
        image.forEach((value, n) => {
          pen.fillStyle = `rgb(0 0 0 / ${value})`
          pen.fillRect(35 * (n % 8), 35 * Math.floor(n / 8), 35, 35)
        })
        read(image, 8)
      })
      return button
    })
    const pictures = element("div", { className: "pictures" }, element("div", { className: "paper" }, paper), element("div", { className: "seen" }, seen, "what it sees"))
    const table = element("table", { className: "bars" }, element("tbody", {}, ...rows.map(({ row }) => row)))
    place.append(element("div", { className: "live-box cnn" }, pictures, answer, element("div", { className: "controls" }, wipe, "Take a", ...buttons), table))
  }

  document.querySelectorAll('[data-live="cnn"]').forEach(begin)
}
