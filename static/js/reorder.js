// Lists whose order is changed by dragging. A drop fills in and presses the item's own form, so dragging and the buttons "up" and "down" are one act.

(() => {
  const start = () => {
    if (typeof Sortable === "undefined") return;
    for (const list of document.querySelectorAll("[data-reorder]")) {
      if (Sortable.get(list)) continue;
      list.classList.add("can-drag");
      Sortable.create(list, {
        handle: ".reorder-grip",
        draggable: ".reorder-item",
        delay: 180,
        delayOnTouchOnly: true,
        touchStartThreshold: 4,
        animation: 120,
        onEnd: ({ item, oldIndex, newIndex }) => {
          if (oldIndex === newIndex) return;
          const form = item.querySelector("form[data-reorder-form]");
          form.elements.to.value = String(newIndex);
          form.requestSubmit();
        },
      });
    }
  };

  // Sortable leaves style attributes behind. htmx would copy them to the new items, which the content security policy forbids.
  document.addEventListener("htmx:beforeSwap", () => {
    for (const styled of document.querySelectorAll("[data-reorder] [style]")) styled.removeAttribute("style");
  });
  document.addEventListener("htmx:afterSettle", start);

  // What could not be saved is shown as it stands with the server.
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.target instanceof Element && event.target.matches("[data-reorder-form]")) window.location.reload();
    });
  }

  start();
})();
