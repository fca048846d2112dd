// The line to the server: one WebSocket, opened again with a growing pause when it drops.

const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5000;
const ANSWER_WITHIN = 8000;

/** Connects as one person and stays connected until `close()`. */
export class Line {
  #user;
  #on;
  #socket = null;
  #pause = FIRST_PAUSE;
  #timer = null;
  #closed = false;
  #next = 1;
  #waiting = new Map();

  /** `on` is {frame(frame), up(), down(milliseconds until the next try)}. */
  constructor(user, on) {
    this.#user = user;
    this.#on = on;
    this.connect();
  }

  /** Try now. */
  connect() {
    clearTimeout(this.#timer);
    if (this.#closed || this.#socket) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ui?user=${encodeURIComponent(this.#user)}`);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => this.#dropped(socket);
  }

  /** Stop for good. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#forget("closed");
  }

  /** Send a frame; resolves to {ok, error} when the server says it is done, never rejects. */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.resolve({ ok: false, error: "not_connected" });
    const id = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer({ id, ok: false, error: "no_answer" }), ANSWER_WITHIN);
      this.#waiting.set(id, { resolve, timer });
      this.#socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  #receive(frame) {
    if (this.#closed) return;
    if (frame.type === "done") return this.#answer(frame);
    if (frame.type === "hello") {
      this.#pause = FIRST_PAUSE;
      this.#on.up();
    }
    this.#on.frame(frame);
  }

  #answer(frame) {
    const waiting = this.#waiting.get(frame.id);
    if (!waiting) return;
    this.#waiting.delete(frame.id);
    clearTimeout(waiting.timer);
    waiting.resolve({ ok: Boolean(frame.ok), error: frame.error });
  }

  #dropped(socket) {
    if (this.#closed || socket !== this.#socket) return;
    this.#socket = null;
    this.#forget("connection_lost");
    this.#on.down(this.#pause);
    this.#timer = setTimeout(() => this.connect(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #forget(error) {
    for (const id of [...this.#waiting.keys()]) this.#answer({ id, ok: false, error });
  }
}
