// A call that has just begun dials by itself, once: coming back to the page does not ring again.
const dial = document.querySelector("a[data-dial]");
if (dial instanceof HTMLAnchorElement) {
  const key = `dialled-${dial.dataset.dial}`;
  let dialled = false;
  try {
    dialled = Boolean(sessionStorage.getItem(key));
    sessionStorage.setItem(key, "yes");
  } catch {
    // Without storage the number stands there to be tapped.
    dialled = true;
  }
  if (!dialled) window.location.assign(dial.href);
}
