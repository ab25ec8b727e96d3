// Today by keyboard, taken back within ten seconds, and looking again by itself. The page works without this file.
// d, z, l and ? are answered by kring.js for the row that has the focus; j, k, n, u and Enter here.

const rows = () => [...document.querySelectorAll("#today [data-row]")];
const current = () => rows().findIndex((row) => row.contains(document.activeElement));
const go = (index) => {
  const list = rows();
  const row = list[Math.max(0, Math.min(index, list.length - 1))];
  if (!row) return;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
};

const keys = {
  j: () => go(current() + 1),
  k: () => go(Math.max(0, current() - 1)),
  n: () => {
    const why = rows()[current()]?.querySelector("[data-not-needed]");
    if (!why) return;
    why.closest("details").open = true;
    why.focus();
  },
  u: () => [...document.querySelectorAll("#messages [data-undo]")].pop()?.click(),
};
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!(event.target instanceof Element) || event.target.matches("input, textarea, select")) return;
  if (document.querySelector("dialog[open]")) return;
  // Enter on a line itself; on one of its buttons it presses that.
  const doIt = event.key === "Enter" && event.target.matches("#today [data-row]") && event.target.querySelector("[data-do]");
  const act = doIt ? () => doIt.click() : Object.hasOwn(keys, event.key) && keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// A menu that opens by z gives its first choice the focus, and lets the arrows walk.
document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.open || !menu.closest("#today [data-row]")) return;
    if (!menu.querySelector(".menu-sheet")?.contains(document.activeElement)) menu.querySelector(".menu-sheet button")?.focus();
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const menu = event.target instanceof Element ? event.target.closest("#today details[open] .menu-sheet") : null;
  if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  if (event.target.matches("input[type=date]")) return;
  event.preventDefault();
  const choices = [...menu.querySelectorAll("button, a, input:not([type=hidden])")];
  const next = choices.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  choices[(next + choices.length) % choices.length].focus();
});

// After an act its line is gone, and the focus goes to the one that took its place.
let place = -1;
let acting = false;
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (elt.id === "today-watch") {
    // Nobody looks, or somebody is at it: a menu or a dialog is open, or an act is on its way.
    if (document.hidden || acting || document.querySelector("#today details[open], dialog[open]")) event.preventDefault();
  } else if (target?.id === "today") {
    acting = true;
    place = current();
    for (const menu of document.querySelectorAll("#today details[open]")) menu.open = false;
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.id !== "today-watch") acting = false;
});
document.addEventListener("htmx:afterSettle", () => {
  if (place >= 0 && current() < 0) go(place);
  else if (place >= 0) go(current());
  place = -1;
});

// An answer to a look that began before an act, or before a menu opened, is older than what is there.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig?.elt?.id !== "today-watch") return;
  if (acting || document.querySelector("#today details[open]")) event.detail.shouldSwap = false;
});
document.addEventListener("visibilitychange", () => {
  const watch = document.getElementById("today-watch");
  if (!document.hidden && watch) window.htmx.trigger(watch, "lookAgain");
});

// What stays as it is when the list is renewed: the half hour, which has a clock of its own, and what somebody typed.
if (window.Idiomorph) {
  Object.assign(window.Idiomorph.defaults.callbacks, {
    beforeNodeMorphed: (old, fresh) => ![old, fresh].every((node) => node instanceof Element && node.matches("[data-still]")),
  });
  window.Idiomorph.defaults.ignoreActiveValue = true;
}

// Undo without leaving the page; the message goes when it was used, or when its time is over (kring.css counts it).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.querySelector("[data-undo]") || !window.htmx) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form));
  form.closest("[data-message]")?.remove();
  window.htmx.ajax("POST", form.action, { source: "#today", target: "#today", swap: "morph:outerHTML", values });
});
document.addEventListener("animationend", (event) => {
  if (event.target instanceof Element && event.target.matches(".fading")) event.target.closest("[data-message]")?.remove();
});
