// What the visitor chose, kept by the browser for the next visit.

const KEY = "exerlitenet.live";
const DEFAULTS = { mirror: true, sound: true, voice: false, goal: 0, rest: 60, logFiles: false, camera: "" };

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // storage that is forbidden or damaged
  }
}

export const settings = { ...DEFAULTS, ...stored() };

export function keep(name, value) {
  settings[name] = value;
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // forbidden: it holds for this visit
  }
}
