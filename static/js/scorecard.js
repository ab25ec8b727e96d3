// The questions of a draft in another order, by drag: a drop sends the form in which the buttons up and down stand, with the order as it is then.

(() => {
  const start = () => {
    if (typeof Sortable === "undefined") return;
    for (const list of document.querySelectorAll("[data-arrange]")) {
      if (Sortable.get(list)) continue;
      Sortable.create(list, {
        draggable: ".movable",
        handle: ".question-grip",
        animation: 120,
        onEnd: ({ oldIndex, newIndex }) => {
          if (oldIndex !== newIndex) document.getElementById(list.dataset.arrange)?.requestSubmit();
        },
      });
    }
  };

  // Sortable leaves style attributes behind. htmx would copy them to the new list, which the content security policy forbids.
  document.addEventListener("htmx:beforeSwap", () => {
    for (const styled of document.querySelectorAll("[data-arrange] [style]")) styled.removeAttribute("style");
  });
  document.addEventListener("htmx:afterSettle", start);

  // The focus stays with the question that moved by button, and goes to the first field of one that is edited.
  let refocus = null;
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-arrange] button[name=up], [data-arrange] button[name=down]") : null;
    if (button) refocus = { row: button.closest("li").id, name: button.name };
  });
  document.addEventListener("htmx:afterSettle", () => {
    const edited = document.querySelector(".question-edited:not([data-seen])");
    if (edited) {
      edited.dataset.seen = "";
      edited.querySelector("input:not([type=hidden])")?.focus();
    }
    if (!refocus) return;
    const row = document.getElementById(refocus.row);
    const same = row?.querySelector(`button[name=${refocus.name}]:not(:disabled)`);
    refocus = null;
    (same ?? row?.querySelector("button:not(:disabled)"))?.focus();
  });

  start();
})();
