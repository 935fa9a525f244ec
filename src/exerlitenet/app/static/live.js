// The page one exercises in front of: a source of pictures, the server's answers, and what is shown and heard of them.

import { Board } from "./board.js";
import { Timeline, drawTempo } from "./drawing.js";
import { Link } from "./link.js";
import { keep, settings } from "./settings.js";
import { allowSound, hasVoice, onVoices, say, tones } from "./sounds.js";
import { Pictures, SourceFault, cameras, openCamera, recognizeFile, sampleAddress } from "./source.js";
import { many, nameOf } from "./words.js";

const DARK = 0.08;
// Seconds that something must last before it is said.
const DARK_S = 2;
const NOBODY_S = 3;
const NOTHING_S = 15;

const at = (id) => document.getElementById(id);
const video = at("video");
const board = new Board();
const link = new Link();
const timeline = new Timeline(at("timeline"));

let source = null; // "camera", "file", "sample", or null while nothing runs
let stream = null; // of the camera
let file = null;
let zero = 0; // performance.now() at the camera's start
let begunAt = 0;
let firstAnswer = null;
let state = null; // the server's last
let lastSet = null;
let restFrom = null;
let rested = false;
let since = {}; // when a condition began, by name
let counted = { key: null, count: 0 };
let lock = null;

const pictures = new Pictures(video, {
  wants: () => (source && link.hello ? { rate: link.hello.send_rate, shortSide: link.hello.short_side } : null),
  free: () => link.free,
  clock: (now, metadata) => (source === "camera"
    ? (Math.max(zero, metadata.captureTime ?? now) - zero) / 1000 : metadata.mediaTime ?? video.currentTime),
  take: (time, jpeg) => link.send(time, jpeg),
});

// Starting and stopping

// open: makes the video play; where there is nothing to stream after all, says what to show instead: [status, notice].
async function start(kind, open) {
  await stop();
  board.notice("");
  board.state = "starting";
  document.body.dataset.source = kind;
  board.status(kind === "sample" ? "Preparing the sample clip; the first time takes a while…" : "Starting…");
  let instead = null;
  try {
    instead = await open();
  } catch (error) {
    stopped();
    if (!(error instanceof SourceFault)) throw error;
    board.status("Not started");
    board.notice(error.message, "fault");
    return;
  }
  if (instead) {
    stopped();
    board.status(instead[0]);
    board.notice(instead[1]);
    return;
  }
  [source, state, lastSet, restFrom, rested, since, firstAnswer] = [kind, null, null, null, false, {}, null];
  counted = { key: null, count: 0 };
  begunAt = performance.now();
  timeline.clear();
  board.show("none", 0, settings.goal);
  board.sure(0);
  board.rest(null);
  board.status("Connecting…");
  at("stop").hidden = false;
  link.open(kind, kind === "camera" || (kind === "file" && settings.logFiles));
  pictures.start();
  lock = await navigator.wakeLock?.request("screen").catch(() => null);
  at("stop").focus({ preventScroll: true });
}

const startCamera = () => start("camera", async () => {
  stream = await openCamera(settings.camera);
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => halt("The camera was unplugged or taken away. Start again when it is back."));
  zero = performance.now();
  video.controls = false;
  video.srcObject = stream;
  await video.play();
  await listCameras(track.getSettings().deviceId);
});

const startFile = () => start("file", async () => {
  video.srcObject = null;
  video.src = URL.createObjectURL(file);
  video.controls = true;
  return video.play().then(() => null, sendWhole); // the server reads formats that this browser does not know
});

const startSample = () => start("sample", async () => {
  const address = await sampleAddress();
  video.srcObject = null;
  video.src = address;
  video.controls = true;
  try {
    await video.play();
  } catch {
    throw new SourceFault("This browser cannot play the sample clip (H.264 video).");
  }
});

async function sendWhole() {
  board.status("This browser cannot play the file; ExerLiteNet reads it whole…");
  const workout = await recognizeFile(file, (share) => board.status(`Reading ${file.name}: ${Math.round(100 * share)} %`));
  for (const segment of workout.segments) {
    const times = segment.repetition_times_s;
    board.add({ ...segment, tempo_s: times.slice(1).map((time, k) => time - times[k]) });
  }
  const found = workout.segments.map((segment) => many(segment.repetitions, segment.exercise)).join(", ");
  return [`${file.name}: read`, found || "No exercise was found in this file."];
}

