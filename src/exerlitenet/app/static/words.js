// How exercises, numbers and dates are said.

export const WORDS = {
  squat: ["Squat", "squats"],
  biceps_curl: ["Biceps curl", "biceps curls"],
  none: ["No exercise", "repetitions"],
};
const spaced = (name) => name.replaceAll("_", " ");
export const nameOf = (name) => WORDS[name]?.[0] ?? spaced(name)[0].toUpperCase() + spaced(name).slice(1);
// n: null where the model does not count.
export function many(n, name) {
  if (n === null) return nameOf(name);
  return `${n} ${n === 1 ? nameOf(name).toLowerCase() : WORDS[name]?.[1] ?? `× ${spaced(name)}`}`;
}
export const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
export const percent = (share) => `${Math.round(100 * share)} %`;
const dateOf = (text) => new Date(+text.slice(0, 4), +text.slice(5, 7) - 1, +text.slice(8, 10));
const shown = (text, options) => new Intl.DateTimeFormat("en-GB", options).format(dateOf(text));
export const short = (text) => shown(text, { day: "numeric", month: "short" });
export const long = (text) => shown(text, { weekday: "short", day: "numeric", month: "short" });
export function full(text) {
  const year = +text.slice(0, 4) === new Date().getFullYear() ? {} : { year: "numeric" };
  return shown(text, { weekday: "long", day: "numeric", month: "long", ...year });
}

// "12 squats, 9 biceps curls" of {exercise: number}.
export function breakdown(values) {
  const words = Object.entries(values).filter(([, n]) => n).map(([name, n]) => many(n, name));
  return words.join(", ") || "no repetitions";
}
