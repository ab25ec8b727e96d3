// The few things a page cannot do by itself. Everything here improves a page that already works without it.
// Markup asks for behaviour by data attributes; one listener on the document serves what htmx brings in later, too.

const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
const typing = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable || element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));

// ── Theme: <button data-theme-choose="dark"> ────────────────────────────────────────────────────────────────────────
const markTheme = () => {
  const choice = document.documentElement.dataset.themeChoice;
  for (const button of findAll("[data-theme-choose]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoose === choice));
  }
};

// ── Menus: <details data-menu> closes by Escape, by a click elsewhere and when the focus leaves ─────────────────────
const closeMenus = (except = null) => {
  for (const menu of findAll("details[data-menu][open]")) if (menu !== except) menu.open = false;
};

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  closeMenus(target.closest("details[data-menu]"));

  const theme = target.closest("[data-theme-choose]");
  if (theme) {
    window.kringTheme?.choose(theme.dataset.themeChoose);
    document.documentElement.dataset.themeChoice = theme.dataset.themeChoose;
    markTheme();
  }

  // <button data-toggle="nav" aria-expanded="false" aria-controls="nav"> shows or hides the element with that id.
  const toggle = target.closest("[data-toggle]");
  if (toggle) {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    document.getElementById(toggle.dataset.toggle)?.classList.toggle("show", open);
  }

  // <button data-dismiss> removes the message it stands in.
  const dismiss = target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest("[data-message]")?.remove();

  // <a href="/leads/3/decline/" data-dialog="decline"> opens <dialog id="decline">; the link is the way without this file.
  const opener = target.closest("[data-dialog]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault();
      dialog.showModal();
    }
  }
  const closer = target.closest("[data-dialog-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
  }
  if (target instanceof HTMLDialogElement && target.hasAttribute("data-light-dismiss")) target.close();
});

document.addEventListener("focusout", (event) => {
  const menu = event.target instanceof Element ? event.target.closest("details[data-menu][open]") : null;
  if (menu && event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
});

// ── Keys: Ctrl-K goes to the search; a single letter clicks the element that carries it: <a data-key="c"> ───────────
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    const search = find("[data-search]");
    if (search) {
      event.preventDefault();
      closeMenus();
      const nav = search.closest(".kring-nav");
      nav?.classList.add("show");
      if (nav) find(`[data-toggle="${nav.id}"]`)?.setAttribute("aria-expanded", "true");
      search.focus();
      search.select();
    }
    return;
  }
  if (event.key === "Escape") {
    const menu = find("details[data-menu][open]");
    if (menu) {
      menu.open = false;
      find("summary", menu)?.focus();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || typing(event.target)) return;
  if (find("dialog[open]")) return;
  // In a list the row that has the focus comes first, then the page's own, then what every page has.
  const key = CSS.escape(event.key);
  const row = event.target instanceof Element ? event.target.closest("[data-row]") : null;
  const target = (row && find(`[data-key="${key}"]`, row)) || find(`#content [data-key="${key}"]`) || find(`[data-key="${key}"]`);
  if (target instanceof HTMLElement && !target.matches(":disabled, [aria-disabled=true]")) {
    event.preventDefault();
    if (target.matches("summary")) target.focus(); // A menu that a letter opened goes on from there with Tab.
    target.click();
  }
});

// ── Ctrl-Enter saves a <form data-ctrl-enter>, wherever in it one types ────────────────────────────────────────────────
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
  const form = event.target instanceof Element ? event.target.closest("form[data-ctrl-enter]") : null;
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});

// ── Forms: a <select data-submit> sends its form on change; a button cannot be pressed twice ────────────────────────
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field instanceof Element && field.matches("[data-submit]")) field.form?.requestSubmit();
  // <input type="checkbox" data-tick-all="row"> ticks, or clears, all boxes of that name in its form.
  if (field instanceof HTMLInputElement && field.dataset.tickAll)
    for (const box of field.form?.querySelectorAll(`[name="${field.dataset.tickAll}"]`) ?? []) box.checked = field.checked;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented || form.method === "get") return;
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  // <form data-confirm="Really?"> asks first; with hx-post use hx-confirm instead.
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  // A form that is answered with a file stays where it is, and may be sent again.
  if (!form.hasAttribute("hx-post") && !form.hasAttribute("data-stays")) form.dataset.sending = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of findAll("form[data-sending]")) delete form.dataset.sending;
});

// ── The connection: "what you see may be old" ───────────────────────────────────────────────────────────────────────
const connection = (lost) => {
  const banner = document.getElementById("offline");
  if (banner) banner.hidden = !lost;
};
window.addEventListener("offline", () => connection(true));
window.addEventListener("online", () => connection(false));
document.addEventListener("htmx:sendError", () => connection(true));
document.addEventListener("htmx:timeout", () => connection(true));
document.addEventListener("htmx:afterOnLoad", () => connection(!navigator.onLine));

// ── htmx: an answer that refuses and says nothing still gets a sentence; the focus goes to the first wrong field ────
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const type = xhr.getResponseHeader("Content-Type") || "";
  if (xhr.responseText.trim() && type.startsWith("text/html")) return;
  const messages = document.getElementById("messages");
  const sentence = document.getElementById("went-wrong");
  if (messages && sentence instanceof HTMLTemplateElement) messages.append(sentence.content.cloneNode(true));
});
// Of the messages that htmx brings the newest three stay.
document.addEventListener("htmx:oobAfterSwap", () => findAll("#messages [data-message]").slice(0, -3).forEach((old) => old.remove()));
const focusWrong = (within) => find("[aria-invalid=true]:not([type=hidden])", within)?.focus();
document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  markTheme();
  if (target instanceof Element) focusWrong(target.isConnected ? target : document.getElementById(target.id) || document);
});

// ── The page for no connection at all ───────────────────────────────────────────────────────────────────────────────
const worker = document.body.dataset.serviceWorker;
if (worker && "serviceWorker" in navigator) navigator.serviceWorker.register(worker).catch(() => {});

markTheme();
connection(!navigator.onLine);
focusWrong(document);
