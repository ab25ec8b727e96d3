// The clock of the half hour. While it runs every open page of Kring says so each quarter of a minute (a beat), and the server counts the time
// between beats: a page that is closed says nothing, and two pages count once. What a page shows is set right by each answer.

const KEY = "kring-half-hour";
const BEAT = 15;
const SILENCE = 70; // The server counts no longer silence; after one it is asked first.

let clock = null; // {beat, pause, planned, spent, until} as last heard of, `heard` when that was, `told` when the last beat went.
let seen = "";

const now = () => performance.now() / 1000;
const card = () => document.querySelector("[data-half-hour]");
const chip = () => document.getElementById("half-hour-chip");
const spent = () => clock.spent + (now() - clock.heard);

const kept = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
};
const keep = (value) => {
  try {
    if (value) localStorage.setItem(KEY, JSON.stringify(value));
    else localStorage.removeItem(KEY);
  } catch {
    // Without storage the clock runs on the page that has the card.
  }
};

const token = () => {
  try {
    return JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"];
  } catch {
    return "";
  }
};
const post = (address, more = {}) => fetch(address, { method: "POST", headers: { "X-CSRFToken": token() }, redirect: "manual", ...more });

const words = () => {
  const left = clock.planned - spent();
  const seconds = Math.floor(Math.abs(left));
  const text = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return left < 0 && seconds ? `+${text}` : text;
};

const show = () => {
  const there = chip();
  if (there) {
    there.hidden = !clock || Boolean(card());
    if (clock) there.querySelector("[data-clock]").textContent = words();
  }
  const face = clock && document.querySelector("[data-half-hour] [data-clock]");
  if (face && face.textContent !== words()) face.textContent = words();
};

const forget = () => {
  clock = null;
  keep(null);
  show();
};

const begin = (from) => {
  clock = { ...from, heard: now(), told: now() };
  keep(from);
  show();
};

// The card as the server sees it. Elsewhere there is none, and nothing to bring.
const renew = () => {
  const there = card();
  if (there && window.htmx) window.htmx.ajax("GET", there.dataset.card, { target: "#half-hour", swap: "outerHTML" });
};

const beat = async () => {
  if (!clock) return;
  const { beat: address } = clock;
  clock.told = now();
  let answer;
  try {
    const reply = await post(address);
    answer = reply.ok ? await reply.json() : null;
    if (!reply.ok && reply.status >= 500) return; // Ill for a moment; the next beat asks again.
  } catch {
    return; // No connection: the server counts what it hears, and says so later.
  }
  if (!clock || clock.beat !== address) return;
  if (answer?.running) {
    Object.assign(clock, { spent: answer.spent, until: answer.until, heard: now() });
    keep({ beat: clock.beat, pause: clock.pause, planned: clock.planned, spent: clock.spent, until: clock.until });
    show();
  } else {
    forget();
    renew();
  }
};

// Half an hour: the clock rests and says so. It interrupts nothing, and whoever likes goes on.
const rest = async () => {
  const { pause } = clock;
  const there = chip();
  const here = Boolean(card());
  forget();
  try {
    await post(pause);
  } catch {
    return; // The silence pauses it just as well.
  }
  if (here) renew();
  else if (there) {
    there.hidden = false;
    there.querySelector("[data-clock]").textContent = "00:00";
    document.getElementById("half-hour-said").textContent = there.dataset.done;
  }
};

const look = () => {
  const there = card();
  if (!there) return;
  const { halfHour: state, beat: address, pause, spent: told, planned, until } = there.dataset;
  const sign = [state, address, told, until].join(" ");
  if (sign === seen) return;
  seen = sign;
  if (state === "running") begin({ beat: address, pause, planned: Number(planned), spent: Number(told), until: Number(until) });
  else if (clock || kept()) forget();
};

setInterval(() => {
  look();
  if (!clock) return;
  if (now() - clock.told > SILENCE) beat();
  else if (spent() >= clock.until) rest();
  else if (now() - clock.told >= BEAT) beat();
  if (clock) show();
}, 1000);

// The last word of a page that goes: the seconds since its last beat count, those after it do not.
window.addEventListener("pagehide", () => {
  if (clock) post(clock.beat, { keepalive: true }).catch(() => {});
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) beat();
});

// Another page of this browser began, paused or ended it.
window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  const there = kept();
  if (Boolean(there) === Boolean(clock)) return;
  if (!there) clock = null;
  else if (!card()) begin(there);
  show();
  renew();
});

// After an act the button that took the place of the one that was pressed has the focus.
let acted = false;
document.addEventListener("htmx:beforeRequest", (event) => {
  acted = event.detail.target?.id === "half-hour" && Boolean(event.detail.elt?.closest?.("#half-hour"));
});
document.addEventListener("htmx:afterSettle", () => {
  look();
  if (acted && document.activeElement === document.body) document.getElementById("half-hour-main")?.focus();
  acted = false;
});

look();
if (!clock && !card()) {
  const there = kept();
  if (there) {
    begin(there);
    beat();
  }
}
