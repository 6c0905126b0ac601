// One live socket: it comes back by itself, acknowledges what was shown, and says how it is doing.

const SIGNED_OUT = 4401, NOT_PERMITTED = 4403;
const FIRST_DELAY = 500, LONGEST_DELAY = 30_000, RELOAD_PAUSE = 15_000;

/**
 * Opens `path` and calls `show(frame)` for every frame; a frame that `show` has dealt with is acknowledged.
 * The state of the connection is written to every [data-live] of the page.
 */
export function connect(path, show) {
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
  let socket = null, failures = 0, timer = 0;

  function open() {
    clearTimeout(timer);
    socket = new WebSocket(address);
    socket.onmessage = receive;
    socket.onclose = closed;
  }

  function receive(event) {
    const frame = JSON.parse(event.data);
    failures = 0;
    say("live");
    show(frame);
    event.target.send(JSON.stringify({ type: "ack", revision: frame.revision }));
  }

  function closed(event) {
    if (event.target !== socket) return;
    if (event.code === NOT_PERMITTED) return say("refused");
    if (event.code === SIGNED_OUT && mayReload()) return location.reload();
    say("waiting");
    // Spread at random: after a restart of the server, all viewers come back, but not in the same moment.
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures++) * (0.5 + Math.random());
    timer = setTimeout(open, delay);
  }

  function again() {
    if (socket.readyState === WebSocket.OPEN || socket.readyState === WebSocket.CONNECTING) return;
    if (current !== "refused") open();
  }

  addEventListener("online", again);
  addEventListener("pageshow", (event) => event.persisted && again());
  open();
}

const TEXTS = {
  live: "Live",
  waiting: "Reconnecting…",
  refused: "You may no longer watch this: ask an administrator for access.",
};
let current = "";

/** Shows the state of the connection; call without an argument after the page's own markup was replaced. */
export function say(state = current) {
  current = state;
  for (const element of document.querySelectorAll("[data-live]")) {
    if (!state || element.dataset.live === state) continue;
    element.dataset.live = state;
    element.querySelector("[data-live-text]").textContent = TEXTS[state];
  }
}

/** Signed out: a reload leads to the login page. Not twice in a row, in case it does not. */
function mayReload() {
  const last = Number(sessionStorage.getItem("live-reload") || 0);
  if (Date.now() - last < RELOAD_PAUSE) return false;
  sessionStorage.setItem("live-reload", String(Date.now()));
  return true;
}
