// The history page: asks for figures, draws them, and sends what the user says about sets.

import { rhythm, stackedBars, tempoDots } from "./charts.js";

const FRESH_MS = 20000;
const TOAST_MS = 9000;
const DAYS_AT_ONCE = 20;
const at = (id) => document.getElementById(id);
let data = null;
let ever = false;
let days = 90;
let daysListed = DAYS_AT_ONCE;
let editing = null;
let lastChanged = null;
let toastTimer = 0;

// Words

const WORDS = { squat: ["Squat", "squats"], biceps_curl: ["Biceps curl", "biceps curls"], none: ["No exercise", "repetitions"] };
const spaced = (name) => name.replaceAll("_", " ");
const nameOf = (name) => WORDS[name]?.[0] ?? spaced(name)[0].toUpperCase() + spaced(name).slice(1);
const many = (n, name) => `${n} ${n === 1 ? nameOf(name).toLowerCase() : WORDS[name]?.[1] ?? `× ${spaced(name)}`}`;
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const percent = (share) => `${Math.round(100 * share)} %`;
const dateOf = (text) => new Date(+text.slice(0, 4), +text.slice(5, 7) - 1, +text.slice(8, 10));
const shown = (text, options) => new Intl.DateTimeFormat("en-GB", options).format(dateOf(text));
const short = (text) => shown(text, { day: "numeric", month: "short" });
const long = (text) => shown(text, { weekday: "short", day: "numeric", month: "short" });
const full = (text) => shown(text, { weekday: "long", day: "numeric", month: "long", ...(+text.slice(0, 4) === new Date().getFullYear() ? {} : { year: "numeric" }) });

function classOf(exercise) {
  if (exercise in WORDS) return `ex-${exercise}`;
  const others = [...new Set([...data.exercises, ...Object.keys(data.bests)])].filter((name) => !(name in WORDS));
  return `ex-other-${1 + (Math.max(0, others.indexOf(exercise)) % 2)}`;
}

