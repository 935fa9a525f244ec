// What is read from three metres away: status, exercise, count, how sure, and the rest between sets.

import { nameOf, many, percent } from "./words.js";

const at = (id) => document.getElementById(id);
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export class Board {
  #exercise = "";
  #count = -1;
  #goal = 0;

  // idle, starting, ready, exercising, resting, over
  set state(name) {
    document.body.dataset.state = name;
  }

  get state() {
    return document.body.dataset.state;
  }

  status(words) {
    const place = at("status");
    if (place.textContent !== words) place.textContent = words; // else it would be read out again
  }

  // A hint or a fault that needs doing something about; "" for none. kind: "warn" or "fault".
  notice(words, kind = "warn") {
    const place = at("notice");
    if (place.textContent === words) return;
    place.textContent = words;
    place.hidden = !words;
    place.classList.toggle("fault", kind === "fault");
  }

  show(exercise, count, goal) {
    if (exercise !== this.#exercise) {
      this.#exercise = exercise;
      const place = at("exercise");
      place.textContent = exercise === "none" ? "Ready" : nameOf(exercise);
      place.dataset.exercise = exercise;
      document.body.dataset.exercise = exercise;
    }
    if (count !== this.#count) {
      const rose = count > this.#count && count > 0;
      this.#count = count;
      at("repetitions").textContent = count ?? "–";
      document.body.toggleAttribute("data-many", count > 99);
      if (rose) this.#bump();
    }
    if (goal !== this.#goal) {
      this.#goal = goal;
      at("goal-shown").textContent = `of ${goal}`;
      at("goal-shown").hidden = !goal;
    }
    document.body.toggleAttribute("data-reached", goal > 0 && count >= goal);
  }

  sure(share) {
    at("confidence").textContent = percent(share);
    at("sure-fill").style.transform = `scaleX(${share.toFixed(3)})`;
  }

  // seconds since the last set, null for no rest; goal: after how many it is enough, 0 for none.
  rest(seconds, goal = 0) {
    at("rest").hidden = seconds === null;
    if (seconds === null) return;
    const words = goal ? `${clock(seconds)} of ${clock(goal)}` : clock(seconds);
    if (at("rest-time").textContent !== words) at("rest-time").textContent = words;
    at("rest").toggleAttribute("data-enough", goal > 0 && seconds >= goal);
  }

  facts(pairs) {
    at("facts").replaceChildren(...Object.entries(pairs).flatMap(([name, value]) => {
      const [term, data] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, data.textContent] = [name, value];
      return [term, data];
    }));
  }

  // A set that is over, on top of the list.
  add(set) {
    const item = document.createElement("li");
    item.dataset.exercise = set.exercise;
    item.dataset.repetitions = set.repetitions ?? "";
    const [what, when] = [document.createElement("b"), document.createElement("span")];
    what.textContent = many(set.repetitions, set.exercise);
    const mean = set.tempo_s.reduce((sum, seconds) => sum + seconds, 0) / set.tempo_s.length;
    const tempo = set.tempo_s.length ? `, ${mean.toFixed(1)} s each` : "";
    when.textContent = `${Math.round(set.end_s - set.start_s)} s${tempo}, ${percent(set.confidence)} sure`;
    item.append(what, " ", when);
    at("sets").prepend(item);
    at("no-sets").hidden = true;
  }

  #bump() {
    const place = at("repetitions");
    place.getAnimations?.().forEach((animation) => animation.cancel());
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    place.animate?.([{ transform: "scale(1.08)" }, { transform: "scale(1)" }], { duration: 220, easing: "ease-out" });
  }
}
