// The connection to the server: frames out, answers in; found again after it was lost. See docs/live.md.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const ALIVE_MS = 20000;
const STOP_MS = 4000;
// Beyond these, frames are not sent: they would only wait in the browser.
const MOST_UNANSWERED = 3;
const MOST_BUFFERED = 256 * 1024;

export class Link extends EventTarget {
  #socket = null;
  #wanted = null;
  #tries = 0;
  #timer = 0;
  #alive = 0;
  #ready = false;
  #sequence = 0;
  #answered = 0;
  #sentAt = new Map();
  hello = null;
  session = null;
  skipped = 0;

  // source: "camera", "file" or "sample"; log: whether sets are kept.
  open(source, log) {
    this.close();
    this.session = null;
    this.skipped = 0;
    this.#wanted = { source, log };
    this.#connect();
  }

  // A frame that cannot be sent at once is not sent at all. jpeg: Uint8Array, null where it was not even taken.
  get free() {
    return this.#ready && this.#socket.bufferedAmount < MOST_BUFFERED
      && this.#sequence - this.#answered < MOST_UNANSWERED;
  }

  send(time, jpeg) {
    if (!jpeg || !this.free) {
      this.skipped += 1;
      return;
    }
    this.#sequence += 1;
    const message = new Uint8Array(12 + jpeg.byteLength);
    const header = new DataView(message.buffer);
    header.setFloat64(0, time, true);
    header.setUint32(8, this.#sequence, true);
    message.set(jpeg, 12);
    this.#sentAt.set(this.#sequence, performance.now());
    this.#socket.send(message);
  }

  // The clock of the source went back: a stream of its own begins.
  restart() {
    if (this.#ready) this.#begin(null);
  }

  // Ends the stream; resolves when the server has sent its last set.
  async stop() {
    const ended = new Promise((resolve) => {
      this.addEventListener("stopped", resolve, { once: true });
      setTimeout(resolve, STOP_MS);
    });
    if (this.#ready) {
      this.#socket.send(JSON.stringify({ type: "stop" }));
      this.#ready = false;
      await ended;
    }
    this.close();
  }

  close() {
    this.#wanted = null;
    this.#ready = false;
    clearTimeout(this.#timer);
    clearInterval(this.#alive);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #connect() {
    const address = new URL("/ws", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#ready = false;
    let reason = "";
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      const message = JSON.parse(data);
      if (message.type === "error") reason = message.reason;
      this.#take(message);
    });
    socket.addEventListener("close", (event) => {
      if (socket !== this.#socket || !this.#wanted) return;
      this.#ready = false;
      clearInterval(this.#alive);
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries) * (0.8 + 0.4 * Math.random());
      this.#tries += 1;
      this.#tell("lost", { reason: event.reason || reason, wait, tries: this.#tries });
      this.#timer = setTimeout(() => this.#connect(), wait);
    });
  }

  #take(message) {
    if (message.type === "hello") {
      this.hello = message;
      this.#begin(this.session);
      this.#alive = setInterval(() => this.#socket.send('{"type":"alive"}'), ALIVE_MS);
    } else if (message.type === "session") {
      this.session = message.session ?? this.session;
      if (!this.#ready && this.#wanted) {
        this.#ready = true;
        this.#tries = 0;
        this.#answered = this.#sequence;
        this.#sentAt.clear();
        this.#tell("ready", message);
      }
    } else if (message.type === "state") {
      this.#answered = message.seq;
      message.round_trip_ms = performance.now() - (this.#sentAt.get(message.seq) ?? performance.now());
      for (const sequence of this.#sentAt.keys()) if (sequence <= message.seq) this.#sentAt.delete(sequence);
    }
    this.#tell(message.type, message);
  }

  #begin(session) {
    this.session = session;
    const { source, log } = this.#wanted;
    this.#socket.send(JSON.stringify({ type: "start", source, log, session }));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
