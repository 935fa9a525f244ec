// Where pictures come from: a camera, a file of the visitor's, or the sample clip; and how they become JPEGs.

// What to say when a camera does not open, by the name of the browser's error.
const CAMERA_FAULTS = {
  NotAllowedError: "The camera is blocked. Allow it for this page (the camera sign beside the address), then start again.",
  SecurityError: "The browser does not allow this page a camera. Allow it in the browser's settings, then start again.",
  NotFoundError: "No camera was found. Plug one in and start again, or open a video file.",
  NotReadableError: "Another program is using the camera. Close it there, then start again.",
  AbortError: "The camera stopped while it was starting. Unplug it, plug it in, and start again.",
};
const INSECURE = "Browsers give the camera only to pages of this computer or over HTTPS. Start exerlitenet live with "
  + "--cert and --key, or open a video file here.";

export class SourceFault extends Error {}

// The stream of a camera. camera: its id, or "" for any.
export async function openCamera(camera) {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) throw new SourceFault(INSECURE);
  const size = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
  try {
    const wanted = camera ? { deviceId: { exact: camera } } : { facingMode: "user" };
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...size, ...wanted } });
  } catch (error) {
    if (error.name === "OverconstrainedError" && camera) return openCamera(""); // the one of last time is gone
    throw new SourceFault(CAMERA_FAULTS[error.name] ?? `The camera did not open: ${error.message || error.name}.`);
  }
}

export async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput");
}

// Waits until the sample can be played; it is rendered at the first request.
export async function sampleAddress() {
  const answer = await fetch("/sample.mp4", { method: "HEAD" }).catch(() => null);
  if (!answer?.ok) throw new SourceFault("The sample clip cannot be had. Is exerlitenet live still running?");
  return "/sample.mp4";
}

// Takes pictures of a playing video, at most `rate` a second, and gives them as JPEG with their time.
export class Pictures {
  #video;
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  #wish = 0;
  #last = -Infinity;

  // wants: () => {rate, shortSide} or null for none; free: () => whether one can be taken now; clock: (now, metadata)
  // => seconds; take: (seconds, Uint8Array), or null in place of the picture where one was due and could not be taken.
  constructor(video, { wants, free, clock, take }) {
    this.#video = video;
    Object.assign(this, { wants, free, clock, take });
  }

  start() {
    this.stop();
    this.#last = -Infinity;
    const round = ++this.#wish;
    const onFrame = (now, metadata) => {
      if (round !== this.#wish) return;
      this.#grab(now, metadata);
      this.#next(onFrame);
    };
    this.#next(onFrame);
  }

  stop() {
    this.#wish += 1;
  }

  #next(onFrame) {
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(onFrame);
    else setTimeout(() => requestAnimationFrame((now) => onFrame(now, {})), 20);
  }

  #grab(now, metadata) {
    const wish = this.wants();
    const time = this.clock(now, metadata);
    // Half a camera period of tolerance, or every second frame of a camera of 30 would come too early.
    if (!wish || time < this.#last + 1 / wish.rate - 0.015 || !this.#video.videoWidth) return;
    this.#last = time;
    if (!this.free()) {
      this.take(time, null);
      return;
    }
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, wish.shortSide / Math.min(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(this.#video, 0, 0, width, height);
    // Not toBlob: Chromium encodes for it when it has nothing else to do, and may let seconds pass.
    const text = atob(this.#canvas.toDataURL("image/jpeg", 0.9).slice("data:image/jpeg;base64,".length));
    this.take(time, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  }

  // The source's clock went back.
  rewind() {
    this.#last = -Infinity;
  }
}

// Sends a whole file to be recognised, for what the browser cannot play. onProgress: (share) 0 to 1.
export async function recognizeFile(file, onProgress) {
  const answer = await fetch(`/api/recognize?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  if (!answer.ok) throw new SourceFault((await answer.json().catch(() => ({}))).error ?? "The file was refused.");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new SourceFault("The server stopped before the file was done.");
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines.map((text) => JSON.parse(text))) {
      if (line.type === "progress" && line.total_s) onProgress(Math.min(1, line.done_s / line.total_s));
      if (line.type === "error") throw new SourceFault(line.reason);
      if (line.type === "result") return line.workout;
    }
  }
}
