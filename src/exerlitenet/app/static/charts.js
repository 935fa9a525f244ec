// Charts as inline SVG: drawn at the size of their place, read by pointer, touch and arrow keys.

import { svg } from "./elements.js";

const GAP = 1.5;

// Round steps for an axis from 0 to at least `highest`, about `count` of them.
export function axisSteps(highest, count = 4, whole = true) {
  const rough = Math.max(highest, whole ? count : 1e-9) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const fits = (unit) => unit >= rough * 0.999 && (!whole || Number.isInteger(unit));
  const unit = [1, 2, 2.5, 5, 10].map((k) => k * power).find(fits);
  const steps = [];
  for (let k = 0; (k - 1) * unit < highest && k <= 2 * count; k += 1) steps.push(k * unit);
  return steps;
}

// Columns of stacked bars. periods: [{tick, strong, values: {exercise: number}}]; classOf(exercise) names the colour.
export function stackedBars(place, { periods, exercises, classOf, label, height, onRead }) {
  const totals = periods.map((p) => exercises.reduce((sum, e) => sum + (p.values[e] ?? 0), 0));
  const steps = axisSteps(Math.max(...totals));
  const frame = framed(place, { height, steps, count: periods.length, label, format: String });
  const barWidth = Math.max(1.5, Math.min(34, frame.step * 0.72));
  periods.forEach((period, k) => {
    let base = frame.y(0);
    const x = frame.x(k) - barWidth / 2;
    const stack = svg("g");
    const present = exercises.filter((e) => period.values[e]);
    present.forEach((exercise, level) => {
      const full = frame.y(0) - frame.y(period.values[exercise]);
      const tall = Math.max(1, full - (level ? GAP : 0));
      const round = level === present.length - 1 ? Math.min(4, barWidth / 2, tall) : 0;
      const d = topRounded(x, base - full, barWidth, tall, round);
      stack.append(svg("path", { class: `mark ${classOf(exercise)}`, d }));
      base -= full;
    });
    frame.marks.append(stack);
  });
  ticks(frame, periods.map((p) => p.tick), periods.map((p) => p.strong));
  readable(frame, periods.length, onRead);
}

// Sets side by side: a dot at the tempo, a bar from tempo - spread to tempo + spread.
export function tempoDots(place, { sets, classOf, label, height, onRead }) {
  const highest = Math.max(...sets.map((s) => s.tempo.seconds + (s.tempo.spread_s ?? 0)));
  const steps = axisSteps(highest, 4, false);
  const frame = framed(place, { height, steps, count: sets.length, label, format: (v) => `${+v.toFixed(2)} s` });
  const radius = Math.max(2.5, Math.min(4.5, frame.step / 2.6));
  sets.forEach((set, k) => {
    const { seconds, spread_s: spread } = set.tempo;
    const group = svg("g", { class: classOf(set.exercise) });
    if (spread) {
      const top = frame.y(seconds + spread);
      const bottom = frame.y(Math.max(0, seconds - spread));
      const x = frame.x(k);
      group.append(svg("line", { class: "spread", x1: x, x2: x, y1: top, y2: Math.max(bottom, top + 1) }));
    }
    group.append(svg("circle", { class: "dot", cx: frame.x(k), cy: frame.y(seconds), r: radius }));
    frame.marks.append(group);
  });
  ticks(frame, sets.map((s) => s.tick), []);
  readable(frame, sets.length, onRead);
}

// A small drawing of one set: a bar for each repetition, as tall as it took long.
export function rhythm(gaps, text) {
  const bar = 5, space = 2, height = 24;
  const width = gaps.length * (bar + space);
  const longest = Math.max(...gaps);
  const viewBox = `0 0 ${width} ${height}`;
  const drawing = svg("svg", { class: "rhythm", viewBox, width, height, role: "img", "aria-label": text });
  drawing.append(svg("title", {}, text));
  gaps.forEach((gap, k) => {
    const tall = Math.max(2, (height * gap) / longest);
    const x = k * (bar + space);
    drawing.append(svg("rect", { class: "mark", x, y: height - tall, width: bar, height: tall, rx: 1.5 }));
  });
  return drawing;
}

