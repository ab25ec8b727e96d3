// The box in the header: answers open below it while somebody types (htmx brings them); arrow keys walk over them, Escape goes back.
// Without this file Enter opens the page with the same answers.

const form = document.querySelector(".kring-search");
const box = form?.querySelector("[data-search]");
const panel = () => document.getElementById("search-panel");
const hits = () => [...(panel()?.querySelectorAll("[data-hit]") ?? [])];
const close = () => panel()?.replaceChildren();

if (form && box) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (!hits().length) return;
      event.preventDefault();
      close();
      box.focus();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = hits();
    if (!all.length) return;
    event.preventDefault();
    const next = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    (next < 0 ? box : all[next % all.length]).focus();
  });
  form.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && form.contains(event.relatedTarget)) return;
    // A click on an answer must still find it there.
    setTimeout(() => form.contains(document.activeElement) || close(), 200);
  });
  // An answer that arrives after the box was left or emptied opens nothing.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id === "search-panel" && !form.contains(document.activeElement)) event.detail.shouldSwap = false;
  });
}
