// The box in the header: what can be done opens below it, and answers while somebody types (htmx brings them). Arrow keys walk over them, Enter
// opens the first, Escape goes back. Without this file Enter opens the page with the same answers.

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
    if (event.key === "Enter" && document.activeElement === box && !event.ctrlKey && !event.metaKey) {
      // Only an answer to these very words: who types faster than the server answers gets the page.
      const first = box.value.trim() && panel()?.dataset.q === box.value.trim().replace(/\s+/g, " ") ? hits()[0] : null;
      if (!first) return;
      event.preventDefault();
      first.click();
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