function framed(place, { height, steps, count, label, format }) {
  const width = Math.max(240, place.clientWidth);
  const left = 10 + 7 * Math.max(...steps.map((s) => format(s).length));
  const right = 6, top = 8, bottom = 24;
  const highest = steps.at(-1) || 1;
  const step = (width - left - right) / count;
  const frame = {
    width, height, left, right, top, bottom, step,
    x: (k) => left + (k + 0.5) * step,
    y: (value) => top + (height - top - bottom) * (1 - value / highest),
    root: svg("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, tabindex: 0,
    }),
    marks: svg("g", { class: "marks" }),
    cursor: svg("rect", { class: "cursor", y: top, height: height - top - bottom, rx: 3, visibility: "hidden" }),
  };
  for (const value of steps) {
    const y = Math.round(frame.y(value)) + 0.5;
    frame.root.append(svg("line", { class: value ? "grid" : "axis", x1: left, x2: width - right, y1: y, y2: y }));
    frame.root.append(svg("text", { class: "tick", x: left - 6, y: y + 4, "text-anchor": "end" }, format(value)));
  }
  frame.root.append(frame.cursor, frame.marks);
  place.replaceChildren(frame.root);
  return frame;
}

// Labels under the columns, as many as have room; strong ones (today) always.
function ticks(frame, names, strong) {
  let free = -Infinity;
  const last = strong.lastIndexOf(true);
  const width = (name) => name.length * 6.6 + 10;
  const lastHalf = last >= 0 ? width(names[last]) / 2 : 0;
  const reserved = last >= 0 ? Math.min(frame.x(last), frame.width - lastHalf) - lastHalf : Infinity;
  names.forEach((name, k) => {
    if (!name) return;
    const half = width(name) / 2;
    const x = Math.max(half, Math.min(frame.x(k), frame.width - half));
    if (k !== last && (x - half < free || x + half > reserved)) return;
    free = x + half;
    const kind = strong[k] ? "tick now" : "tick";
    frame.root.append(svg("text", { class: kind, x, y: frame.height - 7, "text-anchor": "middle" }, name));
  });
}

// Pointer, touch and arrow keys choose a column; onRead(index or null) is called.
function readable(frame, count, onRead) {
  let chosen = null;
  const choose = (k) => {
    if (k === chosen) return;
    chosen = k;
    frame.cursor.setAttribute("visibility", k === null ? "hidden" : "visible");
    if (k !== null) {
      const wide = Math.max(frame.step, 6);
      frame.cursor.setAttribute("x", frame.x(k) - wide / 2);
      frame.cursor.setAttribute("width", wide);
    }
    onRead(k);
  };
  const at = (event) => {
    const box = frame.root.getBoundingClientRect();
    const k = Math.floor(((event.clientX - box.left) * (frame.width / box.width) - frame.left) / frame.step);
    return Math.max(0, Math.min(count - 1, k));
  };
  frame.root.addEventListener("pointermove", (event) => choose(at(event)));
  frame.root.addEventListener("pointerdown", (event) => choose(at(event)));
  frame.root.addEventListener("pointerleave", () => choose(null));
  frame.root.addEventListener("blur", () => choose(null));
  frame.root.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity, Escape: null }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    choose(move === null ? null : Math.max(0, Math.min(count - 1, (chosen ?? (move > 0 ? -1 : count)) + move)));
  });
  choose(null);
  onRead(null);
}

function topRounded(x, y, w, h, r) {
  return `M${x} ${y + h}V${y + r}Q${x} ${y} ${x + r} ${y}H${x + w - r}Q${x + w} ${y} ${x + w} ${y + r}V${y + h}Z`;
}
