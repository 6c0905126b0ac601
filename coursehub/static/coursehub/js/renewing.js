// The part of a page that only the server can draw, drawn anew by it soon after something asks for that.

const PAUSE = 1000;

/** A function to call, as often as one likes, when what `selector` finds is to be fetched again within about a second. */
export function renewing(selector) {
  let timer = 0;

  async function renew() {
    timer = 0;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [old, fresh] = [document, page].map((one) => one.querySelector(selector));
      if (old?.querySelector("dialog[open]")) renewSoon(); // somebody is being asked
      else if (old && fresh) old.replaceWith(document.importNode(fresh, true));
    } catch {
      renewSoon(); // the server is away for a moment
    }
  }

  function renewSoon() {
    timer ||= setTimeout(renew, PAUSE);
  }

  return renewSoon;
}
