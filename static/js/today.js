// Today by keyboard: j and k move along the list; d and z are answered by kring.js for the row that has the focus.
// After an act the list comes back without that row, and the focus goes to the one that took its place.

const rows = () => [...document.querySelectorAll("#today [data-row]")];
const current = () => rows().findIndex((row) => row.contains(document.activeElement));
const go = (index) => {
  const list = rows();
  const row = list[Math.max(0, Math.min(index, list.length - 1))];
  if (!row) return;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof Element && event.target.matches("input, textarea, select")) return;
  if (event.key === "j" || event.key === "k") {
    event.preventDefault();
    const at = current();
    go(event.key === "j" ? at + 1 : at < 0 ? 0 : at - 1);
  }
});

// A menu that opens by z gives its first choice the focus, and lets the arrows walk.
document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (menu instanceof HTMLDetailsElement && menu.open && menu.closest("#today [data-row]")) menu.querySelector(".menu-sheet button")?.focus();
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const menu = event.target instanceof Element ? event.target.closest("#today details[open] .menu-sheet") : null;
  if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  if (event.target.matches("input")) return;
  event.preventDefault();
  const choices = [...menu.querySelectorAll("button, input[type=date]")];
  const next = choices.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  choices[(next + choices.length) % choices.length].focus();
});

let place = -1;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id === "today") place = current();
});
document.addEventListener("htmx:afterSettle", () => {
  if (place >= 0) go(place);
  place = -1;
});
