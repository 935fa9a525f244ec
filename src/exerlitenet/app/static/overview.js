// What the history shows at a glance: tiles, charts, personal bests.

import { stackedBars, tempoDots } from "./charts.js";
import { at, node } from "./elements.js";
import { breakdown, long, many, nameOf, percent, plural, short } from "./words.js";

const NARROW = 500;
const FOR_A_DATE = 100;
const FOR_A_SET = 11;

export function drawOverview(data, classOf) {
  drawTiles(data);
  drawCharts(data, classOf);
  drawBests(data, classOf);
}

function drawTiles({ days, totals, streak, by_week: weeks }) {
  const [week, before] = [weeks.at(-1), weeks.at(-2)];
  const difference = before ? week.repetitions - before.repetitions : 0;
  const more = difference > 0 ? `${difference} more than all of last week` : `${before?.repetitions} last week`;
  tile(0, "This week", week.repetitions, "reps", before ? more : "", difference > 0 && before.repetitions > 0);

  const period = days === 365 ? "a year" : `${days} days`;
  tile(1, `In ${period}`, totals.repetitions.toLocaleString("en-GB"), "reps", `in ${plural(totals.sets, "set")}`);

  const minutes = Math.round(totals.seconds / 60);
  tile(2, "Active days", totals.active_days, `of ${days}`, `${minutes} min of exercise`);

  if (streak.weeks > 1 || streak.days < 2) {
    const note = streak.days > 1 ? `and ${streak.days} days` : "with any exercise";
    tile(3, "In a row", streak.weeks, streak.weeks === 1 ? "week" : "weeks", note);
  } else tile(3, "In a row", streak.days, "days", "with any exercise");
}

function tile(place, title, figure, unit, note, up = false) {
  const drawn = node("dl", { class: "tile" },
    node("dt", {}, title),
    node("dd", { class: "figure" }, String(figure), node("span", { class: "unit" }, unit)),
    node("dd", { class: up ? "note up" : "note" }, note));
  const tiles = at("tiles");
  if (tiles.children[place]) tiles.children[place].replaceWith(drawn);
  else tiles.append(drawn);
}

export function drawCharts(data, classOf) {
  const { exercises, by_day: byDay, by_week: byWeek } = data;
  const width = at("chart-days").clientWidth;
  const narrow = width < NARROW;
  at("legend").replaceChildren(...exercises.map((name) => node("li", {},
    node("span", { class: `swatch ${classOf(name)}` }), `${nameOf(name)} ${data.totals.by_exercise[name] ?? 0}`)));

  const best = byDay.reduce((a, b) => (b.repetitions > a.repetitions ? b : a));
  const spacing = Math.ceil(byDay.length / Math.max(2, Math.floor(width / FOR_A_DATE)));
  drawBars("days", byDay, {
    exercises, classOf, height: narrow ? 170 : 210,
    tick: (day, ago) => (ago === 0 ? "today" : ago % spacing === 0 ? short(day.date) : ""),
    label: `Repetitions on each of the last ${data.days} days. Arrow keys read single days.`,
    title: (day) => long(day.date),
    idle: `Best day: ${long(best.date)} with ${plural(best.repetitions, "repetition")}.`,
  });
  const mean = byWeek.reduce((sum, week) => sum + week.repetitions, 0) / byWeek.length;
  drawBars("weeks", byWeek, {
    exercises, classOf, height: narrow ? 160 : 190,
    tick: (week, ago) => (ago === 0 ? "this week" : short(week.week)),
    label: `Repetitions in each of ${byWeek.length} weeks. Arrow keys read single weeks.`,
    title: (week) => `Week from ${long(week.week)}`,
    idle: `${Math.round(mean)} repetitions a week on average.`,
  });
  drawTable(at("table-days"), "Day", exercises, byDay, (day) => long(day.date));
  drawTable(at("table-weeks"), "Week from", exercises, byWeek, (week) => long(week.week));
  drawTempo(data.sets, classOf, narrow ? 160 : 190);
}

// name: of the places chart-..., readout-...; tick(period, how many before the last); idle: said when none is chosen.
function drawBars(name, periods, { exercises, classOf, height, tick, label, title, idle }) {
  const readout = at(`readout-${name}`);
  stackedBars(at(`chart-${name}`), {
    periods: periods.map((period, k) => {
      const ago = periods.length - 1 - k;
      return { tick: tick(period, ago), strong: ago === 0, values: period.by_exercise };
    }),
    exercises, classOf, height, label,
    onRead: (k) => {
      if (k === null) readout.replaceChildren(idle);
      else readout.replaceChildren(node("b", {}, title(periods[k])), `: ${breakdown(periods[k].by_exercise)}`);
    },
  });
}

// For whoever would rather read numbers; the latest first, without periods of nothing.
function drawTable(place, head, exercises, periods, title) {
  const cell = (text, kind = "td", scope = null) => node(kind, { scope }, String(text));
  const heads = [head, ...exercises.map(nameOf), "Sets"].map((text) => cell(text, "th", "col"));
  const rows = periods.filter((period) => period.sets).reverse().map((period) => node("tr", {},
    cell(title(period), "th", "row"), ...exercises.map((name) => cell(period.by_exercise[name] ?? 0)),
    cell(period.sets)));
  place.replaceChildren(node("table", {}, node("thead", {}, node("tr", {}, ...heads)), node("tbody", {}, ...rows)));
}

function drawTempo(all, classOf, height) {
  const place = at("chart-tempo");
  const readout = at("readout-tempo");
  const room = Math.max(8, Math.floor((place.clientWidth - 40) / FOR_A_SET));
  const sets = all.filter((set) => set.tempo).slice(-room);
  if (!sets.length) {
    place.replaceChildren(node("p", { class: "hint" }, "Sets of two or more repetitions show their tempo here."));
    readout.textContent = "";
    return;
  }
  const day = (set) => set.started_at.slice(0, 10);
  const firstOfDay = (set, k) => k === 0 || day(set) !== day(sets[k - 1]);
  const shown = plural(sets.length, "set");
  tempoDots(place, {
    sets: sets.map((set, k) => ({ ...set, tick: firstOfDay(set, k) ? short(set.started_at) : "" })),
    classOf, height,
    label: `Seconds per repetition in the last ${shown}. Arrow keys read single sets.`,
    onRead: (k) => {
      if (k === null) {
        readout.textContent = `Dot: seconds per repetition; bar: how much they differ. The last ${shown}.`;
        return;
      }
      const { tempo, started_at: started, repetitions, exercise } = sets[k];
      const spread = tempo.consistency === null
        ? "" : `, ± ${tempo.spread_s.toFixed(1)} s, ${percent(tempo.consistency)} even`;
      readout.replaceChildren(node("b", {}, `${long(started)}, ${started.slice(11, 16)}`),
        `: ${many(repetitions, exercise)}, ${tempo.seconds.toFixed(1)} s each${spread}`);
    },
  });
}

function drawBests({ bests }, classOf) {
  const entry = (title, best, format = String) => node("div", {}, node("dt", {}, title),
    node("dd", {}, best?.value ? format(best.value) : "–", node("small", {}, best?.value ? short(best.date) : "")));
  const card = ([name, best]) => node("div", { class: `card best ${classOf(name)}` },
    node("h3", {}, node("span", { class: "swatch" }), nameOf(name)),
    node("dl", {},
      entry("In a set", best.most_in_a_set),
      entry("In a day", best.most_in_a_day),
      entry("In a week", best.most_in_a_week),
      entry("Most even set", best.steadiest_set, percent)));
  at("bests").replaceChildren(...Object.entries(bests).map(card));
}
