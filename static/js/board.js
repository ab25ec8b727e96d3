// Drag and drop on the board. A drop presses the card's own "To …" button, so dragging, the menu and plain forms are one and the same act.

(() => {
  let dragged = null; // { card, from, next }: where the card came from, until the server has said yes
  let refocus = null;

  const say = (words) => {
    const place = document.getElementById("board-said");
    if (place) place.textContent = words;
  };

  const putBack = () => {
    if (!dragged) return;
    const { card, from, next } = dragged;
    dragged = null;
    if (from.isConnected) from.insertBefore(card, next && next.parentNode === from ? next : null);
  };

  const drop = (event) => {
    document.body.classList.remove("is-dragging");
    const { item: card, to } = event;
    if (!dragged || to === dragged.from) {
      dragged = null;
      return;
    }
    if (to.dataset.end) {
      // Winning is confirmed and losing has a reason: each has a page of its own.
      putBack();
      window.location.assign(card.dataset[to.dataset.end]);
      return;
    }
    const button = [...card.querySelectorAll("button[name=stage]")].find((one) => one.value === to.dataset.stage);
    if (button) button.click();
    else putBack();
  };

  const start = () => {
    if (typeof Sortable === "undefined") return;
    for (const list of document.querySelectorAll("[data-board] .board-cards, [data-board] .board-drop")) {
      if (Sortable.get(list)) continue;
      Sortable.create(list, {
        group: "deals",
        draggable: ".movable",
        filter: ".menu",
        preventOnFilter: false,
        sort: false, // The order within a stage is that of the next steps.
        delay: 180,
        delayOnTouchOnly: true,
        touchStartThreshold: 4,
        animation: 120,
        onStart: ({ item, from }) => {
          dragged = { card: item, from, next: item.nextElementSibling };
          document.body.classList.add("is-dragging");
        },
        onEnd: drop,
      });
    }
  };

  // By menu and keyboard the focus stays with the card that moved.
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-board] button[name=stage]") : null;
    if (button) refocus = dragged ? null : button.closest(".board-card").id;
  });

  // Sortable leaves style attributes behind. htmx would copy them to the new cards, which the content security policy forbids.
  document.addEventListener("htmx:beforeSwap", () => {
    for (const styled of document.querySelectorAll("[data-board] [style]")) styled.removeAttribute("style");
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    start();
    if (!refocus || !document.getElementById("board")?.contains(event.target) && event.target.id !== "board") return;
    const card = document.getElementById(refocus);
    refocus = null;
    (card?.querySelector("summary") ?? card?.querySelector("a"))?.focus();
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400) dragged = null;
  });

  const refused = () => {
    refocus = null;
    if (!dragged) return;
    putBack();
    say(document.getElementById("board-said")?.dataset.back ?? "");
  };
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, refused);

  document.addEventListener("dealMoved", (event) => say(event.detail.said ?? ""));

  start();
})();
