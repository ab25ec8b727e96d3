// The bell: its number is looked at each minute while somebody can see the page, and when they come back to it; the newest notices come when it
// opens. Without this file the number is that of the page, and the bell opens on a link to all of them.

const EVERY = 60_000;
let looked = Date.now();

const look = () => {
  const count = document.getElementById("bell-count");
  if (!count || document.visibilityState !== "visible" || Date.now() - looked < EVERY - 1000) return;
  looked = Date.now();
  window.htmx?.trigger(count, "look");
};

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);

document.getElementById("bell")?.addEventListener("toggle", (event) => {
  if (event.target.open) window.htmx?.trigger(document.getElementById("bell-panel"), "look");
});
