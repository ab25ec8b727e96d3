// Names of colleagues while one types: after @ those that begin so are offered in a list. Arrows choose, Enter or Tab takes, Escape closes.
// Without this file one writes the name; who is told is decided when the form is saved.

const MOST = 6;
const names = new Map();
let list = null;

const known = (url) => {
  if (!names.has(url)) names.set(url, fetch(url, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : { colleagues: [] }), () => ({ colleagues: [] })));
  return names.get(url);
};

const close = () => {
  if (!list) return;
  for (const name of ["aria-controls", "aria-activedescendant"]) list.field.removeAttribute(name);
  list.element.remove();
  list = null;
};

const mark = (index) => {
  list.index = (index + list.found.length) % list.found.length;
  [...list.element.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === list.index)));
  list.field.setAttribute("aria-activedescendant", list.element.children[list.index].id);
};

const take = () => {
  const { field, start, found, index } = list;
  field.setRangeText(`@${found[index].say} `, start, field.selectionStart, "end");
  close();
  field.focus();
};

const offer = async (field) => {
  const before = field.value.slice(0, field.selectionStart);
  const typed = /(?:^|[^\p{L}\p{N}@.+/_-])@([\p{L}][\p{L}' -]{0,40})?$/u.exec(before);
  if (!typed) return close();
  const { colleagues } = await known(field.dataset.mentions);
  if (document.activeElement !== field || field.value.slice(0, field.selectionStart) !== before) return;
  const wanted = (typed[1] ?? "").toLowerCase();
  const found = colleagues.filter(({ name }) => name.toLowerCase().startsWith(wanted)).slice(0, MOST);
  close();
  if (!found.length) return;
  const element = document.createElement("ul");
  element.className = "mention-list";
  element.id = `${field.id}-colleagues`;
  element.setAttribute("role", "listbox");
  element.setAttribute("aria-label", field.dataset.mentionsLabel);
  element.append(
    ...found.map(({ name }, place) => {
      const option = document.createElement("li");
      option.id = `${element.id}-${place}`;
      option.setAttribute("role", "option");
      option.textContent = name;
      option.addEventListener("mousedown", (event) => {
        event.preventDefault(); // The focus stays in the field.
        mark(place);
        take();
      });
      return option;
    }),
  );
  field.parentElement.classList.add("mention-box");
  field.after(element);
  element.style.left = `${field.offsetLeft}px`;
  element.style.top = `${field.offsetTop + field.offsetHeight}px`;
  field.setAttribute("aria-controls", element.id);
  list = { field, element, found, index: 0, start: before.length - (typed[1] ?? "").length - 1 };
  mark(0);
};

const fieldOf = (event) => (event.target instanceof Element ? event.target.closest("[data-mentions]") : null);

document.addEventListener("input", (event) => {
  const field = fieldOf(event);
  if (field) offer(field);
});
document.addEventListener("focusin", (event) => fieldOf(event)?.setAttribute("aria-autocomplete", "list"));
document.addEventListener("focusout", () => close());
document.addEventListener(
  "keydown",
  (event) => {
    if (!list || fieldOf(event) !== list.field || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowDown: () => mark(list.index + 1),
      ArrowUp: () => mark(list.index - 1),
      Enter: take,
      Tab: take,
      Escape: close,
    }[event.key];
    if (!act || (event.key === "Tab" && event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  },
  true,
);