async function stop() {
  if (!source) return;
  pictures.stop();
  video.pause();
  board.status("Stopping…");
  const kind = source;
  source = null;
  await link.stop();
  stopped();
  board.state = "over";
  board.status(kind === "camera" ? "Camera off" : "Stopped");
}

// Ends with words, for what happened by itself.
async function halt(words) {
  await stop();
  board.notice(words, "fault");
}

function stopped() {
  source = null;
  pictures.stop();
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  if (video.src) {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
  }
  video.load();
  lock?.release().catch(() => {});
  lock = null;
  board.state = "idle";
  board.notice("");
  at("stop").hidden = true;
}

async function listCameras(current) {
  const found = await cameras();
  at("camera").replaceChildren(...found.map((device, k) => new Option(device.label || `Camera ${k + 1}`, device.deviceId)));
  at("camera").value = current;
  at("camera-field").hidden = found.length < 2;
}

// Answers of the server

link.addEventListener("ready", () => {
  board.notice("");
  board.status(state ? "Connected again; continue" : "Getting ready: stand where your whole body is in the picture");
});
link.addEventListener("session", ({ detail }) => {
  if (detail.trouble) board.notice(`Sets are not kept: ${detail.trouble}`, "fault");
});
link.addEventListener("lost", ({ detail }) => {
  board.status("Connection lost; trying again…");
  if (detail.tries === 3) checkToken();
  const why = detail.reason ? ` It said: ${detail.reason}.` : "";
  board.notice(`ExerLiteNet does not answer.${why} What was counted is kept; continue, or see whether it still runs.`, "fault");
});

// A server that was started anew may have made up another token.
async function checkToken() {
  const answer = await fetch("/", { method: "HEAD" }).catch(() => null);
  if (answer?.status !== 401) return;
  await halt("ExerLiteNet was started anew with another token. Open the address that it printed.");
}

link.addEventListener("set", ({ detail }) => {
  if (detail.repetitions === 0) return;
  board.add(detail);
  lastSet = detail;
  [restFrom, rested] = [performance.now(), false];
  counted = { key: null, count: 0 };
  board.show(detail.exercise, detail.repetitions, settings.goal);
  timeline.draw(detail.end_s, detail);
  drawTempo(at("tempo"), detail);
});
link.addEventListener("state", ({ detail }) => {
  if (!source) return;
  state = detail;
  timeline.add(state);
  if (state.status !== "warming") firstAnswer ??= performance.now() - begunAt;
  const unseen = hints();
  // In the dark the model may see anything; a set is believed once it has a repetition.
  if (state.set && !(unseen && state.set.repetitions === 0)) exercising(state.set);
  else between(unseen);
  const shown = state.set ?? lastSet;
  timeline.draw(state.time_s, state.set);
  drawTempo(at("tempo"), shown);
  board.sure(state.set ? state.confidence : 0);
});

function exercising(set) {
  const goal = settings.goal;
  board.state = "exercising";
  board.rest(null);
  restFrom = null;
  const doing = set.repetitions === null ? "Exercising. This model does not count." : "Exercising";
  board.status(goal && set.repetitions >= goal ? "Goal reached" : doing);
  board.show(set.exercise, set.repetitions, goal);
  const key = `${set.exercise} ${set.start_s}`;
  if (counted.key !== key) {
    if (settings.voice) say(nameOf(set.exercise));
    counted = { key, count: 0 };
  }
  if (set.repetitions > counted.count) {
    const reached = goal > 0 && counted.count < goal && set.repetitions >= goal;
    counted.count = set.repetitions;
    if (settings.sound) (reached ? tones.goal : tones.repetition)();
    if (settings.voice) say(reached ? `${set.repetitions}. Goal reached.` : String(set.repetitions));
  }
}

function between(unseen) {
  if (unseen) {
    board.state = lastSet ? "resting" : "ready";
    board.status("You cannot be seen");
    if (!lastSet) board.show("none", 0, settings.goal);
  } else if (state.status === "warming") {
    board.status("Getting ready: stand where your whole body is in the picture");
  } else if (lastSet) {
    board.state = "resting";
    board.status(`${many(lastSet.repetitions, lastSet.exercise)} done. Begin when you like.`);
  } else {
    board.state = "ready";
    board.status("Ready. Just begin.");
    board.show("none", 0, settings.goal);
  }
}

