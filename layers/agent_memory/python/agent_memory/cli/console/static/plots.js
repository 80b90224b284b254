// Draws `data-plot`: bars of counts a day, lines in steps with a band, or prices, in the colours of the page.
(() => {
  "use strict";

  const HEIGHT = 220, DAY = 86400;
  const DASHES = [[], [6, 4], [2, 3]];

  // A colour of the style sheet as the browser computes it, in light or dark mode.
  function color(name) {
    const probe = document.createElement("span");
    probe.className = `color-${name}`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function axes(spec) {
    const common = { stroke: color("muted"), grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("grid") } };
    const values = spec.percent ? (_, ticks) => ticks.map((one) => `${Math.round(100 * one)} %`) : undefined;
    return [{ ...common }, values ? { ...common, values } : { ...common }];
  }

  const shown = (spec) => (_, value) =>
    value == null ? "–" : spec.percent ? `${(100 * value).toFixed(1)} %` : value.toLocaleString("en");

  function bars(spec, times) {
    const sums = times.map(() => 0);
    const stacked = spec.series.map((one) => one.values.map((value, at) => (sums[at] += value)));
    // The highest bar is drawn first, so that each lower one covers its part.
    const order = spec.series.map((_, number) => number).reverse();
    const path = uPlot.paths.bars({ size: [0.85, 60], align: 0 });
    const series = order.map((number) => ({
      label: spec.series[number].label.replaceAll("_", " ").toLowerCase(),
      fill: color(`series-${(number % 6) + 1}`),
      stroke: color(`series-${(number % 6) + 1}`),
      width: 0,
      paths: path,
      points: { show: false },
      value: (_, __, ___, at) => (at == null ? "–" : spec.series[number].values[at].toLocaleString("en")),
    }));
    return { data: [times, ...order.map((number) => stacked[number])], series, scale: { range: (_, __, high) => [0, Math.max(1, high * 1.05)] }, x: { range: (_, low, high) => [low - (spec.days * DAY) / 2, high + (spec.days * DAY) / 2] } };
  }

  function steps(spec, times) {
    const xs = [...times, Math.max(Date.parse(spec.until) / 1000, times[times.length - 1])];
    const held = (values) => [...values, values[values.length - 1]];
    const path = uPlot.paths.stepped({ align: 1 });
    const names = ["accent", "neutral", "reference"];
    const lines = spec.series.map((one, number) => ({
      label: one.label, stroke: color(names[number]), width: number ? 1.5 : 2.5, dash: DASHES[number], paths: path,
      points: { show: false }, value: shown(spec),
    }));
    const edge = { stroke: "transparent", paths: path, points: { show: false }, value: shown(spec) };
    const edges = spec.band ? [{ ...edge, label: "Low" }, { ...edge, label: "High" }] : [];
    const count = lines.length;
    return {
      data: [xs, ...spec.series.map((one) => held(one.values)), ...(spec.band ? [held(spec.band.low), held(spec.band.high)] : [])],
      series: [...lines, ...edges],
      bands: spec.band ? [{ series: [count + 2, count + 1], fill: color("band") }] : [],
      scale: { range: spec.percent ? [0, 1] : undefined },
    };
  }

  // Bars from open to close, hollow where the price rose, with lines from low to high.
  function candles(spec, times) {
    const gaps = times.slice(1).map((time, at) => time - times[at]).sort((one, other) => one - other);
    const step = gaps.length ? gaps[Math.floor(gaps.length / 2)] : 3600;
    const series = spec.series.map((one) => ({ label: one.label, stroke: "transparent", points: { show: false }, value: shown(spec) }));
    return { data: [times, ...spec.series.map((one) => one.values)], series, scale: {}, step, x: { range: (_, low, high) => [low, high + step] } };
  }

  function drawCandles(plot, step) {
    const { ctx, data } = plot;
    const [times, open, high, low, close] = data;
    const x = (seconds) => plot.valToPos(seconds, "x", true);
    const y = (price) => plot.valToPos(price, "y", true);
    const width = Math.max(1, 0.7 * (x(times[0] + step) - x(times[0])));
    ctx.save();
    ctx.beginPath();
    ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    ctx.clip();
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeStyle = color("accent");
    times.forEach((time, at) => {
      const middle = x(time + step / 2);
      const top = y(Math.max(open[at], close[at]));
      const height = Math.max(1, y(Math.min(open[at], close[at])) - top);
      ctx.fillStyle = color(close[at] >= open[at] ? "surface" : "accent");
      ctx.beginPath();
      ctx.moveTo(middle, y(high[at]));
      ctx.lineTo(middle, y(low[at]));
      ctx.stroke();
      ctx.fillRect(middle - width / 2, top, width, height);
      ctx.strokeRect(middle - width / 2, top, width, height);
    });
    ctx.restore();
  }

  // A dashed line from top to bottom at a time.
  function drawMark(plot, seconds) {
    const { ctx, bbox } = plot;
    const x = plot.valToPos(seconds, "x", true);
    ctx.save();
    ctx.strokeStyle = color("reference");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([6, 4].map((one) => one * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  function draw(place) {
    const spec = JSON.parse(place.dataset.plot);
    const times = spec.times.map((one) => Date.parse(one) / 1000);
    const found = { bars, steps, candles }[spec.kind](spec, times);
    place.replaceChildren();
    const options = {
      width: place.clientWidth, height: HEIGHT, axes: axes(spec), bands: found.bands,
      series: [{ value: spec.kind === "candles" ? "{YYYY}-{MM}-{DD} {HH}:{mm}" : "{YYYY}-{MM}-{DD}" }, ...found.series],
      scales: { x: { time: true, ...found.x }, y: found.scale },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false } },
      hooks: spec.kind === "candles" ? { draw: [(plot) => drawCandles(plot, found.step), (plot) => drawMark(plot, Date.parse(spec.mark) / 1000)] } : {},
    };
    place.plot = new uPlot(options, found.data, place);
  }

  function drawAll() {
    document.querySelectorAll("[data-plot]").forEach(draw);
  }

  const resized = new Map();
  window.addEventListener("resize", () => {
    clearTimeout(resized.get("timer"));
    resized.set("timer", setTimeout(() => document.querySelectorAll("[data-plot]").forEach((one) => one.plot && one.plot.setSize({ width: one.clientWidth, height: HEIGHT })), 100));
  });
  document.addEventListener("console:theme", drawAll);
  document.addEventListener("htmx:afterSettle", () =>
    document.querySelectorAll("[data-plot]").forEach((one) => one.plot || draw(one)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
