/* Kring: after consent, what was read here is remembered in this browser, and a form takes it along. No cookies, no calls. */
((w, d, l) => {
  const KEY = "kring", me = d.currentScript, home = new URL(me.src).origin, page = l.pathname.slice(0, 200), now = Math.floor(Date.now() / 1000);
  const on = (to, what, act) => to.addEventListener(what, act, true);
  let told, noted;
  const keep = (act) => { try { return act(w.localStorage) } catch { return 0 } };
  const text = () => told ? JSON.stringify(told) : "";
  const ours = (what, url, act) => d.querySelectorAll(what).forEach((one) => url(one).startsWith(home + "/f/") && act(one));
  const fill = () => ours("[name=reading]", (one) => one.form ? one.form.action : "", (one) => one.value = text());
  const tell = (to) => to.postMessage({ kring: text() }, home);
  const note = () => {
    const u = {}, { p } = told, seen = p[page] || [now, 0, 0];
    let r = "";
    try { r = new URL(d.referrer).hostname } catch {}
    new URLSearchParams(l.search).forEach((word, name) => /^utm_(source|medium|campaign|term|content)$/.test(name) && (u[name] = word.slice(0, 99)));
    p[page] = [seen[0], now, seen[2] + 1];
    Object.keys(p).sort((a, b) => p[b][1] - p[a][1]).slice(50).forEach((key) => delete p[key]);
    const visit = { p: page, r, a: now, u };
    told.f = told.f || visit;
    if (!told.l || r && r != l.hostname || u.utm_source) told.l = visit;
    noted = 1;
  };
  const consent = (yes) => {
    told = yes ? told || { h: l.host, p: {} } : noted = 0;
    if (yes && !noted) note();
    keep((kept) => yes ? kept.setItem(KEY, text()) : kept.removeItem(KEY));
    fill();
    ours("iframe", (one) => one.src, (one) => tell(one.contentWindow));
  };
  w.kring = { consent };
  on(w, "message", (said) => said.origin == home && said.data == "kring-form" && tell(said.source));
  on(d, "DOMContentLoaded", fill);
  on(d, "submit", fill);
  told = keep((kept) => JSON.parse(kept.getItem(KEY)));
  if (told || "consent" in me.dataset) consent(1);
})(window, document, location);
