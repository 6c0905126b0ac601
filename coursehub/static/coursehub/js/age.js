// Keeps every <time data-age> ("12 s ago") and <time data-until> ("in about 4 min") of the page fresh.
// The words are those of the `duration` filter in coursehub/templatetags/coursehub.py.

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const skewMilliseconds = clockSkew();

/** The server's idea of now, in milliseconds: the browser's clock may be wrong by hours. */
export function now() {
  return Date.now() + skewMilliseconds;
}

/** A length of time in one or two words. */
export function words(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 2 * MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < 2 * DAY) {
    const hours = Math.floor(whole / HOUR), minutes = Math.floor((whole % HOUR) / MINUTE);
    return minutes && hours < 10 ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  return `${Math.floor(whole / DAY)} days`;
}

/** A <time> for `iso`; `kind` is "age" or "until". */
export function timeElement(iso, kind = "age") {
  const element = document.createElement("time");
  element.setAttribute(`data-${kind}`, "");
  setTime(element, iso);
  return element;
}

/** Lets an existing <time> stand for another moment. */
export function setTime(element, iso) {
  element.dateTime = iso;
  element.title = new Date(iso).toLocaleString();
  refresh(element);
}

function refresh(element) {
  const seconds = (now() - Date.parse(element.dateTime)) / 1000;
  const left = seconds < 0 ? `in about ${words(-seconds)}` : "any moment now";
  const gone = seconds < 1 ? "now" : `${words(seconds)} ago`;
  const text = "until" in element.dataset ? left : gone;
  if (element.textContent !== text) element.textContent = text;
}

function refreshAll() {
  if (!document.hidden) document.querySelectorAll("time[data-age], time[data-until]").forEach(refresh);
}

function clockSkew() {
  const page = document.querySelector('meta[name="coursehub-now"]');
  const [navigation] = performance.getEntriesByType("navigation");
  // A page that "back" took from the cache says an old time: then what an earlier page measured is better.
  const measured = navigation?.type === "back_forward" ? sessionStorage.getItem("clock-skew") : null;
  const skew = measured !== null ? Number(measured) : page ? Date.parse(page.content) - Date.now() : 0;
  sessionStorage.setItem("clock-skew", String(skew));
  return skew;
}

setInterval(refreshAll, 1000);
document.addEventListener("visibilitychange", refreshAll);
