// One set in the list: what it was, what was said about it, and the form to correct it.

import { rhythm } from "./charts.js";
import { node } from "./elements.js";
import { many, nameOf, percent } from "./words.js";

export const counts = (set) => !set.deleted && set.exercise !== "none";

// act: {key(event, set), edit(set), cancel(set), save(set, form), change(set, what)}; names: exercises to choose from.
export function setRow(set, { act, classOf, editing, names }) {
  const { tempo } = set;
  const what = many(set.repetitions, set.exercise);
  const row = node("li", {
    class: `set ${classOf(set.exercise)}${counts(set) ? "" : " away"}`,
    "data-set": set.id,
    "data-testid": "set",
    tabindex: 0,
    "aria-label": `${set.started_at.slice(11, 16)}, ${what}${set.deleted ? ", deleted" : ""}`,
    onkeydown: (event) => act.key(event, set),
  },
  node("div", { class: "row" },
    node("span", { class: "time" }, set.started_at.slice(11, 16)),
    node("span", { class: "count" }, `${set.repetitions} `, node("small", {}, set.repetitions === 1 ? "rep" : "reps")),
    node("span", { class: "what" }, node("b", {}, nameOf(set.exercise)),
      tempo && node("span", { class: "compact" }, compact(tempo)), node("span", { class: "said" }, saidOf(set))),
    ...tempoCells(tempo),
    node("span", { class: "actions" }, ...actions(set, what, act))));
  if (editing) row.append(form(set, names, act));
  return row;
}

const LAST_SHOWN = 16;

function tempoCells(tempo) {
  const cell = (figure, unit) => node("span", { class: "figure-of" }, figure, node("small", {}, unit));
  const nothing = () => node("span", { class: "wideonly" });
  if (!tempo) return [nothing(), nothing(), nothing()];
  const seconds = tempo.gaps_s.map((gap) => gap.toFixed(1)).join(", ");
  return [
    cell(`${tempo.seconds.toFixed(1)} s`, "per repetition"),
    tempo.consistency === null
      ? nothing() : cell(percent(tempo.consistency), `even (± ${tempo.spread_s.toFixed(1)} s)`),
    node("span", { class: "rhythm-cell" },
      rhythm(tempo.gaps_s.slice(-LAST_SHOWN), `Seconds of each repetition: ${seconds}`)),
  ];
}

function compact(tempo) {
  const even = tempo.consistency === null ? "" : `, ${percent(tempo.consistency)} even`;
  return `${tempo.seconds.toFixed(1)} s each${even}`;
}

function actions(set, what, act) {
  const button = (word, press, kind = "") => node("button",
    { type: "button", class: `plain ${kind}`, "aria-label": `${word}: ${what}`, onclick: press }, word);
  if (set.deleted) return [button("Restore", () => act.change(set, "restore"))];
  return [button("Correct", () => act.edit(set)), button("Delete", () => act.change(set, "delete"), "remove")];
}

function saidOf(set) {
  const words = [];
  const model = set.model_said;
  if (set.deleted) words.push("deleted");
  const same = set.exercise === model.exercise && (set.repetitions === model.repetitions || set.exercise === "none");
  if (!same) words.push(`recognised: ${many(model.repetitions, model.exercise)}`);
  else if (set.checked) words.push("checked by you");
  if (!set.finished) {
    const idle = (Date.now() - new Date(set.started_at)) / 1000 - (set.end_s - set.start_s);
    words.push(idle < 60 ? "under way" : "cut short");
  }
  if (set.user_said?.note) words.push(`“${set.user_said.note}”`);
  if (!words.length && set.model_said.confidence !== null) words.push(`${percent(set.model_said.confidence)} sure`);
  return words.join(" · ");
}

function form(set, names, act) {
  const model = set.model_said;
  const choices = [...new Set([...names, model.exercise, set.exercise])].filter((name) => name !== "none");
  const count = node("input", {
    type: "number", name: "repetitions", min: 0, max: 9999, step: 1, required: true, inputmode: "numeric",
    value: set.exercise === "none" ? model.repetitions : set.repetitions, "aria-label": "Repetitions",
  });
  const step = (by) => () => { count.value = Math.max(0, Math.min(9999, (Number(count.value) || 0) + by)); };
  const submit = (event) => {
    event.preventDefault();
    act.save(set, event.target);
  };
  return node("form", { class: "edit", onsubmit: submit },
    node("label", {}, "Exercise", node("select", { name: "exercise" },
      ...[...choices, "none"].map((name) =>
        node("option", { value: name, selected: name === set.exercise }, nameOf(name))))),
    node("div", { class: "field" }, "Repetitions", node("div", { class: "stepper" },
      node("button", { type: "button", "aria-label": "One less", onclick: step(-1) }, "−"), count,
      node("button", { type: "button", "aria-label": "One more", onclick: step(1) }, "+"))),
    node("label", { class: "note" }, "Note",
      node("input", { name: "note", maxlength: 500, value: set.user_said?.note ?? "", autocomplete: "off" })),
    node("div", { class: "buttons" }, node("button", { class: "primary" }, "Save"),
      node("button", { type: "button", onclick: () => act.cancel(set) }, "Cancel"),
      node("button", { type: "button", onclick: () => act.change(set, "delete") }, "Delete set")),
    node("p", { class: "hint" }, `Recognised: ${many(model.repetitions, model.exercise)}. That is kept beside what `
      + "you say; saving without a change says it was right."));
}