function node(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// The server

async function ask(url, method = "GET", body = undefined) {
  let response;
  try {
    const headers = body ? { "Content-Type": "application/json" } : {};
    response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("ExerLiteNet does not answer. Start it again with “exerlitenet live”; nothing logged is lost.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The server refused this (${response.status}).`);
  return answer;
}

async function load() {
  try {
    data = await ask(`/api/history?days=${days}`);
    ever = Object.keys(data.bests).length > 0;
    complain(null);
    draw();
  } catch (error) {
    complain(error);
  }
}

function complain(error) {
  at("problem").hidden = !error;
  at("problem").textContent = error ? error.message : "";
}

// Drawing

function draw() {
  const nothing = data.sets.length === 0 && data.aside.length === 0;
  at("empty").hidden = !nothing;
  at("content").hidden = nothing;
  at("range").hidden = nothing && !ever;
  if (nothing) {
    at("empty-title").textContent = ever ? `Nothing in the last ${days} days` : "No sets yet";
    at("empty-text").textContent = ever
      ? "Your earlier sets are still there: choose a longer time above."
      : "Do a few squats or biceps curls in front of the camera. Each set appears here with its repetitions, tempo and how even it was.";
    return;
  }
  drawTiles();
  drawCharts();
  drawBests();
  drawList();
}

function drawTiles() {
  const [week, before] = [data.by_week.at(-1), data.by_week.at(-2)];
  const { totals, streak } = data;
  const difference = before ? week.repetitions - before.repetitions : 0;
  const compared = !before ? "" : difference > 0 ? `${difference} more than all of last week` : `${before.repetitions} last week`;
  const weekly = streak.weeks > 1 || streak.days < 2;
  const tiles = [
    ["This week", week.repetitions, "reps", compared, difference > 0 && before.repetitions > 0],
    [`In ${days === 365 ? "a year" : `${days} days`}`, totals.repetitions.toLocaleString("en-GB"), "reps", `in ${plural(totals.sets, "set")}`],
    ["Active days", totals.active_days, `of ${days}`, `${Math.round(totals.seconds / 60)} min of exercise`],
    ["In a row", weekly ? streak.weeks : streak.days, weekly ? (streak.weeks === 1 ? "week" : "weeks") : "days", streak.days > 1 && weekly ? `and ${streak.days} days` : "with any exercise"],
  ];
  at("tiles").replaceChildren(...tiles.map(([title, figure, unit, note, up]) => node("dl", { class: "tile" },
    node("dt", {}, title),
    node("dd", { class: "figure" }, String(figure), node("span", { class: "unit" }, unit)),
    node("dd", { class: up ? "note up" : "note" }, note))));
}

const breakdown = (values) => Object.entries(values).filter(([, n]) => n).map(([name, n]) => many(n, name)).join(", ") || "no repetitions";

function drawCharts() {
  const { exercises } = data;
  const phone = at("chart-days").clientWidth < 500;
  at("legend").replaceChildren(...exercises.map((name) => node("li", {},
    node("span", { class: `swatch ${classOf(name)}` }), `${nameOf(name)} ${data.totals.by_exercise[name] ?? 0}`)));

  const read = (place, periods, title, idle) => (k) => {
    const p = k === null ? null : periods[k];
    at(place).replaceChildren(...(p ? [node("b", {}, title(p)), `: ${breakdown(p.by_exercise)}`] : [idle]));
  };
  const byDay = data.by_day;
  const best = byDay.reduce((a, b) => (b.repetitions > a.repetitions ? b : a));
  const spacing = Math.ceil(byDay.length / Math.max(2, Math.floor(at("chart-days").clientWidth / 100)));
  stackedBars(at("chart-days"), {
    periods: byDay.map((d, k) => ({ tick: k === byDay.length - 1 ? "today" : (byDay.length - 1 - k) % spacing === 0 ? short(d.date) : "", strong: k === byDay.length - 1, values: d.by_exercise })),
    exercises, classOf, height: phone ? 170 : 210,
    label: `Repetitions on each of the last ${data.days} days. Arrow keys read single days.`,
    onRead: read("readout-days", byDay, (d) => long(d.date), `Best day: ${long(best.date)} with ${plural(best.repetitions, "repetition")}.`),
  });
  const byWeek = data.by_week;
  const mean = byWeek.reduce((sum, w) => sum + w.repetitions, 0) / byWeek.length;
  stackedBars(at("chart-weeks"), {
    periods: byWeek.map((w, k) => ({ tick: k === byWeek.length - 1 ? "this week" : short(w.week), strong: k === byWeek.length - 1, values: w.by_exercise })),
    exercises, classOf, height: phone ? 160 : 190,
    label: `Repetitions in each of ${byWeek.length} weeks. Arrow keys read single weeks.`,
    onRead: read("readout-weeks", byWeek, (w) => `Week from ${long(w.week)}`, `${Math.round(mean)} repetitions a week on average.`),
  });
  drawTempo(phone);
}

function drawTempo(phone) {
  const place = at("chart-tempo");
  const room = Math.max(8, Math.floor((place.clientWidth - 40) / 11));
  const sets = data.sets.filter((s) => s.tempo).slice(-room);
  if (!sets.length) {
    place.replaceChildren(node("p", { class: "hint" }, "Sets of two or more repetitions show their tempo here."));
    at("readout-tempo").textContent = "";
    return;
  }
  const marked = sets.map((s, k) => ({ ...s, tick: k && s.started_at.slice(0, 10) === sets[k - 1].started_at.slice(0, 10) ? "" : short(s.started_at) }));
  tempoDots(place, {
    sets: marked, classOf, height: phone ? 160 : 190,
    label: `Seconds per repetition in the last ${plural(sets.length, "set")}. Arrow keys read single sets.`,
    onRead: (k) => {
      if (k === null) {
        at("readout-tempo").textContent = `Dot: seconds per repetition; bar: how much they differ. The last ${plural(sets.length, "set")}.`;
        return;
      }
      const { tempo } = sets[k];
      const even = tempo.consistency === null ? "" : `, ± ${tempo.spread_s.toFixed(1)} s, ${percent(tempo.consistency)} even`;
      at("readout-tempo").replaceChildren(node("b", {}, `${long(sets[k].started_at)}, ${sets[k].started_at.slice(11, 16)}`),
        `: ${many(sets[k].repetitions, sets[k].exercise)}, ${tempo.seconds.toFixed(1)} s each${even}`);
    },
  });
}

function drawBests() {
  const entry = (title, best, format = String) => [node("div", {}, node("dt", {}, title),
    node("dd", {}, best && best.value ? format(best.value) : "–", node("small", {}, best && best.value ? short(best.date) : "")))];
  at("bests").replaceChildren(...Object.entries(data.bests).map(([name, b]) => node("div", { class: `card best ${classOf(name)}` },
    node("h3", {}, node("span", { class: "swatch" }), nameOf(name)),
    node("dl", {}, ...entry("In a set", b.most_in_a_set), ...entry("In a day", b.most_in_a_day),
      ...entry("In a week", b.most_in_a_week), ...entry("Most even set", b.steadiest_set, percent)))));
}

function drawList() {
  at("aside-label").hidden = data.aside.length === 0;
  at("aside-label").lastElementChild.textContent = `Show removed sets (${data.aside.length})`;
  const sets = [...data.sets, ...(at("aside").checked ? data.aside : [])].sort((a, b) => b.id - a.id);
  const groups = new Map();
  for (const set of sets) {
    const day = set.started_at.slice(0, 10);
    if (!groups.has(day)) groups.set(day, []);
    groups.get(day).push(set);
  }
  at("list").replaceChildren(...[...groups].slice(0, daysListed).map(([day, group]) => node("div", { class: "day" },
    node("h3", {}, full(day), node("span", {}, dayTotal(group))),
    node("ol", {}, ...group.map(setRow)))));
  at("more").hidden = groups.size <= daysListed;
  if (!sets.length) at("list").replaceChildren(node("p", { class: "hint" }, "No sets that count in this time."));
}

function dayTotal(group) {
  const volume = {};
  for (const s of group) if (counts(s)) volume[s.exercise] = (volume[s.exercise] ?? 0) + s.repetitions;
  return breakdown(volume);
}

const counts = (set) => !set.deleted && set.exercise !== "none";

function setRow(set) {
  const { tempo } = set;
  const what = many(set.repetitions, set.exercise);
  const row = node("li", {
    class: `set ${classOf(set.exercise)}${counts(set) ? "" : " away"}`, "data-set": set.id, "data-testid": "set",
    tabindex: 0, "aria-label": `${set.started_at.slice(11, 16)}, ${what}${set.deleted ? ", deleted" : ""}`,
    onkeydown: (event) => onKey(event, set),
  },
  node("div", { class: "row" },
    node("span", { class: "time" }, set.started_at.slice(11, 16)),
    node("span", { class: "count" }, String(set.repetitions), " ", node("small", {}, set.repetitions === 1 ? "rep" : "reps")),
    node("span", { class: "what" }, node("b", {}, nameOf(set.exercise)), tempo ? node("span", { class: "compact" }, compact(tempo)) : null, node("span", { class: "said" }, saidOf(set))),
    tempo ? node("span", { class: "figure-of" }, `${tempo.seconds.toFixed(1)} s`, node("small", {}, "per repetition")) : node("span", { class: "wideonly" }),
    tempo && tempo.consistency !== null
      ? node("span", { class: "figure-of" }, percent(tempo.consistency), node("small", {}, `even (± ${tempo.spread_s.toFixed(1)} s)`)) : node("span", { class: "wideonly" }),
    tempo ? node("span", { class: "rhythm-cell" }, rhythm(tempo.gaps_s.slice(-16), `Seconds of each repetition: ${tempo.gaps_s.map((g) => g.toFixed(1)).join(", ")}`)) : node("span", { class: "wideonly" }),
    node("span", { class: "actions" }, ...actions(set, what))));
  if (editing === set.id) row.append(form(set));
  return row;
}

const compact = (tempo) => `${tempo.seconds.toFixed(1)} s each${tempo.consistency === null ? "" : `, ${percent(tempo.consistency)} even`}`;

function actions(set, what) {
  const button = (word, act, kind = "") => node("button", { type: "button", class: `plain ${kind}`, "aria-label": `${word}: ${what}`, onclick: act }, word);
  if (set.deleted) return [button("Restore", () => change(set, "restore"))];
  return [button("Correct", () => edit(set)), button("Delete", () => change(set, "delete"), "remove")];
}

function saidOf(set) {
  const words = [];
  const model = set.model_said;
  if (set.deleted) words.push("deleted");
  if (set.exercise !== model.exercise || (set.repetitions !== model.repetitions && set.exercise !== "none")) words.push(`recognised: ${many(model.repetitions, model.exercise)}`);
  else if (set.checked) words.push("checked by you");
  if (!set.finished) {
    const idle = (Date.now() - new Date(set.started_at)) / 1000 - (set.end_s - set.start_s);
    words.push(idle < 60 ? "under way" : "cut short");
  }
  if (set.user_said?.note) words.push(`“${set.user_said.note}”`);
  if (!words.length && set.model_said.confidence !== null) words.push(`${percent(set.model_said.confidence)} sure`);
  return words.join(" · ");
}

// Corrections

function form(set) {
  const names = [...new Set(["squat", "biceps_curl", ...data.exercises, set.model_said.exercise, set.exercise])].filter((n) => n !== "none");
  const count = node("input", { type: "number", min: 0, max: 9999, step: 1, value: set.exercise === "none" ? set.model_said.repetitions : set.repetitions, name: "repetitions", required: true, inputmode: "numeric", "aria-label": "Repetitions" });
  const step = (by) => () => { count.value = Math.max(0, Math.min(9999, (Number(count.value) || 0) + by)); };
  return node("form", { class: "edit", onsubmit: (event) => { event.preventDefault(); save(set, event.target); } },
    node("label", {}, "Exercise", node("select", { name: "exercise" },
      ...[...names, "none"].map((name) => node("option", { value: name, selected: name === set.exercise }, nameOf(name))))),
    node("div", { class: "field" }, "Repetitions", node("div", { class: "stepper" },
      node("button", { type: "button", "aria-label": "One less", onclick: step(-1) }, "−"), count,
      node("button", { type: "button", "aria-label": "One more", onclick: step(1) }, "+"))),
    node("label", { class: "note" }, "Note", node("input", { name: "note", maxlength: 500, value: set.user_said?.note ?? "", autocomplete: "off" })),
    node("div", { class: "buttons" }, node("button", { class: "primary" }, "Save"),
      node("button", { type: "button", onclick: () => { editing = null; redraw(set.id); } }, "Cancel"),
      node("button", { type: "button", onclick: () => { editing = null; change(set, "delete"); } }, "Delete set")),
    node("p", { class: "hint" }, `Recognised: ${many(set.model_said.repetitions, set.model_said.exercise)}. That is kept beside what you say; saving without a change says it was right.`));
}

function edit(set) {
  editing = set.id;
  redraw();
  document.querySelector("form.edit select")?.focus();
}

function save(set, form) {
  const fields = new FormData(form);
  editing = null;
  const said = { exercise: fields.get("exercise"), repetitions: Number(fields.get("repetitions")), note: fields.get("note") };
  return change(set, "correct", said);
}

const REQUESTS = {
  correct: (set, said) => [`/api/sets/${set.id}`, "PATCH", said],
  delete: (set) => [`/api/sets/${set.id}`, "DELETE"],
  restore: (set) => [`/api/sets/${set.id}/restore`, "POST"],
  undo: (set) => [`/api/sets/${set.id}/undo`, "POST"],
};

async function change(set, act, said) {
  try {
    const now = await ask(...REQUESTS[act](set, said));
    const what = many(now.repetitions, now.exercise);
    const words = { correct: `Saved: ${now.exercise === "none" ? "no exercise" : what}.`, delete: `Deleted: ${what}.`, restore: `Restored: ${what}.`, undo: `Undone: ${what}${now.deleted ? ", deleted" : ""}.` };
    lastChanged = set;
    toast(words[act], act !== "undo");
    const order = [...document.querySelectorAll(".set")].map((row) => +row.dataset.set);
    await load();
    focusNear(set.id, order);
  } catch (error) {
    complain(error);
    at("problem").scrollIntoView({ block: "center" });
  }
}

function onKey(event, set) {
  if (event.key === "Escape" && editing === set.id) {
    editing = null;
    redraw(set.id);
    return;
  }
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...document.querySelectorAll(".set")];
  const k = rows.indexOf(event.currentTarget);
  const one = (by) => set.exercise !== "none" && change(set, "correct", { exercise: set.exercise, repetitions: Math.max(0, set.repetitions + by) });
  const keys = {
    ArrowDown: () => rows[k + 1]?.focus(), ArrowUp: () => rows[k - 1]?.focus(),
    c: () => edit(set), Enter: () => edit(set), Delete: () => change(set, "delete"), u: () => (at("toast-undo").checkVisibility() ? undoLast() : change(set, "undo")),
    "+": () => one(1), "=": () => one(1), "-": () => one(-1), "−": () => one(-1),
  };
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || (set.deleted && !["ArrowDown", "ArrowUp", "u", "U"].includes(event.key))) return;
  event.preventDefault();
  act();
}

// The set itself, or the nearest one that is still shown.
function focusNear(id, order) {
  const from = order.indexOf(id);
  const near = [...order].sort((a, b) => Math.abs(order.indexOf(a) - from) - Math.abs(order.indexOf(b) - from));
  for (const candidate of near) {
    const row = document.querySelector(`.set[data-set="${candidate}"]`);
    if (row) return row.focus();
  }
  return at("sets").focus();
}

function redraw(focus) {
  drawList();
  if (focus !== undefined) document.querySelector(`.set[data-set="${focus}"]`)?.focus();
}

function toast(words, undoable) {
  clearTimeout(toastTimer);
  at("toast-text").textContent = words;
  at("toast-undo").hidden = !undoable;
  at("toast").hidden = false;
  const later = () => {
    if (at("toast").matches(":hover, :focus-within")) toastTimer = setTimeout(later, 1000);
    else at("toast").hidden = true;
  };
  toastTimer = setTimeout(later, TOAST_MS);
}

// What happens

const undoLast = () => lastChanged && change(lastChanged, "undo");
at("toast-undo").addEventListener("click", undoLast);
at("aside").addEventListener("change", () => redraw());
at("more").addEventListener("click", () => {
  const next = document.querySelectorAll(".set").length;
  daysListed += DAYS_AT_ONCE;
  redraw();
  document.querySelectorAll(".set")[next]?.focus();
});
at("range").addEventListener("change", (event) => {
  daysListed = DAYS_AT_ONCE;
  days = Number(event.target.value);
  load();
});

let width = 0;
new ResizeObserver(() => {
  const now = at("chart-days").clientWidth;
  if (data && now && Math.abs(now - width) > 2) drawCharts();
  width = now;
}).observe(at("chart-days"));

// Sets that are being done now appear by themselves, unless something is being corrected.
const fresh = () => document.visibilityState === "visible" && editing === null && !document.activeElement?.closest(".set, .chart") && load();
setInterval(fresh, FRESH_MS);
document.addEventListener("visibilitychange", fresh);

load();
