// The set as it goes: a curve of the last seconds with a mark at each repetition, and a bar for each one's tempo.

import { node, svg } from "./elements.js";

const SPAN_S = 45;
const WIDTH = 600;
const HEIGHT = 96;
const BASE = 82;
const TOP = 12;
const MOST_BARS = 12;

export class Timeline {
  #points = [];
  #root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", preserveAspectRatio: "none" });
  #band = svg("rect", { class: "band", y: 0, height: HEIGHT });
  #curve = svg("path", { class: "curve" });
  #marks = svg("g", { class: "marks" });
  #words = node("p", { class: "hint" }, "The curve rises with each repetition.");

  constructor(place) {
    this.#root.append(this.#band, svg("path", { class: "grid", d: `M0 ${BASE}H${WIDTH}` }), this.#curve, this.#marks);
    place.append(this.#root, this.#words);
    this.clear();
  }

  clear() {
    this.#points = [];
    this.draw(0, null);
  }

  // A state of the server. Without a phase the curve is the probability of the exercise.
  add(state) {
    const chance = 1 - (state.probabilities.none ?? 1);
    const value = state.phase ?? chance;
    const time = state.phase_time_s ?? state.time_s;
    const last = this.#points.at(-1);
    if (last && time < last[0]) this.#points = [];
    if (!last || time > last[0]) this.#points.push([time, value]);
    while (this.#points.length && this.#points[0][0] < state.time_s - SPAN_S) this.#points.shift();
  }

  // now: seconds of the stream; set: the running one with its times in the same clock, or null.
  draw(now, set) {
    const from = now - SPAN_S;
    const x = (time) => ((time - from) / SPAN_S) * WIDTH;
    const y = (value) => BASE - Math.min(1, Math.max(0, value)) * (BASE - TOP);
    this.#curve.setAttribute("d", this.#points.map(([t, v], k) => `${k ? "L" : "M"}${x(t).toFixed(1)} ${y(v).toFixed(1)}`).join(""));
    const start = set ? Math.max(0, x(set.start_s)) : 0;
    this.#band.setAttribute("x", start);
    this.#band.setAttribute("width", set ? Math.max(0, WIDTH - start) : 0);
    const times = (set?.repetition_times_s ?? []).filter((time) => time >= from);
    this.#marks.replaceChildren(...times.map((time) => svg("path", { d: `M${x(time).toFixed(1)} ${TOP - 8}V${HEIGHT}` })));
    const said = set ? `${set.repetitions ?? "Uncounted"} repetitions in ${Math.round(set.end_s - set.start_s)} seconds` : "No set is running";
    this.#root.setAttribute("aria-label", said);
    this.#words.textContent = set ? `${Math.round(set.end_s - set.start_s)} s, a line at each repetition` : "The curve rises with each repetition.";
  }
}

// Bars of the last repetitions: seconds from each to the next.
export function drawTempo(place, set) {
  const all = set?.tempo_s ?? [];
  const shown = all.slice(-MOST_BARS);
  if (!shown.length) {
    place.replaceChildren(node("p", { class: "hint" }, "Seconds from each repetition to the next, from the second one on."));
    return;
  }
  const longest = Math.max(3, ...shown);
  const bars = shown.map((seconds, k) => {
    const bar = node("span", { class: "bar-of" });
    bar.style.height = `${Math.max(4, (seconds / longest) * 100)}%`;
    const which = all.length - shown.length + k + 2;
    return node("li", {}, node("span", { class: "seconds" }, seconds.toFixed(1)), node("span", { class: "room" }, bar),
      node("span", { class: "which" }, String(which)), node("span", { class: "unseen" }, ` ${seconds.toFixed(1)} seconds`));
  });
  const mean = all.reduce((sum, seconds) => sum + seconds, 0) / all.length;
  place.replaceChildren(node("ol", { class: "bars", "aria-label": "Seconds of each repetition" }, ...bars),
    node("p", { class: "hint" }, `${mean.toFixed(1)} s a repetition on average`));
}
