// The history page: asks for figures, draws them, and sends what the user says about sets.

import { at, node } from "./elements.js";
import { drawCharts, drawOverview } from "./overview.js";
import { counts, setRow } from "./sets.js";
import { WORDS, breakdown, full, many } from "./words.js";

const FRESH_MS = 20000;
const TOAST_MS = 9000;
const DAYS_AT_ONCE = 20;
let data = null;
let ever = false;
let days = 90;
let daysListed = DAYS_AT_ONCE;
let editing = null;
let lastChanged = null;
let changes = Promise.resolve();
let toastTimer = 0;

function classOf(exercise) {
  if (exercise in WORDS) return `ex-${exercise}`;
  const others = [...new Set([...data.exercises, ...Object.keys(data.bests)])].filter((name) => !(name in WORDS));
  return `ex-other-${1 + (Math.max(0, others.indexOf(exercise)) % 2)}`;
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
      : "Do a few squats or biceps curls in front of the camera. Each set appears here with its repetitions, "
        + "tempo and how even it was.";
    return;
  }
  drawOverview(data, classOf);
  if (!document.querySelector("form.edit") || editing === null) drawList();  // what is being typed stays
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
    node("ol", {}, ...group.map(row)))));
  at("more").hidden = groups.size <= daysListed;
  if (!sets.length) at("list").replaceChildren(node("p", { class: "hint" }, "No sets that count in this time."));
}

const row = (set) => setRow(set, {
  act: { key: onKey, edit, cancel, save, change },
  classOf,
  editing: editing === set.id,
  names: ["squat", "biceps_curl", ...data.exercises],
});

function dayTotal(group) {
  const volume = {};
  for (const s of group) if (counts(s)) volume[s.exercise] = (volume[s.exercise] ?? 0) + s.repetitions;
  return breakdown(volume);
}

// Corrections

function edit(set) {
  editing = set.id;
  redraw();
  document.querySelector("form.edit select")?.focus();
}

function cancel(set) {
  editing = null;
  redraw(set.id);
}

function save(set, form) {
  const fields = new FormData(form);
  change(set, "correct", {
    exercise: fields.get("exercise"),
    repetitions: Number(fields.get("repetitions")),
    note: fields.get("note"),
    fromForm: true,
  });
}

const REQUESTS = {
  correct: (set, { exercise, repetitions, note }) => [`/api/sets/${set.id}`, "PATCH", { exercise, repetitions, note }],
  delete: (set) => [`/api/sets/${set.id}`, "DELETE"],
  restore: (set) => [`/api/sets/${set.id}/restore`, "POST"],
  undo: (set) => [`/api/sets/${set.id}/undo`, "POST"],
};

// One after the other, so that each begins from what the one before it left. said: may be a function of the set.
function change(set, act, said) {
  changes = changes.then(() => carryOut(set, act, said));
}

async function carryOut(set, act, said) {
  try {
    const latest = [...data.sets, ...data.aside].find((one) => one.id === set.id) ?? set;
    const now = await ask(...REQUESTS[act](set, typeof said === "function" ? said(latest) : said));
    if (editing === set.id && (said?.fromForm || act === "delete")) editing = null;
    const order = [...document.querySelectorAll(".set")].map((row) => +row.dataset.set);
    await load();
    if (editing === null) focusNear(set.id, order);
    lastChanged = set;
    toast(wordsFor(act, now), act !== "undo");
  } catch (error) {
    complain(error);
    at("problem").scrollIntoView({ block: "center" });
  }
}

function wordsFor(act, now) {
  const what = many(now.repetitions, now.exercise);
  return {
    correct: `Saved: ${now.exercise === "none" ? "no exercise" : what}.`,
    delete: `Deleted: ${what}.`,
    restore: `Restored: ${what}.`,
    undo: `Undone: ${what}${now.deleted ? ", deleted" : ""}.`,
  }[act];
}

function onKey(event, set) {
  if (event.key === "Escape" && editing === set.id) {
    cancel(set);
    return;
  }
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...document.querySelectorAll(".set")];
  const k = rows.indexOf(event.currentTarget);
  const one = (by) => set.exercise !== "none"
    && change(set, "correct", (now) => ({ exercise: now.exercise, repetitions: Math.max(0, now.repetitions + by) }));
  const keys = {
    ArrowDown: () => rows[k + 1]?.focus(),
    ArrowUp: () => rows[k - 1]?.focus(),
    c: () => edit(set),
    Enter: () => edit(set),
    Delete: () => change(set, "delete"),
    u: () => (at("toast-undo").checkVisibility() ? undoLast() : change(set, "undo")),
    "+": () => one(1),
    "=": () => one(1),
    "-": () => one(-1),
    "−": () => one(-1),
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
  editing = null;
  daysListed = DAYS_AT_ONCE;
  days = Number(event.target.value);
  load();
});

let width = 0;
new ResizeObserver(() => {
  const now = at("chart-days").clientWidth;
  if (data && now && Math.abs(now - width) > 2) drawCharts(data, classOf);
  width = now;
}).observe(at("chart-days"));

// Sets that are being done now appear by themselves, unless something is being corrected.
function fresh() {
  const busy = editing !== null || document.activeElement?.closest(".set, .chart");
  if (document.visibilityState === "visible" && !busy) load();
}
setInterval(fresh, FRESH_MS);
document.addEventListener("visibilitychange", fresh);

load();