// Words for what spoils recognition, once it has lasted a while. Returns whether nobody can be seen.
function hints() {
  const now = performance.now() / 1000;
  const lasts = (name, holds, seconds) => {
    since[name] = holds ? since[name] ?? now : null;
    return holds && now - since[name] >= seconds;
  };
  const dark = lasts("dark", state.brightness < DARK, DARK_S);
  const nobody = lasts("nobody", state.person === false, NOBODY_S);
  // A model that does not count (null) gives no more proof than its set.
  const unproven = !state.set || state.set.repetitions === 0;
  const nothing = lasts("nothing", !state.set && !lastSet && state.status === "watching", NOTHING_S);
  if (dark) board.notice("It is too dark to see you. Switch on a light, or uncover the camera.");
  else if (nobody && unproven) board.notice("Nobody is in the picture. Step in front of the camera, or turn it.");
  else if (nothing) board.notice("No exercise seen yet. Is your whole body in the picture, alone, from the side or front?");
  else board.notice("");
  return dark || (nobody && unproven);
}

setInterval(() => {
  if (!source) return;
  if (restFrom !== null && board.state === "resting") {
    const seconds = (performance.now() - restFrom) / 1000;
    board.rest(seconds, settings.rest);
    if (settings.rest && seconds >= settings.rest && !rested) {
      rested = true;
      if (settings.sound) tones.rested();
      if (settings.voice) say("Rest is over.");
    }
  }
  if (state) {
    board.facts({
      Model: link.hello?.model ?? "",
      "First answer after": firstAnswer === null ? "not yet" : `${(firstAnswer / 1000).toFixed(1)} s`,
      "Picture to answer": `${Math.round(state.round_trip_ms)} ms, ${Math.round(state.latency_ms)} ms of them in the server`,
      "Pictures processed": `${state.received - state.dropped} of ${state.received + link.skipped}`,
      "Passed over": `${state.dropped} by the server, ${link.skipped} by the page (newer ones came)`,
      Light: `${Math.round(100 * state.brightness)} %`,
    });
  }
}, 250);

// Controls

at("start-camera").addEventListener("click", () => { allowSound(); startCamera(); });
at("start-sample").addEventListener("click", () => { allowSound(); startSample(); });
at("start-file").addEventListener("click", () => { allowSound(); at("file").click(); });
at("file").addEventListener("change", () => {
  [file] = at("file").files;
  at("file").value = "";
  if (file) startFile();
});
at("stop").addEventListener("click", async () => {
  await stop();
  at("start-camera").focus();
});
at("camera").addEventListener("change", () => {
  keep("camera", at("camera").value);
  startCamera();
});
video.addEventListener("ended", async () => {
  await stop();
  board.status("The clip is over");
});
video.addEventListener("seeking", () => {
  if (source === "file" || source === "sample") {
    pictures.rewind();
    link.restart();
    timeline.clear();
  }
});
document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState === "visible" && source && !lock?.released) {
    lock = await navigator.wakeLock?.request("screen").catch(() => null);
  }
});

function bind(id, name, changed = () => {}) {
  const control = at(id);
  const check = control.type === "checkbox";
  control[check ? "checked" : "value"] = settings[name];
  changed();
  control.addEventListener("change", () => {
    const number = Math.min(Number(control.max), Math.max(0, Math.round(Number(control.value) || 0)));
    if (!check) control.value = number;
    keep(name, check ? control.checked : number);
    changed();
  });
}

bind("mirror", "mirror", () => document.body.toggleAttribute("data-mirror", settings.mirror));
bind("sound", "sound");
bind("voice", "voice");
bind("goal", "goal");
bind("rest-goal", "rest");
bind("log-files", "logFiles");

function offerVoice() {
  at("voice").disabled = !hasVoice();
  at("voice-field").title = hasVoice() ? "" : "This device has no English voice of its own";
}
offerVoice();
onVoices(offerVoice);
drawTempo(at("tempo"), null);
if (!window.isSecureContext) board.notice("The camera of this device stays off: browsers give it only to HTTPS pages. "
  + "Start exerlitenet live with --cert and --key, or open a video file here.");
